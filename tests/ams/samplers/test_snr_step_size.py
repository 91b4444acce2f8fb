"""The corrector's step size: the vector whose norm it uses, on particles and in the exact law."""

import math

import pytest
import torch

from ams.laws import GaussianLaw
from ams.samplers import Particles, PerSample, State, langevin, snr_of_last_momentum, snr_of_momentum, snr_of_score
from ams.samplers.rules import Size
from ams.schedules import VP, Level, process_levels

SNR, LEVEL = 0.16, Level(2, sigma=0.5, alpha=0.7)
S, Z, M = (torch.randn(3, 4, 2, 2, generator=torch.Generator().manual_seed(i), dtype=torch.float64) for i in range(3))
RULES = [(snr_of_score, S), (snr_of_last_momentum, M), (snr_of_momentum, 0.6 * M + 0.4 * S)]


@pytest.mark.parametrize(("rule", "direction"), RULES)
def test_the_step_is_sized_by_the_direction(rule: type[Size], direction: torch.Tensor) -> None:
    norms = [v.flatten(1).norm(dim=1) for v in (Z, direction)]
    exact = 2 * 0.7 * (SNR * norms[0].mean() / norms[1].mean()) ** 2
    size = rule(SNR)(State(S, M, S), S, Z, 0.6, LEVEL, Particles())
    assert size == pytest.approx(exact.item(), rel=1e-12)
    column = rule(SNR)(State(S, M, S), S, Z, 0.6, LEVEL, PerSample())
    assert column.shape == (3, 1, 1, 1)
    torch.testing.assert_close(column.flatten(), 2 * 0.7 * (SNR * norms[0] / norms[1]) ** 2, rtol=1e-12, atol=0)


@pytest.mark.parametrize("rule", [rule for rule, _ in RULES])
def test_at_the_first_step_all_take_the_score(rule: type[Size]) -> None:
    size = rule(SNR)(State(S), S, Z, 0.0, LEVEL, Particles())
    assert size == snr_of_score(SNR)(State(S), S, Z, 0.0, LEVEL, Particles())


@pytest.mark.parametrize("rule", [rule for rule, _ in RULES])
def test_the_law_takes_expectations(rule: type[Size]) -> None:
    """On the target `E|s| / E|z| = 1 / sd`, so `a = 2 alpha snr^2 sd^2`."""
    law = GaussianLaw([0.3], multiplicity=6)
    state = law.start(0.0, 0.3 + 0.25)
    s, z = law.score(state.x, LEVEL), law.noise(state.x)
    size = rule(SNR)(state, s, z, 0.0, LEVEL, law)
    assert size == pytest.approx(2 * 0.7 * SNR**2 * 0.55, rel=1e-12)


def test_a_vanishing_direction_asks_for_an_infinite_step() -> None:
    assert snr_of_score(SNR)(State(S), 0 * S, Z, 0.0, LEVEL, Particles()) == math.inf


def test_too_few_noise_levels_of_a_vp_process_are_refused() -> None:
    """`alpha = 1 - beta(t) / N` at the first of 9 levels: `1 - 20/9`."""
    (level, *_), law = process_levels(VP(), 9, 0.01), GaussianLaw([1.0])
    with pytest.raises(ValueError, match=r"noise level 0: alpha is -1.22222; a VP corrector needs more noise levels"):
        law.end([(langevin(snr_of_score(SNR)), level)], law.start(0.0, 1.0))
