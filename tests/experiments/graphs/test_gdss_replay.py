"""Replays of the authors' graph code, call by call; what a wrong part or a damaged file does to one.

The networks are the authors', whose files no repository may hold: without a mirror these tests are skipped.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ams_suite.__main__ import main
from experiments.graphs import checkpoints
from experiments.graphs.gdss_traces.replay import deviations, replay
from tests.ams.traces.test_trace_file import GOLDEN, Arrays, changed

TRACES = sorted((GOLDEN / "graphs").glob("*.npz"))
QUICK = GOLDEN / "graphs" / "gdss_network_qm9.npz"
ADAPTIVE = GOLDEN / "graphs" / "gdss_sampler_released_adaptive_reverse_n2.npz"
Capture = pytest.CaptureFixture[str]


def test_the_traces_are_there() -> None:
    assert {path.stem.split("_")[1] for path in TRACES} == {"network", "sampler"} and len(TRACES) == 6


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


def test_networks_that_cannot_be_had_are_one_line(monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setenv("AMS_OFFLINE", "1")
    monkeypatch.delenv("AMS_DATA", raising=False)
    monkeypatch.setenv("AMS_CACHE", str(tmp_path))
    checkpoints.networks.cache_clear()
    assert replay([QUICK]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "gdss-qm9" in line and "AMS_OFFLINE=1" in line
