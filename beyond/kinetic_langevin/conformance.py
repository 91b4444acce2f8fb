"""K14: the conformance kit on the samplers that K8 and K9 compare, each with the order that its source states.

The kit (`samplercheck`) sees a sampler as a black box and knows none of its formulas. Samplers that hold a noise
level leave few steps for the rest of their way, so that theirs are runs of twice as many steps.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ams.integrations.samplercheck import load
from ams.samplers.presets import RIVALS, SPECS, Family
from beyond.kinetic_langevin.samplers import CLD, PUBLISHED
from beyond.kinetic_langevin.settings import Settings
from samplercheck import conform
from samplercheck.convergence import STEPS
from samplercheck.nonlinear import Transport
from samplercheck.report import HOLDS, REFUTED
from verdicts import Measurement
from verdicts.studies import Cell, cell

NAMES = (*PUBLISHED, *RIVALS)
"""The samplers that the kit judges."""


class Conformance(NamedTuple):
    """The kit's verdict and its reason, the stated order, and `value, low, high` of each order that was measured.

    A sampler that holds a noise level has none. `reached` says whether one of them surely is the stated one or more.
    """

    verdict: str
    why: str
    stated: int | None
    orders: dict[str, tuple[float, float, float]]
    reached: bool


@cell
def conformance(sampler: str) -> Conformance:
    """What the kit says of a sampler: at each of its numbers of steps, on two Gaussians and on a mixture."""
    twice = SPECS[sampler].family is Family.HELD
    report = conform(load(sampler, {}), steps=tuple((1 + twice) * count for count in STEPS))
    judged = {judgement.check: judgement.verdict for judgement in report.judgements}
    orders = {
        "order": report.convergence and report.convergence.order,
        "order of each step": report.conditions and report.conditions.order,
        "order on the mixture": report.mixture.order if isinstance(report.mixture, Transport) else None,
    }
    measured = {name: order[:3] for name, order in orders.items() if order and not twice}
    return Conformance(
        report.verdict, report.why, report.order, measured, HOLDS in (judged.get(name) for name in orders)
    )


def cells() -> Iterator[Cell]:
    """Yield the kit's reports."""
    yield from (conformance.cell(name) for name in NAMES)


def samplers_that_the_kit_refutes(settings: Settings) -> Measurement:
    """Measure how many samplers the kit refutes; the detail has its reasons for any verdict but `holds`."""
    reports = {name: conformance(name) for name in NAMES}
    others = {name: f"{each.verdict}: {each.why}" for name, each in reports.items() if each.verdict != HOLDS}
    count = sum(each.verdict == REFUTED for each in reports.values())
    return Measurement(value=count, n=len(reports), detail={**others})


def stated_orders_that_are_not_reached(settings: Settings) -> Measurement:
    """Measure how many of the stated orders no order reaches: of the marginals, of each step, or on the mixture."""
    stated = {name: each for name in NAMES if (each := conformance(name)).stated is not None}
    missed = [name for name, each in stated.items() if not each.reached]
    return Measurement(value=len(missed), n=len(stated), detail={"missed": [*missed]})


def lesser_order_of_damped_diffusion(settings: Settings) -> Measurement:
    """Measure the lesser order of CLD's integrators with the kit's interval: of the marginals, as steps shrink."""
    orders = {name: conformance(name).orders["order"] for name in CLD}
    value, low, high = min(orders.values(), key=lambda order: order[1])
    return Measurement(value=value, low=low, high=high, n=len(STEPS), detail={n: o[0] for n, o in orders.items()})
