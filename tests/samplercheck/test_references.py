"""The kit on samplers of known quality: no clean reference is refuted, every fault that matters is caught."""

import random

import pytest
import torch

from ams.schedules import VP
from samplercheck import Sampler, Unanswered, conform
from samplercheck.convergence import Data
from tests.ams.tools import draws
from tests.samplercheck.faulty import Fault, faults, faulty
from tests.samplercheck.references import REFERENCES, Mesh, geometric, karras, preserving, rectified

EXPLODING = {"DPM-Solver-2", "Euler-Maruyama", "SDE midpoint", "annealed BAOAB"}


def random_mesh(rng: random.Random, name: str) -> Mesh:
    """Return a mesh on which the reference may run, with random parameters."""
    if "rectified" in name:
        shift = rng.uniform(0.5, 3.0)
        return lambda steps: rectified(steps, shift)
    first, final, rho = rng.uniform(20.0, 150.0), 10 ** rng.uniform(-2.3, -1.3), rng.uniform(3.0, 10.0)
    process, end = VP(0.1, rng.uniform(14.0, 25.0)), 10 ** rng.uniform(-4.0, -2.5)
    choices: list[Mesh] = [lambda steps: preserving(steps, end, process)]
    if name in EXPLODING:
        choices = []
    if name != "DDIM, v":
        choices += [lambda steps: karras(steps, first, final, rho), lambda steps: geometric(steps, first, final)]
    return rng.choice(choices)


def random_setting(name: str, trial: int) -> tuple[Sampler, tuple[int, ...], Data]:
    """Return a reference on a random mesh, step counts and a Gaussian target, fixed by the number of the trial."""
    rng = random.Random(f"{name} {trial}")
    base = 2 * rng.randint(8, 18)
    steps = (base, 3 * base // 2, 2 * base, 3 * base, 4 * base, 6 * base)
    mean, spread = draws(rng.randrange(2**31), 2, 8)
    target = Data(0.7 * mean, 0.05 * 40.0 ** torch.special.ndtr(spread))
    return REFERENCES[name].sampler(name, random_mesh(rng, name)), steps, target


def refuted(name: str, trial: int) -> str:
    """Return the report of a trial that refutes a clean sampler, otherwise nothing."""
    sampler, steps, target = random_setting(name, trial)
    report = conform(sampler, steps=steps, data=target)
    return report.text() if report.verdict == "refuted" else ""


@pytest.mark.parametrize("name", list(REFERENCES)[::4])
def test_a_clean_sampler_is_not_refuted(name: str) -> None:
    assert not refuted(name, 0)


@pytest.mark.long
@pytest.mark.parametrize("name", REFERENCES)
def test_a_clean_sampler_is_not_refuted_on_fifty_targets_and_meshes(name: str) -> None:
    assert not [text for trial in range(50) if (text := refuted(name, trial))]


def test_the_faults_are_many_in_many_samplers() -> None:
    declared = faults()
    assert len(declared) >= 60 and len({fault.reference for fault in declared}) >= 12


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=f"{fault.reference}-{fault.why}", marks=() if k % 12 == 0 else pytest.mark.slow)
        for k, fault in enumerate(faults())
    ],
)
def test_a_fault_is_refuted_unless_it_is_a_valid_scheme(fault: Fault) -> None:
    """A sampler whose draws cannot be answered is stopped with that message."""
    try:
        verdict = conform(faulty(fault)).verdict
    except Unanswered:
        verdict = "refuted"
    assert (verdict == "refuted") != bool(fault.valid)
