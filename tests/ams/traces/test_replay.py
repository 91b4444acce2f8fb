"""Replays follow the authors' code; a wrong step leaves the trace, and a damaged file ends in one line."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from ams.traces import replay
from tests.ams.traces.test_trace_file import GOLDEN, changed

TRACES = sorted(GOLDEN.glob("*.npz"))
QUICKEST = GOLDEN / "pc_vp_langevin.npz"


def test_the_traces_are_there() -> None:
    kinds = {path.stem.split("_")[0] for path in TRACES}
    assert kinds == {"ncsn", "pc"} and len(TRACES) == 9


Capture = pytest.CaptureFixture[str]


PERTURBED = {
    "ncsn_a": ["ald_traj", "ams_traj", "ald_denoised", "ams_denoised", "ams_beta_last_of_level"],
    "pc_vp_cld": ["after_corrector", "predictor_mean"],
    "pc_ve_ams": ["beta"],
    "pc_ve_ams_n2": ["after_predictor", "t"],
}


@pytest.mark.parametrize(("name", "array"), [(name, array) for name, arrays in PERTURBED.items() for array in arrays])
def test_a_perturbed_trace_is_above(name: str, array: str, tmp_path: Path, capsys: Capture) -> None:
    assert replay([changed(tmp_path, name, lambda z: z[array].__setitem__(-1, z[array][-1] + 1e-8))]) == 1
    assert "largest deviation 1.000e-08 (ABOVE 1e-09)" in capsys.readouterr().out


REPLAY_FAULTS: dict[str, tuple[str, Callable[[dict[str, np.ndarray]], object], str]] = {
    "times": ("pc_vp_ams", lambda z: z.update(eps=np.float64(7.0)), "out of bounds"),
    "process": (
        "pc_vp_ams",
        lambda z: z["after_predictor"].__setitem__(0, 0.0),
        "fits neither VE 0.01-5 nor VP 0.1-20",
    ),
    "overflow": ("pc_vp_ams", lambda z: z.update(snr=np.float64(1e200)), ""),
    "not finite": ("ncsn_a", lambda z: z.update(eps=np.float64(1e150)), "state not finite after step"),
}


@pytest.mark.parametrize("fault", REPLAY_FAULTS, ids=str)
def test_settings_that_do_not_replay_end_in_one_line(fault: str, tmp_path: Path, capsys: Capture) -> None:
    name, change, reason = REPLAY_FAULTS[fault]
    path = changed(tmp_path, name, change)
    assert replay([path]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{path}: the trace does not replay: ") and reason in line


def test_each_file_has_a_line(tmp_path: Path, capsys: Capture) -> None:
    wrong = changed(tmp_path, "pc_vp_langevin", lambda z: z["after_corrector"].__iadd__(1.0))
    assert replay([QUICKEST, wrong]) == 1
    assert replay([tmp_path / "none.npz", wrong, QUICKEST]) == 2
    out, err = capsys.readouterr()
    assert out.startswith(f"{QUICKEST}: largest deviation")
    assert [line.split(": ")[0] for line in out.splitlines()] == [
        str(path) for path in (QUICKEST, wrong, wrong, QUICKEST)
    ]
    assert err.count("\n") == 1 and "cannot be read" in err


def test_no_file_is_bad_usage(capsys: Capture) -> None:
    assert replay([]) == 2
    assert capsys.readouterr() == ("", "replay: no file given; give traces (.npz)\n")


def graceful(path: Path) -> bool:
    """Return whether a replay ends with a status and one line."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
        return replay([path]) in (0, 1, 2) and out.getvalue().count("\n") == 1


damage = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@damage
@given(
    name=st.sampled_from(["eps", "snr", "s0", "N", "n_steps", "weights", "means", "t", "x0", "noise", "beta"]),
    value=st.floats(width=64),
    everywhere=st.booleans(),
)
def test_wild_values_never_give_a_traceback(name: str, value: float, everywhere: bool, tmp_path: Path) -> None:
    def change(z: dict[str, np.ndarray]) -> None:
        z[name] = np.full_like(z[name], value, dtype=float) if everywhere else z[name].astype(float)
        z[name].reshape(-1)[0] = value

    assert graceful(changed(tmp_path, "pc_vp_ams", change))
