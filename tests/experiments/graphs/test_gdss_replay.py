"""Replays of the authors' graph code, call by call; what a wrong part or a damaged file does to one.

The networks are the authors', whose files no repository may hold: without a mirror these tests are skipped.
"""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ams.samplers import constant
from ams_suite.__main__ import main
from experiments.graphs import checkpoints, samplers, systems
from experiments.graphs.gdss_traces import replay as module
from experiments.graphs.gdss_traces.replay import deviations, replay
from experiments.graphs.systems import ve_system, vp_system
from tests.ams.traces.test_trace_file import GOLDEN, Arrays, changed

TRACES = sorted((GOLDEN / "graphs").glob("*.npz"))
QUICK = GOLDEN / "graphs" / "gdss_network_qm9.npz"
ADAPTIVE = GOLDEN / "graphs" / "gdss_sampler_released_adaptive_reverse_n2.npz"
Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem.removeprefix("gdss_"))
def test_a_replay_follows_the_authors_code(path: Path, authors_files: None) -> None:
    assert all(deviation.within for deviation in deviations(path))


def test_the_traces_are_there() -> None:
    assert {path.stem.split("_")[1] for path in TRACES} == {"network", "sampler"} and len(TRACES) == 6


Break = Callable[[pytest.MonkeyPatch], None]


def corrector(name: str, other: samplers.Corrector) -> Break:
    return lambda patch: patch.setitem(module.CORRECTORS, name, other)


def system(name: str, other: systems.System) -> Break:
    return lambda patch: patch.setitem(module.SYSTEMS, name, other)


def gauss_seidel(patch: pytest.MonkeyPatch) -> None:
    """The adjacency's score at the features as they are after the round's own steps."""
    jacobi = samplers.coupled

    def seidel(plan: samplers.CoupledProgram, features: samplers.Half, adjacency: samplers.Half):
        newest = [features.start]

        def noted(x, a, level):
            newest[0] = x
            return features.score(x, a, level)

        other = adjacency._replace(score=lambda a, x, level: adjacency.score(a, newest[0], level))
        return jacobi(plan, features._replace(score=noted), other)

    patch.setattr(samplers, "coupled", seidel)


ADAPTIVE_CASE, CONSTANT_CASE = "released_adaptive_reverse_n2", "released_constant_euler"
adaptive = module.CORRECTORS["released_adaptive"]
FALSIFIERS: dict[str, tuple[str, Break]] = {
    "momentum of the adjacency kept": (
        ADAPTIVE_CASE,
        corrector("released_adaptive", partial(samplers.momentum_in_both, samplers.ADAPTIVE)),
    ),
    "no momentum": (ADAPTIVE_CASE, corrector("released_adaptive", samplers.langevin)),
    "a larger snr": (ADAPTIVE_CASE, corrector("released_adaptive", lambda snr, eps: adaptive(1.001 * snr, eps))),
    "noise not scaled": (ADAPTIVE_CASE, corrector("released_adaptive", lambda snr, eps: adaptive(snr, 1.0))),
    "another beta": (
        CONSTANT_CASE,
        corrector("released_constant", partial(samplers.authors_momentum, constant(0.801))),
    ),
    "another rate": (CONSTANT_CASE, system("VP", vp_system(0.1, 1.001, float32=True))),
    "another sigma": ("s4", system("VE", ve_system(0.2, 1.001))),
    "the newest partner": (ADAPTIVE_CASE, gauss_seidel),
}


@pytest.mark.parametrize("broken", FALSIFIERS)
def test_a_wrong_part_is_seen(broken: str, authors_files: None, monkeypatch: pytest.MonkeyPatch) -> None:
    name, damage = FALSIFIERS[broken]
    damage(monkeypatch)
    assert not all(deviation.within for deviation in deviations(GOLDEN / "graphs" / f"gdss_sampler_{name}.npz"))


