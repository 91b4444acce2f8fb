"""The samplers compared: programs of the catalogue, with what tuning may change of each and what its law needs."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, TypeAlias

from ams.samplers.catalogue import DEFAULT, PROGRAMS, Hyperparameters, Maker, SigmaRange, ladder, levels

from analysis.annealed.settings import Settings

__all__ = ["DEFAULT", "SAMPLERS", "Hyperparameters", "Kind", "Sampler", "SigmaRange", "ladder", "levels"]

Tuning: TypeAlias = Callable[[Settings], list[Hyperparameters]]


class Kind(Enum):
    """What a step needs for its law on a mixture."""

    KERNEL = "position alone, a Gaussian kernel a step: the grid law"
    MAP = "no noise: transport of quantiles"
    PATH = "memory, or noise that a nonlinear map follows: particles"


class Sampler(NamedTuple):
    """A sampler: its program, what tuning tries, its kind; `stacks`: runs differ by levels and steps alone.

    `drift` is the factor of a constant drift, for the stability of its steps.
    """

    program: Maker
    tuning: Tuning
    kind: Kind
    stacks: bool = False
    drift: float = 1.0


def steps_tuned(settings: Settings) -> list[Hyperparameters]:
    """Step factor and steps a level."""
    return [
        Hyperparameters(factor=factor, repeats=repeats) for repeats in settings.repeats for factor in settings.factors
    ]


def damping_tuned(settings: Settings) -> list[Hyperparameters]:
    """Step factor, steps a level and the constant momentum."""
    return [choice._replace(beta=beta) for beta in settings.betas for choice in steps_tuned(settings)]


def snr_tuned(settings: Settings) -> list[Hyperparameters]:
    """The corrector's signal-to-noise ratio."""
    return [Hyperparameters(snr=snr) for snr in settings.snrs]


def levels_tuned(settings: Settings) -> list[Hyperparameters]:
    """The exponent of the levels."""
    return [Hyperparameters(rho=rho) for rho in settings.rhos]


def pull_tuned(settings: Settings) -> list[Hyperparameters]:
    """The drift of consistent annealed sampling."""
    return [Hyperparameters(pull=pull) for pull in settings.pulls]


def churn_tuned(settings: Settings) -> list[Hyperparameters]:
    """Churn and the exponent of the levels."""
    return [Hyperparameters(churn=churn, rho=rho) for rho in settings.rhos for churn in settings.churns]


_NEEDS: dict[str, tuple[Tuning, Kind, bool, float]] = {
    "annealed Langevin": (steps_tuned, Kind.KERNEL, True, 1.0),
    "Langevin, drift x1.5": (steps_tuned, Kind.KERNEL, True, 1.5),
    "Langevin, drift x2": (steps_tuned, Kind.KERNEL, True, 2.0),
    "Leimkuhler-Matthews": (steps_tuned, Kind.PATH, True, 1.0),
    "adaptive momentum": (steps_tuned, Kind.PATH, True, 1.0),
    "adaptive, drift only": (steps_tuned, Kind.PATH, True, 1.0),
    "adaptive, average only": (steps_tuned, Kind.PATH, True, 1.0),
    "adaptive, noise corrected": (steps_tuned, Kind.PATH, True, 1.0),
    "constant momentum": (damping_tuned, Kind.PATH, True, 1.0),
    "consistent annealed sampling": (pull_tuned, Kind.KERNEL, False, 1.0),
    "reverse diffusion": (levels_tuned, Kind.KERNEL, False, 1.0),
    "ancestral": (levels_tuned, Kind.KERNEL, False, 1.0),
    "PC, Langevin": (snr_tuned, Kind.KERNEL, False, 1.0),
    "PC, adaptive": (snr_tuned, Kind.PATH, False, 1.0),
    "PC, constant": (snr_tuned, Kind.PATH, False, 1.0),
    "Euler ODE": (levels_tuned, Kind.MAP, False, 1.0),
    "Heun ODE": (levels_tuned, Kind.MAP, False, 1.0),
    "EDM stochastic": (churn_tuned, Kind.PATH, False, 1.0),
    "DPM-Solver++": (levels_tuned, Kind.MAP, False, 1.0),
    "SDE-DPM-Solver++": (levels_tuned, Kind.PATH, False, 1.0),
    "annealed BAOAB, e = 0": (levels_tuned, Kind.PATH, False, 1.0),
    "annealed BAOAB, e = 1/2": (levels_tuned, Kind.PATH, False, 1.0),
}
SAMPLERS = {name: Sampler(PROGRAMS[name], *needs) for name, needs in _NEEDS.items()}
