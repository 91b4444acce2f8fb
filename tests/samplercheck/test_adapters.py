"""Adapters: how a sampler is named, what is refused, and that each installed library's samplers run as they say."""

import re
import subprocess
import sys

import pytest
import torch

from ams.errors import UserError
from samplercheck import Draws, adapters
from samplercheck.convergence import two_targets
from samplercheck.order_conditions import order_conditions
from samplercheck.sampler import trajectory

OWN = """
from samplercheck import Sampler
from beside_own import halved
half = Sampler("half", "1", lambda network, x, steps, draws: halved(x), prior=lambda steps: 1.0)
def load(name, settings):
    return half if name == "made" else None
"""
POSTPONED = """
from __future__ import annotations
from dataclasses import dataclass
from samplercheck import Sampler
@dataclass
class Options:
    least: float = 0.01
own = Sampler("own", "1", lambda network, x, steps, draws: x, prior=lambda steps: 1.0)
"""


def test_a_library_that_is_missing_is_named_with_its_pip_command(monkeypatch):
    monkeypatch.setitem(adapters.LIBRARIES, "k-diffusion", "--no-deps k-diffusion-lost")
    with pytest.raises(
        UserError, match="k-diffusion is not installed: python -m pip install --no-deps k-diffusion-lost"
    ):
        adapters.load("k-diffusion:sample_euler")


def test_a_file_has_a_sampler_or_a_function_that_returns_one(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    file = tmp_path / "own.py"
    file.write_text(OWN)
    (tmp_path / "beside_own.py").write_text("def halved(x):\n    return x / 2\n")
    assert adapters.load(f"{file}:half").name == adapters.load(f"{file}:made").name == "half"
    with pytest.raises(UserError, match="has no Sampler 'other'"):
        adapters.load(f"{file}:other")


def test_a_file_is_a_module_while_it_is_loaded_and_none_after_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "modules", sys.modules.copy())
    (tmp_path / "postponed.py").write_text(POSTPONED)
    assert adapters.load(f"{tmp_path}/postponed.py:own").name == "own"
    (tmp_path / "fails.py").write_text("1 / 0\n")
    before = set(sys.modules)
    with pytest.raises(ZeroDivisionError):
        adapters.load(f"{tmp_path}/fails.py:own")
    assert set(sys.modules) == before


@pytest.mark.parametrize("library", adapters.LIBRARIES)
def test_every_sampler_of_an_installed_library_takes_noise_to_the_data(library):
    if adapters.installed(library) is None:
        pytest.skip(f"{library} is not installed")
    for name in adapters.adapter(library).names():
        # KDPM2 takes seconds to make on a refined training grid.
        sampler = adapters.load(f"{library}:{name}", {"grid": 1} if name.startswith("KDPM2") else {})
        data = two_targets(sampler.data_std)
        x = sampler.prior(12) * torch.randn(4, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        path = trajectory(sampler, data.network(), x, 12, Draws())
        assert len(path.calls) >= 10 and path.end.shape == x.shape and bool(path.end.isfinite().all())
        assert path.calls[-1].level.sigma < path.calls[0].level.sigma


@pytest.mark.parametrize("name", ["k-diffusion:sample_euler_ancestral", "k-diffusion:sample_dpmpp_2m_sde"])
def test_eta_between_flow_and_reverse_sde_is_the_library_s(name):
    if adapters.installed("k-diffusion") is None:
        pytest.skip("k-diffusion is not installed")
    found = order_conditions(adapters.load(name, {"eta": 0.5}), (24, 36, 48, 72))
    assert found.order.low > 0.7, "its eta multiplies the deviation of the noise, or the variance"


def test_rounded_timesteps_are_said_in_words():
    if adapters.installed("diffusers") is None:
        pytest.skip("diffusers is not installed")
    name, said = "diffusers:DPMSolverMultistepScheduler", ".*one of 1000 noise levels.* % in 20 steps.* of length 0.*"
    assert re.match(said, adapters.load(name, {"grid": 1, "use_karras_sigmas": True}).rounding((20, 144)))
    assert not adapters.load(name, {"grid": 1}).rounding((20, 144))


def test_an_import_brings_no_library_and_no_statistics():
    code = "from samplercheck import adapters, conform; import sys; "
    code += "assert not {'azula', 'diffusers', 'monai', 'scipy'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
