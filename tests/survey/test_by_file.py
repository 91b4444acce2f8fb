"""Samplers by file: the registered bytes alone are executed, their repository's other imports are stood in for."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ams.data import files, registry
from ams.errors import DataUnavailable, UserError
from samplercheck.adapters import load
from samplercheck.convergence import converge, two_targets
from survey import by_file

HEUN = """
import click
import dnnlib
from torch_utils import distributed as dist
import torch

@click.command()
def main(): pass

def edm_sampler(net, latents, num_steps=18, power=7.0, S_churn=0):
    print("noise")
    i = torch.arange(num_steps)
    t = (80 ** (1 / power) + i / (num_steps - 1) * (0.002 ** (1 / power) - 80 ** (1 / power))) ** power
    t = torch.cat([t, torch.zeros(1)])
    x = latents * t[0]
    for n, (a, b) in enumerate(zip(t[:-1], t[1:])):
        d = (x - net(x, a)) / a
        y = x + (b - a) * d
        x = y if n == num_steps - 1 else x + (b - a) * (d + (y - net(y, b)) / b) / 2
    return x
"""


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Register the code above as EDM's, and yield its place in a mirror."""
    path = tmp_path / "code" / "edm.py"
    path.parent.mkdir()
    path.write_text(HEUN, encoding="utf-8")
    digest = hashlib.sha256(HEUN.encode()).hexdigest()
    file = registry.File("code/edm.py", digest, len(HEUN), "https://a.b/owner/name/0123456789abcdef/generate.py")
    entry = registry.Entry(title="", contents=digest, files=(file,), licence="", origin="", obtain="get it")
    monkeypatch.setattr(files, "ENTRIES", {"edm": entry})
    monkeypatch.setattr(registry, "CODE", {"edm": entry})
    monkeypatch.setenv("AMS_DATA", str(tmp_path))
    monkeypatch.setenv("AMS_OFFLINE", "1")
    monkeypatch.setenv("AMS_CACHE", str(tmp_path / "cache"))
    by_file.module.cache_clear()
    yield path
    by_file.module.cache_clear()


def test_a_registered_file_is_tested_as_it_is(registered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sampler = load("edm:edm_sampler", {"power": 5.0})
    assert sampler.version == "01234567" and sampler.order == 2 and sampler.data_std == 0.5
    order = converge(sampler, two_targets(sampler.data_std))[0].order
    assert order is not None and order.value == pytest.approx(2, abs=0.2)
    assert capsys.readouterr().out == "", "what the library prints is dropped"
    assert "click" not in sys.modules or hasattr(sys.modules["click"], "__version__"), "a stand-in was left behind"


def test_other_bytes_are_refused_and_absence_is_no_failure(registered: Path) -> None:
    registered.write_text(HEUN + "\n", encoding="utf-8")
    with pytest.raises(UserError, match="edm"):
        load("edm:edm_sampler")
    registered.unlink()
    with pytest.raises(DataUnavailable):
        load("edm:edm_sampler")


def test_unknown_samplers_are_told(registered: Path) -> None:
    with pytest.raises(UserError, match="unknown sampler of edm 'x'"):
        load("edm:x")
