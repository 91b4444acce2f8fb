"""MNIST's group on made-up images in the file's place: what is said of samples in features."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from ams.data import Images
from experiments.images.exact import FLOOR, Settings
from experiments.images.mnist import checks as mnist

FEW = Settings(budgets=(10,), batches=3, batch=8, samplers=("annealed Langevin", "constant momentum"), seed=9)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    draws = torch.Generator().manual_seed(0)
    x = torch.zeros(40, 28, 28)
    for image, (i, j) in zip(x, torch.randint(4, 14, (40, 2), generator=draws).tolist(), strict=True):
        image[i : i + 10, j : j + 6] = torch.rand(10, 6, generator=draws)
    monkeypatch.setattr(mnist, "load", lambda name: Images(x, torch.arange(40) % 10))
    for cached in (mnist.images, mnist.runs):
        cached.cache_clear()
    yield
    for cached in (mnist.images, mnist.runs):
        cached.cache_clear()


def test_samples_are_judged_denoised_against_the_laws_images(made_up: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The law's own draws, denoised, are its images: their distance is the floor; of images inverted it is not."""
    found = mnist.in_features(FEW)
    assert [one.entry.sampler for one in found] == [FLOOR, *FEW.samplers]
    assert {one.conditions.n for one in found} == {24}
    floor = found[0]
    monkeypatch.setattr(mnist, "denoised", lambda subject, x: 1 - x)
    mnist.runs.cache_clear()
    far = mnist.in_features(FEW)[0]
    floor.conditions.refuse_other(far.conditions)
    assert floor.conditions.denoised and floor.conditions.reference == "first 40 MNIST test images"
    assert far.numbers["frechet"].value > 3 * floor.numbers["frechet"].value
    assert far.numbers["coverage"].value < 0.5 < floor.numbers["coverage"].value


def test_tables_have_a_row_for_each_run_in_pixels_in_features_and_of_classes(made_up: None) -> None:
    every, _, in_features, classes = mnist.tables(FEW)
    assert len(every.rows) == len(in_features.rows) == len(classes.rows) == 3
    assert [row[0] for row in in_features.rows] == [FLOOR, *FEW.samplers]
