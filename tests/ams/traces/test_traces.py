"""Traces: what is none is refused in one line that names the file; a replay follows the authors'
code, or says so.
"""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st

from ams.errors import UserError
from ams.traces import load, replay

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
Arrays = dict[str, np.ndarray]


def changed(folder: Path, name: str, change: Callable[[Arrays], object]) -> Path:
    """Write a trace, under its own name, as `change` leaves its arrays."""
    with np.load(GOLDEN / f"{name}.npz") as archive:
        arrays = dict(archive)
    change(arrays)
    path = folder / f"{Path(name).name}.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.npz")), ids=lambda path: path.stem)
def test_a_trace_is_float64_with_its_target(path: Path) -> None:
    trace = load(path)
    assert {array.dtype for array in trace.arrays.values()} == {torch.float64}
    assert trace.target.shape == (trace.arrays["x0"][0].numel(),)
    assert trace.number("s0") > 0 and trace.integer("T" if "sigmas" in trace.arrays else "N") >= 3


def mixture_of(z: Arrays, size: int) -> None:
    z.update(weights=np.ones(size), means=np.zeros((size, 6)))


def run_of(z: Arrays, times: int) -> None:
    rows = dict.fromkeys(
        ("t", "beta", "after_corrector", "after_predictor", "predictor_mean"), times
    )
    rows["noise"] = times * (int(z["n_steps"]) + 1)
    z.update(
        {name: np.ones((count, *z[name].shape[1:]), np.int8) for name, count in rows.items()},
        N=np.array(times),
    )


FAULTS: dict[str, tuple[str, Callable[[Arrays], object], str]] = {
    "missing": ("ncsn_a", lambda z: z.pop("ams_traj"), "no array ams_traj"),
    "short": (
        "pc_ve_ams",
        lambda z: z.update(noise=z["noise"][:-1]),
        "array noise has 49 along D, where 50",
    ),
    "flat": (
        "pc_ve_ams",
        lambda z: z.update(means=z["means"].ravel()),
        "array means has the shape",
    ),
    "other sample": (
        "ncsn_a",
        lambda z: z.update(x0=z["x0"].reshape(8, 6)),
        "array ald_traj has (2, 3) along *",
    ),
    "no samples": ("ncsn_a", lambda z: z.update(x0=z["x0"][:0]), "array x0 has 0 along B"),
    "dimension": (
        "ncsn_a",
        lambda z: z.update(means=z["means"][:, :5]),
        "means have dimension 5, samples 6",
    ),
    "complex": ("ncsn_a", lambda z: z.update(T=np.complex128(5)), "array T has elements of type"),
    "nan": (
        "ncsn_a",
        lambda z: z["ald_noise"].__setitem__((3, 1, 0, 0), np.nan),
        "ald_noise has values that are not",
    ),
    "half a beta": (
        "pc_vp_ams",
        lambda z: z["beta"].__setitem__(3, np.nan),
        "beta has values that are not finite",
    ),
    "count": ("ncsn_a", lambda z: z.update(T=np.float64(5.5)), "T is 5.5, where a whole number"),
    "vector count": ("ncsn_a", lambda z: z.update(T=np.array([5, 5])), "array T has the shape"),
    "sigma": (
        "ncsn_a",
        lambda z: z["sigmas"].__setitem__(-1, 0.0),
        "array sigmas has values that are not positive",
    ),
    "weights": (
        "ncsn_a",
        lambda z: z["weights"].__setitem__(0, -1.0),
        "weights, means and s0 make no mixture",
    ),
    "terms": (
        "ncsn_a",
        lambda z: mixture_of(z, 10**5),
        "50 steps, each of a score with 4800000 terms",
    ),
    "steps": ("pc_ve_ams", lambda z: run_of(z, 40000), "80000 steps, each of"),
    "overflow": (
        "ncsn_a",
        lambda z: z.update(s0=np.float64(1e308)),
        "weights, means and s0 make no mixture",
    ),
}


def refusal(path: Path) -> str:
    """Return the one line with which a file is refused."""
    with pytest.raises(UserError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_named_in_one_line(fault: str, tmp_path: Path) -> None:
    name, change, reason = FAULTS[fault]
    assert reason in refusal(changed(tmp_path, name, change))


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    long, wrong = tmp_path / "long.npz", tmp_path / "wrong.npz"
    long.write_bytes(bytes(2**26 + 1))
    wrong.write_bytes(b"no archive at all")
    assert "more than the 64 MiB" in refusal(long)
    assert "not a readable .npz file" in refusal(wrong)
    for path in (tmp_path, tmp_path / "none.npz"):
        assert "cannot be read" in refusal(path)


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


@pytest.mark.parametrize(
    ("name", "array"), [(name, array) for name, arrays in PERTURBED.items() for array in arrays]
)
def test_a_perturbed_trace_is_above(name: str, array: str, tmp_path: Path, capsys: Capture) -> None:
    assert (
        replay([changed(tmp_path, name, lambda z: z[array].__setitem__(-1, z[array][-1] + 1e-8))])
        == 1
    )
    assert "largest deviation 1.000e-08 (ABOVE 1e-09)" in capsys.readouterr().out


REPLAY_FAULTS: dict[str, tuple[str, Callable[[dict[str, np.ndarray]], object], str]] = {
    "times": ("pc_vp_ams", lambda z: z.update(eps=np.float64(7.0)), "out of bounds"),
    "process": (
        "pc_vp_ams",
        lambda z: z["after_predictor"].__setitem__(0, 0.0),
        "fits neither VE 0.01-5 nor VP 0.1-20",
    ),
    "overflow": ("pc_vp_ams", lambda z: z.update(snr=np.float64(1e200)), ""),
    "not finite": (
        "ncsn_a",
        lambda z: z.update(eps=np.float64(1e150)),
        "state not finite after step",
    ),
}


@pytest.mark.parametrize("fault", REPLAY_FAULTS, ids=str)
def test_settings_that_do_not_replay_end_in_one_line(
    fault: str, tmp_path: Path, capsys: Capture
) -> None:
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


damage = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@damage
@given(
    name=st.sampled_from(
        ["eps", "snr", "s0", "N", "n_steps", "weights", "means", "t", "x0", "noise", "beta"]
    ),
    value=st.floats(width=64),
    everywhere=st.booleans(),
)
def test_wild_values_never_give_a_traceback(
    name: str, value: float, everywhere: bool, tmp_path: Path
) -> None:
    def change(z: dict[str, np.ndarray]) -> None:
        z[name] = np.full_like(z[name], value, dtype=float) if everywhere else z[name].astype(float)
        z[name].reshape(-1)[0] = value

    assert graceful(changed(tmp_path, "pc_vp_ams", change))
