"""Samplers that compute in NumPy or JAX: their draws are answered, and their defects seen."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from samplercheck import adapters, entry_points
from samplercheck.__main__ import main
from samplercheck.affine_map import read_map
from samplercheck.answered_draws import Repeated, Unanswered
from samplercheck.convergence import two_targets
from samplercheck.sampler import Sampler

ANCESTRAL = """
import {module} as np


def levels(n):
    low, high = 0.002 ** (1 / 7), 80 ** (1 / 7)
    return np.append((high + np.arange(n) / (n - 1) * (low - high)) ** 7, 0)


def step(x, denoised, a, b, noise):
    return x + (x - denoised) / a * (b**2 / a - a) + b * np.sqrt(1 - (b / a) ** 2) * noise
"""
NUMPY = (
    ANCESTRAL.format(module="numpy")
    + """

def of_numpy(denoiser, x, n_steps, rng):
    s = levels(n_steps)
    x = x * s[0]
    for a, b in zip(s[:-1], s[1:]):
        x = step(x, denoiser(x, a), a, b, rng.standard_normal(x.shape))
    return x
"""
)
TORCH = """
import torch
from of_numpy import levels, step


def of_torch(denoiser, x, n_steps):
    s = levels(n_steps)
    x = x * s[0]
    for a, b in zip(s[:-1], s[1:]):
        x = step(x, denoiser(x, a), a, b, torch.randn_like(x))
    return x
"""
JAX = (
    ANCESTRAL.format(module="jax.numpy")
    + """
import jax


def of_jax(denoiser, x, n_steps, key):
    s = levels(n_steps)

    def body(carry, ab):
        x, key = carry
        key, own = jax.random.split(key)
        return (step(x, denoiser(x, ab[0]), *ab, jax.random.normal(own, x.shape)), key), None

    (x, _), _ = jax.lax.scan(body, (x * s[0], key), (s[:-1], s[1:]))
    return x
"""
)
SOURCES = {
    # how a sampler of NumPy draws: what is replaced, by what
    "its parameter": ("", ""),
    "made in the function": ("rng):", "seed=0):\n    rng = np.random.default_rng(seed)"),
    "normal": ("rng.standard_normal(x.shape)", "rng.normal(0, 1, x.shape)"),
    "shape of a mean": ("rng.standard_normal(x.shape)", "rng.normal(0 * x)"),
    "the module's function": ("rng.standard_normal", "np.random.standard_normal"),
    "randn": ("rng.standard_normal(x.shape)", "np.random.randn(*x.shape)"),
    "an old state": ("rng):", "seed=0):\n    rng = np.random.RandomState(seed)"),
    "a generator of its own": ("rng):", "n=0):\n    rng = np.random.Generator(np.random.PCG64(7))"),
    "made at import": ("n_steps, rng):", "n_steps):\n    rng = RNG"),
    "float32": ("rng.standard_normal(x.shape)", "rng.standard_normal(x.shape).astype(np.float32)"),
}
jax_is_here = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="not run: jax is not installed"
)


@pytest.fixture
def sampler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Sampler]:
    monkeypatch.syspath_prepend(str(tmp_path))

    def load(name: str, text: str) -> Sampler:
        path = tmp_path / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        call = adapters.function(f"{path}:{name}")
        return entry_points.load(call, name, "denoiser", convention="x0@sigma")

    return load


def maps_agree(one: Sampler, other: Sampler) -> bool:
    data = two_targets(1.0)
    a, b = (read_map(each, data.network(), len(data.mean), 6) for each in (one, other))
    parts = [(a.offset, b.offset), (a.start, b.start), (a.draws, b.draws)]
    return all(torch.allclose(x, y, rtol=1e-9, atol=1e-12) for x, y in parts)


@pytest.mark.parametrize("name", SOURCES)
def test_a_numpy_sampler_has_the_map_of_the_same_in_pytorch(
    sampler: Callable[[str, str], Sampler], name: str
) -> None:
    old, new = SOURCES[name]
    text = NUMPY.replace(old, new) if old else NUMPY
    ours = sampler("of_numpy", text + "\n\nRNG = np.random.default_rng(0)\n")
    assert maps_agree(ours, sampler("of_torch", TORCH))


def test_one_wrong_weight_has_another_map(sampler: Callable[[str, str], Sampler]) -> None:
    wrong = NUMPY.replace("(b**2 / a - a)", "(b**2 / a - 1.01 * a)").replace("of_numpy", "wrong")
    sampler("of_numpy", NUMPY)
    assert not maps_agree(sampler("wrong", wrong), sampler("of_torch", TORCH))


@pytest.mark.parametrize("draw", ["uniform(size=x.shape)", "random(x.shape)", "laplace(size=9)"])
def test_other_draws_of_numpy_are_not_answered(
    sampler: Callable[[str, str], Sampler], draw: str
) -> None:
    with pytest.raises(Unanswered, match="the kit answers normal draws alone"):
        sampler("of_numpy", NUMPY.replace("standard_normal(x.shape)", draw))


def test_a_generator_that_is_seeded_in_each_step_is_refuted(
    sampler: Callable[[str, str], Sampler], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = NUMPY.replace("rng.standard_normal", "np.random.default_rng(0).standard_normal")
    sampler("of_numpy", text)
    assert main([f"{tmp_path / 'of_numpy.py'}:of_numpy", "--network", "denoiser"]) == 1
    assert "a generator in one state" in capsys.readouterr().out


def test_a_numpy_sampler_is_judged_by_the_command(
    sampler: Callable[[str, str], Sampler], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sampler("of_numpy", NUMPY)
    assert main([f"{tmp_path / 'of_numpy.py'}:of_numpy", "--network", "denoiser"]) == 0
    assert "x0@sigma: holds" in capsys.readouterr().out
    assert np.random.default_rng(3).standard_normal() == np.random.default_rng(3).standard_normal()


@jax_is_here
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("\ndef of_jax", "\n@partial(jax.jit, static_argnums=(0, 2))\ndef of_jax"),
        (
            "jax.random.normal(own, x.shape)",
            "jax.vmap(lambda k: jax.random.normal(k, x.shape[1:]))(jax.random.split(own, len(x)))",
        ),
        # a sum is of float64, though the kit has NumPy's float16 stand for that
        ("(x - denoised)", "np.stack([x, -denoised]).sum(0)"),
    ],
    ids=["scanned", "compiled", "a key a sample", "a sum"],
)
def test_a_jax_sampler_has_the_map_of_the_same_in_pytorch(
    sampler: Callable[[str, str], Sampler], old: str, new: str
) -> None:
    text = JAX.replace("import jax\n", "import jax\nfrom functools import partial\n")
    ours = sampler("of_jax", text.replace(old, new) if old else text)
    sampler("of_numpy", NUMPY)
    assert maps_agree(ours, sampler("of_torch", TORCH))


@jax_is_here
def test_one_key_for_all_steps_is_refuted(sampler: Callable[[str, str], Sampler]) -> None:
    ours = sampler(
        "of_jax", JAX.replace("normal(own,", "normal(key,").replace("key, own", "_, own")
    )
    with pytest.raises(Repeated):
        read_map(ours, two_targets(1.0).network(), 8, 6)


@jax_is_here
def test_what_is_traced_is_not_answered(sampler: Callable[[str, str], Sampler]) -> None:
    text = JAX.replace("denoiser(x, ab[0])", "jax.grad(lambda y: denoiser(y, ab[0]).sum())(x)")
    with pytest.raises(Unanswered, match="it is traced"):
        sampler("of_jax", text)
