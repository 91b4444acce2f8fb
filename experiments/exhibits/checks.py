"""E1: whether the authors' configurations have entries that fit the suite.

The list states values a second time, so each is compared with what the suite runs: a corrector by
its step, since a step's function does not tell its hyperparameters.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from ams.errors import UserError as Refused
from ams.samplers import Particles, State
from ams.samplers.base import Step
from ams.samplers.presets import AUTHORS, SPECS
from ams_suite.__main__ import parse
from ams_suite.commands import Reproduce
from experiments.exhibits.configurations import Configuration, Kind, listed
from experiments.exhibits.settings import Settings
from experiments.graphs import samplers
from experiments.graphs.generation import END, PUBLISHED, Setting
from experiments.graphs.systems import System
from experiments.images.networks.ncsnpp_architectures import ARCHITECTURES
from verdicts import Measurement
from verdicts.claims.loading import load_claims, load_config
from verdicts.claims.schema import Claims, Profile
from verdicts.errors import UserError
from verdicts.records.workspace import find_root
from verdicts.run.checks import settings_class

NETWORK = re.compile(r"\bv[ep]/(\w+)")
"""How the claims on colour images name a network of score_sde."""
ROWS: dict[Kind, tuple[str, ...]] = {
    Kind.CORRECTOR: ("reverse diffusion", "PC, Langevin", "PC, constant", "PC, adaptive"),
    Kind.ANNEALED: ("annealed Langevin", "constant momentum", "adaptive momentum"),
}
"""The samplers of an image table, by kind of configuration."""


def all_claims() -> Claims:
    """Return the claims of the repository. Raises UserError."""
    return load_claims(find_root(Path.cwd()))


def settings_in(claims: Claims, group: str, profile: Profile) -> Any:
    """Return a group's settings in a profile. Raises UserError."""
    entry = next(each for each in claims.group if each.id == group)
    config = load_config(find_root(Path.cwd()), profile, claims)
    return settings_class(entry)(**config.settings_of(group))


def counted(names: Sequence[str]) -> Measurement:
    """Return how many names there are, with the names."""
    return Measurement(
        value=len(names), n=len(listed().configuration), detail={"names": ", ".join(names)}
    )


def sets_and_networks_without_an_entry(settings: Settings) -> Measurement:
    """Count the graph sets and the networks of score_sde that the suite knows and the list has
    not.
    """
    graphs = {each.id for each in listed().of_graphs()}
    networks = {each.architecture for each in listed().of_images()}
    named = {
        name for claim in all_claims().of_group("colour") for name in NETWORK.findall(claim.target)
    }
    return counted(sorted((PUBLISHED.keys() - graphs) | (named - networks)))


def values_that_differ_from_the_suite(settings: Settings) -> Measurement:
    """Count the values of the list that differ from what the suite runs."""
    graphs = [
        f"{each.id}: {value}" for each in listed().of_graphs() for value in _differing_graph(each)
    ]
    images = [
        f"{each.id}: {value}" for each in listed().of_images() for value in _differing_image(each)
    ]
    return counted(graphs + images)


def _differing_graph(entry: Configuration) -> Iterator[str]:
    setting = PUBLISHED.get(entry.id)
    if setting is None:
        yield "set"
        return
    stated = (entry.side, entry.evaluations, entry.processes)
    run = (setting.largest, 1 + (setting.correctors is not None), tuple(map(_named, setting.pair)))
    for value, ours, theirs in zip(("side", "evaluations", "processes"), stated, run, strict=True):
        if ours != theirs:
            yield value
    if entry.snr is not None and entry.scale_eps is not None and not _same_steps(entry, setting):
        yield "snr or scale_eps"


def _named(system: System) -> str:
    """Return a process as the list has it."""
    values = (f"{value:g}" for value in vars(system.process).values())
    return " ".join([type(system.process).__name__, *values])


def _same_steps(entry: Configuration, setting: Setting) -> bool:
    """Tell whether Langevin, or S4, with the listed values takes the steps that the suite's
    setting takes.
    """
    assert entry.snr is not None and entry.scale_eps is not None
    if setting.correctors is None:
        s4 = samplers.s4(entry.snr, entry.scale_eps)
        steps = [(s4(system, 10), setting.predictor(system, 10), system) for system in setting.pair]
    else:
        correctors = samplers.langevin(entry.snr, entry.scale_eps)
        steps = list(zip(correctors, setting.correctors, setting.pair, strict=True))
    return all(
        torch.equal(_moved(one, system), _moved(other, system)) for one, other, system in steps
    )


def _moved(step: Step, system: System) -> torch.Tensor:
    """Return where a step goes from a fixed state, in a run of 10, with fixed noise."""
    draws, start = torch.Generator().manual_seed(1), torch.ones(2, 3)
    state, _ = step(
        State(start), lambda x, level: -x, lambda x: torch.randn(x.shape, generator=draws),
        system.levels(10, END)[3], Particles(),
    )  # fmt: skip
    return state.x


def _differing_image(entry: Configuration) -> Iterator[str]:
    if entry.architecture is not None:
        sizes = ARCHITECTURES.get(entry.architecture)
        if sizes is None or sizes.side != entry.side:
            yield "architecture or side"
    if "CIFAR-10" in entry.title and entry.kind is Kind.CORRECTOR and entry.snr != AUTHORS.snr:
        yield "snr"
    if entry.kind is not Kind.ANNEALED and entry.evaluations != 2:
        yield "evaluations"


def groups_claims_and_samplers_that_do_not_exist(settings: Settings) -> Measurement:
    """Count the groups (of the suite and of `stand_in`), claims and samplers that the list names
    in vain.
    """
    claims, entries = all_claims(), listed().configuration
    groups, ids = {each.id for each in claims.group}, {each.id for each in claims.claim}
    described = {each.group for each in listed().stand_in}
    absent = [name for each in entries for name in each.here if name not in groups & described]
    absent += [name for each in entries for name in each.claims if name not in ids]
    return counted(
        absent + [name for names in ROWS.values() for name in names if name not in SPECS]
    )


def commands_that_decide_nothing(settings: Settings) -> Measurement:
    """Count the commands that are refused, or whose profile does not decide the claims that they
    name.
    """
    claims = all_claims()
    return counted([each.id for each in listed().configuration if not _decides(each, claims)])


def _decides(entry: Configuration, claims: Claims) -> bool:
    """Tell whether the command is accepted, and its profile decides what it names."""
    try:
        profile, names = asked_for(entry.command)
        chosen = claims.select(names)
    except (UserError, Refused):
        return False
    return bool(names) and all(profile in claim.profiles for claim in chosen)


def asked_for(command: str) -> tuple[Profile, Sequence[str]]:
    """Return the profile and the names that `bash reproduce.sh ...` asks for. Raises UserError
    for another command.
    """
    words = shlex.split(command)
    if words[:2] != ["bash", "reproduce.sh"]:
        raise Refused(f"{command}: expected bash reproduce.sh ...")
    chosen = parse(["reproduce", *words[2:]])
    if not isinstance(chosen, Reproduce) or chosen.profile == "auto":
        raise Refused(f"{command}: expected a profile")
    return Profile(chosen.profile), [name for some in chosen.only for name in some]
