"""Reading traces: what is no trace is refused in one line that names the file, whatever is wrong with it."""

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ams.traces.trace_file import MalformedTrace, load

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
Arrays = dict[str, np.ndarray]


def changed(folder: Path, name: str, change: Callable[[Arrays], object]) -> Path:
    """Write a trace as `change` leaves its arrays."""
    with np.load(GOLDEN / f"{name}.npz") as archive:
        arrays = dict(archive)
    change(arrays)
    np.savez(folder / "trace.npz", **arrays)
    return folder / "trace.npz"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.npz")), ids=lambda path: path.stem)
def test_a_trace_is_float64_with_its_target(path: Path) -> None:
    trace = load(path)
    assert {array.dtype for array in trace.arrays.values()} == {torch.float64}
    assert trace.target.shape == (trace.arrays["x0"][0].numel(),)
    assert trace.number("s0") > 0 and trace.integer("T" if "sigmas" in trace.arrays else "N") >= 3


FAULTS: dict[str, tuple[str, Callable[[Arrays], object], str]] = {
    "missing": ("ncsn_a", lambda z: z.pop("ams_traj"), "no array ams_traj"),
    "graph-like": ("ncsn_a", lambda z: [z.pop(k) for k in ("sigmas", "T", "means")], "not an image sampler's"),
    "transposed": ("ncsn_a", lambda z: z.update(means=z["means"].T), "array means has 6 along K"),
    "short": ("pc_ve_ams", lambda z: z.update(noise=z["noise"][:-1]), "array noise has 49 along D, where 50"),
    "flat": ("pc_ve_ams", lambda z: z.update(means=z["means"].ravel()), "array means has the wrong shape"),
    "rank 0": ("pc_ve_ams", lambda z: z.update(noise=np.float64(1.0)), "array noise has the wrong shape"),
    "other sample": ("ncsn_a", lambda z: z.update(x0=z["x0"].reshape(8, 6)), "array ald_traj has (2, 3) along *"),
    "other batch": ("ncsn_a", lambda z: z.update(x0=z["x0"][:4]), "along B, where 4 is wanted"),
    "no samples": ("ncsn_a", lambda z: z.update(x0=z["x0"][:0]), "array x0 has 0 along B"),
    "dimension": ("ncsn_a", lambda z: z.update(means=z["means"][:, :5]), "means have dimension 5, samples 6"),
    "text": ("ncsn_a", lambda z: z.update(x0=z["x0"].astype(str)), "array x0 has the wrong type"),
    "complex": ("ncsn_a", lambda z: z.update(T=np.complex128(5)), "array T has the wrong type"),
    "pickled": ("ncsn_a", lambda z: z.update(x0=np.array([{}], dtype=object)), "Object arrays cannot be loaded"),
    "nan": (
        "ncsn_a",
        lambda z: z["ald_noise"].__setitem__((3, 1, 0, 0), np.nan),
        "array ald_noise has the wrong values",
    ),
    "infinite": ("pc_vp_ams", lambda z: z["t"].__setitem__(3, np.inf), "array t has the wrong values"),
    "half a beta": ("pc_vp_ams", lambda z: z["beta"].__setitem__(3, np.nan), "array beta has the wrong values"),
    "count": ("ncsn_a", lambda z: z.update(T=np.float64(5.5)), "T is 5.5, where a whole number"),
    "no steps": ("ncsn_a", lambda z: z.update(T=np.int64(0)), "array T has the wrong values: some are not positive"),
    "vector count": ("ncsn_a", lambda z: z.update(T=np.array([5, 5])), "array T has the wrong shape"),
    "sigma": ("ncsn_a", lambda z: z["sigmas"].__setitem__(-1, 0.0), "array sigmas has the wrong values"),
    "weights": ("ncsn_a", lambda z: z["weights"].__setitem__(0, -1.0), "weights, means and s0 make no mixture"),
    "overflow": ("ncsn_a", lambda z: z.update(s0=np.float64(1e308)), "weights, means and s0 make no mixture"),
}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_named_in_one_line(fault: str, tmp_path: Path) -> None:
    name, change, told = FAULTS[fault]
    path = changed(tmp_path, name, change)
    with pytest.raises(MalformedTrace) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and told in message and "\n" not in message


def not_zip(path: Path) -> None:
    path.write_bytes(b"no archive at all")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def a_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"sigmas": [1.0]}))


def one_array(path: Path) -> None:
    with path.open("wb") as stream:
        np.save(stream, np.ones(3))


def a_folder(path: Path) -> None:
    path.mkdir()


def nothing(path: Path) -> None:
    assert not path.exists()


def not_arrays(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sigmas", "text")


def an_empty_archive(path: Path) -> None:
    zipfile.ZipFile(path, "w").close()


def a_bomb(path: Path) -> None:
    """Write 65 MiB of zeros in 65 kB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sigmas.npy", bytes(65 * 2**20))


def too_long(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(2**26 + 1)


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (too_long, "a file of more than 64 MiB"),
        (not_zip, "not a readable .npz file"),
        (empty, "not a readable .npz file"),
        (a_pickle, "not a readable .npz file"),
        (one_array, "not a readable .npz file"),
        (a_folder, "not a readable .npz file"),
        (nothing, "no such file"),
        (not_arrays, "no array"),
        (an_empty_archive, "no array"),
        (a_bomb, "holds 65 MiB"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_no_archive_is_refused_in_one_line(write: Callable[[Path], None], told: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.npz"
    write(path)
    with pytest.raises(MalformedTrace) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and told in message and "\n" not in message
