"""Replays follow the authors' code; a wrong step leaves the trace, and a damaged file ends in one line."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pytest import MonkeyPatch

import ams.samplers
from ams.samplers import affine_transitions, memoryless, rules, snr_of_last_momentum, snr_of_momentum, snr_of_score
from ams.schedules import VP
from ams.traces.replay import deviation, replay
from tests.ams.data.hostile import damaged
from tests.ams.traces.test_trace_file import GOLDEN, changed

TRACES = sorted(GOLDEN.glob("*.npz"))
QUICKEST = GOLDEN / "pc_vp_langevin.npz"


def test_the_traces_are_there() -> None:
    kinds = {path.stem.split("_")[0] for path in TRACES}
    assert kinds == {"ncsn", "pc"} and len(TRACES) == 9


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_a_replay_follows_the_authors_code(path: Path) -> None:
    assert deviation(path) <= 1e-12


def shifted_table(t: float, n: int) -> int:
    return min(int(t * (n - 1)) + 1, n - 1)


Break = Callable[[MonkeyPatch], None]
Capture = pytest.CaptureFixture[str]


def exchange(name: str, other: object) -> Break:
    """Put another part in the place of one that the replay builds its sampler from."""
    return lambda patch: patch.setattr(ams.samplers, name, other)


FALSIFIERS: dict[str, tuple[str, Break]] = {
    "annealed: clip of the corrector": ("ncsn_a", exchange("adaptive", lambda delta: rules.adaptive(0.5))),
    "annealed: ordinary first move": ("ncsn_b", exchange("momentum_rule", lambda d, **extra: rules.momentum_rule(d))),
    "annealed: no factor (1 + beta)^2": (
        "ncsn_a",
        exchange("momentum_rule", lambda d, **e: rules.momentum_rule(d, factor=rules.unit_factor, **e)),
    ),
    "annealed: constant momentum": ("ncsn_b", exchange("adaptive", lambda delta: rules.constant(0.9))),
    "annealed: a longer Langevin drift": ("ncsn_a", exchange("langevin", lambda: rules.langevin(factor=1.0001))),
    "corrector: norm of the updated momentum": ("pc_ve_ams", exchange("snr_of_last_momentum", snr_of_momentum)),
    "corrector: norm of the score": ("pc_vp_ams", exchange("snr_of_last_momentum", snr_of_score)),
    "corrector: norm of the last momentum": ("pc_ve_cld", exchange("snr_of_momentum", snr_of_last_momentum)),
    "corrector: a larger snr": ("pc_ve_langevin", exchange("snr_of_score", lambda snr: snr_of_score(1.0001 * snr))),
    "corrector: momentum lost": ("pc_ve_ams_n2", exchange("momentum", lambda rule: memoryless(rules.momentum(rule)))),
    "predictor: next entry of the table": (
        "pc_ve_langevin",
        lambda patch: patch.setattr(affine_transitions, "table_index", shifted_table),
    ),
    "corrector: next alpha": ("pc_vp_cld", lambda patch: patch.setattr("ams.schedules.table_index", shifted_table)),
    "corrector: alpha is the mean factor": ("pc_vp_ams", lambda patch: patch.setattr(VP, "alpha", mean_factor)),
}


def mean_factor(process: VP, index: int, n: int) -> float:
    return process.marginal(index / (n - 1))[0]


@pytest.mark.parametrize("fault", FALSIFIERS, ids=str)
def test_a_wrong_step_leaves_the_trace(fault: str, monkeypatch: MonkeyPatch, capsys: Capture) -> None:
    name, breaking = FALSIFIERS[fault]
    breaking(monkeypatch)
    assert replay([GOLDEN / f"{name}.npz"]) in (1, 2)
    out, err = capsys.readouterr()
    assert "ABOVE 1e-09" in out or "does not replay" in err


PERTURBED = {
    "ncsn_a": ["ald_traj", "ams_traj", "ald_denoised", "ams_denoised", "ams_beta_last_of_level"],
    "pc_vp_cld": ["after_corrector", "predictor_mean"],
    "pc_ve_ams_n2": ["after_predictor", "t"],
}


@pytest.mark.parametrize(("name", "array"), [(name, array) for name, arrays in PERTURBED.items() for array in arrays])
def test_a_perturbed_trace_is_above(name: str, array: str, tmp_path: Path, capsys: Capture) -> None:
    assert replay([changed(tmp_path, name, lambda z: z[array].__setitem__(-1, z[array][-1] + 1e-8))]) == 1
    assert "largest deviation 1.000e-08 (ABOVE 1e-09)" in capsys.readouterr().out


def test_a_perturbed_beta_is_above(tmp_path: Path) -> None:
    assert replay([changed(tmp_path, "pc_ve_ams", lambda z: z["beta"].__setitem__(7, z["beta"][7] + 1e-8))]) == 1


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


def compressed() -> bytes:
    """Return the quickest trace, deflated: damage reaches zlib too."""
    stream = io.BytesIO()
    with np.load(QUICKEST) as archive:
        np.savez_compressed(stream, **archive)
    return stream.getvalue()


def graceful(path: Path) -> bool:
    """Return whether a replay ends with a status and one line."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
        return replay([path]) in (0, 1, 2) and out.getvalue().count("\n") == 1


damage = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@damage
@given(content=damaged(QUICKEST.read_bytes(), compressed()))
def test_damage_never_gives_a_traceback(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "trace.npz"
    path.write_bytes(content)
    assert graceful(path)


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
