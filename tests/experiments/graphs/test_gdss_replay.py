"""The released graph code, call by call: replays of its traces; what a wrong part or a damaged file does to one.

The networks are the authors', whose files no repository may hold: without a mirror these tests are skipped.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ams.errors import DataUnavailable
from experiments.graphs import samplers, systems
from experiments.graphs.__main__ import main
from experiments.graphs.gdss_traces import replay as module
from experiments.graphs.gdss_traces.replay import deviations, replay
from experiments.graphs.systems import ve_level, vp_level
from tests.ams.traces.test_trace_file import GOLDEN

TRACES = sorted((GOLDEN / "graphs").glob("*.npz"))
QUICK = GOLDEN / "graphs" / "gdss_network_qm9.npz"
ADAPTIVE = GOLDEN / "graphs" / "gdss_sampler_released_adaptive_reverse_n2.npz"


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMS_OFFLINE", "1")


@pytest.fixture
def mirrored() -> None:
    """Skip without the authors' files."""
    try:
        module.cached_networks("gdss-community_small", False), module.cached_networks("gdss-qm9", False)
    except DataUnavailable as absence:
        pytest.skip(str(absence))


def worst(path: Path) -> float:
    """Return the largest deviation over its tolerance."""
    return max(found.value / found.tolerance for found in deviations(path))


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem.removeprefix("gdss_"))
def test_a_replay_follows_the_released_code(path: Path, mirrored: None) -> None:
    assert all(found.within for found in deviations(path))


def test_the_traces_are_there() -> None:
    assert {path.stem.split("_")[1] for path in TRACES} == {"network", "sampler"} and len(TRACES) == 6


Break = Callable[[pytest.MonkeyPatch], None]


def corrector(name: str, other: Callable) -> Break:
    return lambda patch: patch.setitem(module.CORRECTORS, name, other)


def system(name: str, other: systems.System) -> Break:
    return lambda patch: patch.setitem(module.SYSTEMS, name, lambda: other)


def gauss_seidel(patch: pytest.MonkeyPatch) -> None:
    """The adjacency's score at the features as they are after the round's own moves."""
    jacobi = samplers.coupled

    def seidel(plan: samplers.Run, features: samplers.Half, adjacency: samplers.Half):
        newest = [features.start]

        def noted(x, a, level):
            newest[0] = x
            return features.score(x, a, level)

        other = adjacency._replace(score=lambda a, x, level: adjacency.score(a, newest[0], level))
        return jacobi(plan, features._replace(score=noted), other)

    patch.setattr(module, "coupled", seidel)


ADAPTIVE_CASE, CONSTANT_CASE = "released_adaptive_reverse_n2", "released_constant_euler"
FALSIFIERS: dict[str, tuple[str, Break]] = {
    "momentum of the adjacency kept": (
        ADAPTIVE_CASE,
        corrector("released_adaptive", samplers.described_adaptive),
    ),
    "no momentum": (ADAPTIVE_CASE, corrector("released_adaptive", samplers.langevin_corrector)),
    "a larger snr": (
        ADAPTIVE_CASE,
        corrector("released_adaptive", lambda snr, eps: samplers.released_adaptive(1.001 * snr, eps)),
    ),
    "noise not scaled": (
        ADAPTIVE_CASE,
        corrector("released_adaptive", lambda snr, eps: samplers.released_adaptive(snr, 1.0)),
    ),
    "another beta": (
        CONSTANT_CASE,
        corrector("released_constant", lambda snr, eps: samplers.released_constant(snr, eps, beta=0.801)),
    ),
    "another rate": (CONSTANT_CASE, system("VP", vp_level(0.1, 1.001, float32=True))),
    "another sigma": ("s4", system("VE", ve_level(0.2, 1.001))),
    "the newest partner": (ADAPTIVE_CASE, gauss_seidel),
}


@pytest.mark.parametrize("broken", FALSIFIERS)
def test_a_wrong_part_is_seen(broken: str, mirrored: None, monkeypatch: pytest.MonkeyPatch) -> None:
    name, damage = FALSIFIERS[broken]
    damage(monkeypatch)
    assert worst(GOLDEN / "graphs" / f"gdss_sampler_{name}.npz") > 1


