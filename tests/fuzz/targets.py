"""The parsers that take a file from outside, each as a function of bytes; small files that each
takes; and the corpus.

A parser may refuse its input by the errors that it documents; anything else is a defect. Where a
path is wanted the bytes are written to a file first. The corpus is what fuzzing has kept, as one
archive: for each parser its inputs.
"""

import gzip
import io
import json
import pickle
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import networkx as nx
import numpy as np
import torch
from safetensors.torch import save

from ams.data.arrays import load_array, load_arrays
from ams.data.checkpoints import load_weights
from ams.data.cifar_archive import _part
from ams.data.graphlists import load_graphs, unpickled_graphs
from ams.data.safe_read import guarded
from ams.errors import DataUnavailable, UserError
from experiments import weights
from experiments.images.networks.loading import parsed
from verdicts.claims.loading import ProfileConfig, load_json, load_toml
from verdicts.errors import UserError as VerdictsError
from verdicts.records.files import NotCurrent
from verdicts.records.record import Record
from verdicts.studies.store import CellFile

ARCHIVE = Path(__file__).with_name("corpus.tar.gz")
DOCUMENTED = (UserError, VerdictsError, DataUnavailable, NotCurrent)
"""What a parser may raise."""


def read_corpus(archive: Path = ARCHIVE) -> dict[str, list[bytes]]:
    """Return the inputs of each parser."""
    inputs: dict[str, list[bytes]] = {}
    with tarfile.open(archive) as members:
        for member in members:
            inputs.setdefault(member.name.partition("/")[0], []).append(
                members.extractfile(member).read()
            )
    return inputs


class Target(NamedTuple):
    """A parser of bytes, and files that it takes."""

    parse: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]


def of_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Return a function of bytes that reads a file of that name with these bytes."""

    def parse(content: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(content)
            return read(path)

    return parse


def of_array(array: np.ndarray) -> bytes:
    """Return an array as the bytes of a `.npy` file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def of_arrays(**arrays: np.ndarray) -> bytes:
    """Return arrays as the bytes of an `.npz` file."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def of_torch(value: object, zipped: bool = True) -> bytes:
    """Return a value as `torch.save` writes it, in its newer or its older format."""
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=zipped)
    return stream.getvalue()


def _cifar_part(content: bytes) -> object:
    with guarded("it", "CIFAR-10's part"):
        return _part(content)


_TENSORS = {"a": torch.zeros(2, 3), "b": torch.ones(1, dtype=torch.int64)}
_RECORD = {"schema_version": 1, "digest": "0" * 64, "claim": "A1", "verdict": "holds", "checks": []}


def _about_seeds() -> list[bytes]:
    header = {
        "training": json.dumps({"command": "ams train-images digits-score", "plan": {"steps": 1}})
    }
    return [save(_TENSORS, header), save(_TENSORS)]


TARGETS: dict[str, Target] = {
    "npy": Target(
        lambda content: load_array(content, "it"),
        lambda: [
            of_array(np.arange(6.0).reshape(2, 3)),
            of_array(np.array(["a", "bc"])),
            of_array(np.array(1, ">i2")),
        ],
    ),
    "npz": Target(
        lambda content: load_arrays(content, "it"),
        lambda: [of_arrays(x=np.zeros((2, 2), np.uint8), y=np.arange(2)), of_arrays()],
    ),
    "torch": Target(
        lambda content: load_weights(content, "it"),
        lambda: [of_torch(_TENSORS), of_torch(_TENSORS, zipped=False), of_torch([1, "a", 2.0])],
    ),
    "graphs_json": Target(
        lambda content: load_graphs(content, "it"),
        lambda: [gzip.compress(text) for text in (b"[[3, [[0, 1], [1, 2]]]]", b"[]", b"[[1, []]]")],
    ),
    "graphs_pickle": Target(
        lambda content: unpickled_graphs(content, "it"),
        lambda: [pickle.dumps([nx.path_graph(3)], 2), pickle.dumps([])],
    ),
    "cifar_part": Target(
        _cifar_part,
        lambda: [pickle.dumps({b"data": np.zeros((1, 3072), np.uint8), b"labels": [3]}, 2)],
    ),
    "safetensors": Target(lambda content: parsed(content, "it"), _about_seeds),
    "recipe": Target(of_file("it.safetensors", weights.about), _about_seeds),
    "config": Target(
        of_file("it.toml", lambda path: load_toml(path.parent, path.name, ProfileConfig)),
        lambda: [b'device = "cpu"\n[groups.adaptive]\nbatch = 3\n', b'extends = "cpu"\n'],
    ),
    "own_json": Target(
        of_file("it.json", lambda path: load_json(path.parent, path.name, ProfileConfig)),
        lambda: [b'{"device": "cpu"}'],
    ),
    "record": Target(of_file("A1.json", Record.read), lambda: [json.dumps(_RECORD).encode()]),
    "cell": Target(
        of_file("it.json", CellFile.read),
        lambda: [CellFile(function="f", arguments={"n": 1}, key="0", value=[1.0]).to_bytes()],
    ),
}
"""By name."""