def test_the_exact_deviation_is_seen_in_the_result_alone(authors_files: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authors' float32 `sqrt(1 - exp(2 l))` at t = 1e-4 moves the result by a few thousandths, no state before."""
    path = GOLDEN / "graphs" / "gdss_sampler_released_constant_euler.npz"
    in_float32 = deviations(path)
    monkeypatch.setitem(module.SYSTEMS, "VP", vp_system(0.1, 1.0))
    exact = deviations(path)
    assert exact[0].value < 1e-5 and in_float32[1].value < 5e-4 < 1e-3 < exact[1].value


def test_deviations_above_the_tolerance_are_named(tmp_path: Path, authors_files: None, capsys: Capture) -> None:
    wrong = changed(tmp_path, f"graphs/{QUICK.stem}", lambda z: z["network_x"][1].__imul__(1 + 2e-5))
    assert replay([QUICK, wrong]) == 1
    right, other = capsys.readouterr().out.splitlines()
    assert "within" in right and "ABOVE" not in right and "features network 2.0e-05 (ABOVE 1e-05)" in other


def test_other_calls_are_an_infinite_deviation(tmp_path: Path, authors_files: None) -> None:
    path = changed(tmp_path, f"graphs/{ADAPTIVE.stem}", lambda z: z.update(call_network=z["call_network"][::-1]))
    assert math.isinf(deviations(path)[0].value)


MALFORMED: dict[str, tuple[Path, Callable[[Arrays], object], str]] = {
    "an array is missing": (QUICK, lambda z: z.pop("flags"), "no array flags"),
    "words for numbers": (QUICK, lambda z: z.update(x=np.array(["a"])), "does not replay"),
    "no call": (ADAPTIVE, lambda z: z.update(call_x=z["call_x"][:0]), "does not replay"),
    "not a number": (QUICK, lambda z: z["x"].flat.__setitem__(0, np.nan), "x has entries that are not finite"),
    "flags with a gap": (QUICK, lambda z: z["flags"].flat.__setitem__(0, 0), "flags must be 1"),
    "no triangle": (
        QUICK,
        lambda z: z.update(dict.fromkeys(("adj_upper", "network_adj_upper"), np.zeros((4, 35)))),
        "does not replay",
    ),
    "no snr": (ADAPTIVE, lambda z: z.update(snr=np.array(np.inf)), "snr has entries that are not finite"),
    "another process": (ADAPTIVE, lambda z: z.update(sde_x=np.array("OU")), "does not replay: 'OU'"),
    "a billion steps": (ADAPTIVE, lambda z: z.update(steps=np.array(10**9)), "2000000000 steps; at most 4096"),
    "large graphs": (QUICK, lambda z: z.update(flags=np.ones((4, 600), bool)), "1440000 pairs of nodes; at most"),
    "more steps": (ADAPTIVE, lambda z: z.update(steps=np.array(7)), "the recorded noise ended before the run did"),
    "too few draws": (ADAPTIVE, lambda z: z.update(noise_x=z["noise_x"][:9]), "the recorded noise ended"),
}


@pytest.mark.parametrize("malformed", MALFORMED)
def test_a_malformed_trace_is_one_line(malformed: str, tmp_path: Path, authors_files: None, capsys: Capture) -> None:
    source, change, message = MALFORMED[malformed]
    path = changed(tmp_path, f"graphs/{source.stem}", change)
    assert replay([path]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{path}: ") and message in line


def test_bad_names_and_files_are_one_line_each(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "gdss_network_qm9.npz").write_bytes(b"PK no zip")
    paths = ["gdss_network_qm9.npz", "gdss_network_qm10.npz", "gdss_sampler_s5.npz", "gdss_sampler_s4.npz"]
    assert main(["replay-graphs", *(str(tmp_path / name) for name in paths)]) == 2
    lines = capsys.readouterr().err.splitlines()
    parts = [
        "not a readable .npz file",
        "did you mean gdss-qm9",
        "not named as a golden trace",
        "cannot be read (No such",
    ]
    assert len(lines) == 4 and all(part in line for part, line in zip(parts, lines, strict=True))


def test_no_file_is_bad_usage(capsys: Capture) -> None:
    assert main(["replay-graphs"]) == 2
    assert capsys.readouterr().err == "replay-graphs: no file named; give golden traces of graphs (.npz)\n"


def test_networks_that_cannot_be_had_are_one_line(monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setenv("AMS_OFFLINE", "1")
    monkeypatch.delenv("AMS_DATA", raising=False)
    monkeypatch.setenv("AMS_CACHE", str(tmp_path))
    checkpoints.networks.cache_clear()
    assert replay([QUICK]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "gdss-qm9" in line and "AMS_OFFLINE=1" in line
