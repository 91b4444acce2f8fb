"""Sources of noise: order, reproducibility, and their errors."""

import pytest
import torch

from ams.samplers.noise_sources import NoiseExhausted, generated, generated_per_sample, replayed, seeded_per_sample


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_generated_draws_are_the_generators(dtype: torch.dtype) -> None:
    x = torch.zeros(3, 2, 4, dtype=dtype)
    noise, same = generated(torch.Generator().manual_seed(1)), torch.Generator().manual_seed(1)
    for _ in range(3):
        assert torch.equal(noise(x), torch.empty_like(x).normal_(generator=same))


def test_streams_are_fixed_by_seed_and_number() -> None:
    """Seed and number are not added up: (3, 1) and (4, 0) are different streams."""
    first = {
        (seed, i): torch.randn(4, generator=generator).tolist()
        for seed in range(10)
        for i, generator in enumerate(seeded_per_sample(seed, 0, 10))
    }
    assert len({tuple(draw) for draw in first.values()}) == 100
    (again,) = seeded_per_sample(5, 7, 1)
    assert torch.randn(4, generator=again).tolist() == first[5, 7]


@pytest.mark.parametrize("count", [0, 2, 4])
def test_there_is_one_generator_for_each_sample(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} generators for a batch of 3: one a sample"):
        generated_per_sample(seeded_per_sample(1, 0, count))(torch.zeros(3, 2))


def test_replayed_draws_come_in_order_end_and_must_fit() -> None:
    draws, x = torch.randn(2, 3, 4), torch.zeros(3, 4)
    noise = replayed(draws)
    assert torch.equal(noise(x), draws[0]) and torch.equal(noise(x), draws[1])
    with pytest.raises(NoiseExhausted, match="the recorded noise ended before the run did"):
        noise(x)
    noise = replayed([torch.zeros(3, 4), torch.zeros(4, 3)])
    noise(x)
    with pytest.raises(NoiseExhausted, match=r"recorded draw 1 has shape \(4, 3\), the state \(3, 4\)"):
        noise(x)