def test_the_exact_deviation_is_seen_in_the_result_alone(mirrored: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The release's float32 `sqrt(1 - exp(2 l))` at t = 1e-4 moves the result by a few thousandths, no state before."""
    path = GOLDEN / "graphs" / "gdss_sampler_released_constant_euler.npz"
    as_released = deviations(path)
    monkeypatch.setitem(module.SYSTEMS, "VP", lambda: vp_level(0.1, 1.0))
    exact = deviations(path)
    assert exact[0].value < 1e-5 and as_released[1].value < 5e-4 < 1e-3 < exact[1].value


def changed(tmp_path: Path, source: Path, **arrays: np.ndarray | None) -> Path:
    """Return a copy of a trace with other arrays, or without them."""
    held = dict(np.load(source)) | arrays
    path = tmp_path / source.name
    np.savez_compressed(path, **{name: array for name, array in held.items() if array is not None})
    return path


def held(source: Path, name: str) -> np.ndarray:
    return np.load(source)[name].copy()


def test_deviations_above_the_tolerance_are_told(tmp_path: Path, mirrored: None) -> None:
    features = held(QUICK, "network_x")
    features[1] *= 1 + 2e-5
    told: list[str] = []
    wrong = changed(tmp_path, QUICK, network_x=features)
    assert replay([QUICK, wrong], told.append, told.append) == 1
    assert "within" in told[0] and "ABOVE" not in told[0] and "features network 2.0e-05 (ABOVE 1e-05)" in told[1]


def test_other_calls_are_an_infinite_deviation(tmp_path: Path, mirrored: None) -> None:
    path = changed(tmp_path, ADAPTIVE, call_network=held(ADAPTIVE, "call_network")[::-1])
    assert math.isinf(deviations(path)[0].value)


def spoiled(array: np.ndarray, value: float) -> np.ndarray:
    array.reshape(-1)[0] = value
    return array


MALFORMED: dict[str, tuple[Path, dict[str, Callable[[], np.ndarray | None]], str]] = {
    "an array is missing": (QUICK, {"flags": lambda: None}, "no array flags"),
    "words for numbers": (QUICK, {"x": lambda: np.array(["a"])}, "x is <U1 (1,), wanted (B N F)"),
    "one axis too few": (QUICK, {"x": lambda: held(QUICK, "x")[0]}, "wanted (B N F)"),
    "sizes that differ": (
        QUICK,
        {"network_x": lambda: held(QUICK, "x")[:2]},
        "network_x has 2 along B, where 4 is wanted",
    ),
    "no call": (ADAPTIVE, {"call_x": lambda: held(ADAPTIVE, "call_x")[:0]}, "call_x has 0 along C, where 1 is wanted"),
    "not a number": (QUICK, {"x": lambda: spoiled(held(QUICK, "x"), np.nan)}, "x has entries that are not finite"),
    "flags with a gap": (QUICK, {"flags": lambda: spoiled(held(QUICK, "flags"), 0)}, "flags must be 1"),
    "no triangle": (
        QUICK,
        {name: lambda: np.zeros((4, 35)) for name in ("adj_upper", "network_adj_upper")},
        "adj_upper has 35 entries, graphs of 9 nodes 36",
    ),
    "half a step": (ADAPTIVE, {"steps": lambda: np.array(2.5)}, "steps is 2.5, where a whole number"),
    "no snr": (ADAPTIVE, {"snr": lambda: np.array(0.0)}, "snr is 0, where a positive number"),
    "another process": (ADAPTIVE, {"sde_x": lambda: np.array("OU")}, "sde_x, sde_adj are OU, VE: expected of VP, VE"),
    "too few draws": (
        ADAPTIVE,
        {"noise_x": lambda: held(ADAPTIVE, "noise_x")[:9]},
        "noise_adj has 18 along D, where 9 is wanted",
    ),
}


@pytest.mark.parametrize("malformed", MALFORMED)
def test_a_malformed_trace_is_one_line(malformed: str, tmp_path: Path) -> None:
    source, arrays, told = MALFORMED[malformed]
    path = changed(tmp_path, source, **{name: make() for name, make in arrays.items()})
    lines: list[str] = []
    assert replay([path], lines.append, lines.append) == 2
    assert len(lines) == 1 and lines[0].startswith(f"{path}: ") and told in lines[0] and "\n" not in lines[0]


def test_a_trace_that_does_not_replay_is_one_line(tmp_path: Path, mirrored: None) -> None:
    path = changed(tmp_path, ADAPTIVE, steps=np.array(7))
    lines: list[str] = []
    assert replay([path], lines.append, lines.append) == 2
    assert lines == [f"{path}: the trace does not replay: the recorded noise ended before the run did"]


def test_bad_names_and_files_are_one_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gdss_network_qm9.npz").write_bytes(b"PK no zip")
    paths = ["gdss_network_qm9.npz", "gdss_network_qm10.npz", "gdss_sampler_s5.npz", "gdss_sampler_s4.npz"]
    assert main(["replay", *(str(tmp_path / name) for name in paths)]) == 2
    lines = capsys.readouterr().err.splitlines()
    told = ["not a readable .npz file", "did you mean gdss-qm9", "not named as a golden trace", "not readable (No such"]
    assert len(lines) == 4 and all(part in line for part, line in zip(told, lines, strict=True))


def test_no_file_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay"]) == 2
    assert capsys.readouterr().err == "replay: no file named; give golden traces of graphs (.npz)\n"


def test_networks_that_cannot_be_had_are_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AMS_DATA", raising=False)
    monkeypatch.setenv("AMS_CACHE", str(tmp_path))
    module.cached_networks.cache_clear()
    lines: list[str] = []
    assert replay([QUICK], lines.append, lines.append) == 2
    assert len(lines) == 1 and "gdss-qm9" in lines[0] and "AMS_OFFLINE=1" in lines[0]
