"""The strict way in: a file of networks is read whole, and any other is refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ams.errors import UserError
from experiments.graphs import trained as module
from experiments.graphs.graph_layout import Layout
from experiments.graphs.train_config import Recipe
from experiments.graphs.trained import Origin, networks_in, read_trained
from experiments.weights import write
from verdicts.records.files import sha256_of

ORIGIN = Origin.of(Recipe(width=4, layers=2, convolutions=1), "the graphs' sha256")
Tensors = dict[str, Tensor]


def made() -> Tensors:
    torch.manual_seed(1)
    return dict(ORIGIN.modules().state_dict())


def test_what_was_written_is_read(tmp_path: Path) -> None:
    torch.manual_seed(1)
    modules = ORIGIN.modules()
    sha256 = write(tmp_path / "n.safetensors", modules.state_dict(), {"origin": ORIGIN.model_dump()})
    both, origin = read_trained(tmp_path / "n.safetensors", sha256)
    assert origin == ORIGIN
    layout = Layout.of([4, 3])
    x, a = torch.randn(7, 10), torch.randn(9)
    for one, other in zip(both, networks_in(modules), strict=True):
        assert torch.equal(one(x, a, layout), other(x, a, layout))
        assert not any(parameter.requires_grad for parameter in one.parameters())


def gone(tensors: Tensors) -> None:
    del tensors["adjacency.final.layers.0.bias"], tensors["features.layers.0.weight"]


def infinite(tensors: Tensors) -> None:
    tensors["features.layers.0.bias"] = tensors["features.layers.0.bias"].clone()
    tensors["features.layers.0.bias"][0, 0, 1] = torch.inf


CHANGES: dict[str, tuple[Callable[[Tensors], object], str]] = {
    "missing": (gone, r"missing tensors adjacency.final.layers.0.bias, features.layers.0.weight \(2 in all\)"),
    "left over": (lambda held: held.update(more=torch.zeros(2)), r"unknown tensors more \(1 in all\)"),
    "shape": (
        lambda held: held.update({"features.final.layers.2.bias": torch.zeros(9)}),
        r"features.final.layers.2.bias is float32 \(9,\), expected float32 \(10,\)",
    ),
    "type": (
        lambda held: held.update({"features.final.layers.2.bias": torch.zeros(10).double()}),
        r"features.final.layers.2.bias is float64 \(10,\), expected float32 \(10,\)",
    ),
    "infinite": (infinite, "features.layers.0.bias is not finite"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_other_tensors_are_refused_in_one_line(change: str, tmp_path: Path) -> None:
    tensors, path = made(), tmp_path / "n.safetensors"
    alter, told = CHANGES[change]
    alter(tensors)
    write(path, tensors, {"origin": ORIGIN.model_dump()})
    with pytest.raises(UserError, match=f"n.safetensors: {told}") as refusal:
        read_trained(path)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        (None, "origin"),
        ({**ORIGIN.model_dump(), "more": 1}, "origin.more = 1: no such field"),
        ({**ORIGIN.model_dump(), "recipe": {"width": 6}}, "origin.recipe.width = 6"),
        ({name: value for name, value in ORIGIN.model_dump().items() if name != "data"}, "origin.data is missing"),
    ],
)
def test_an_origin_that_is_none_is_refused(origin: object, told: str, tmp_path: Path) -> None:
    write(tmp_path / "n.safetensors", made(), {"origin": origin})
    with pytest.raises(UserError, match=told):
        read_trained(tmp_path / "n.safetensors")


def test_damage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "n.safetensors"
    sha256 = write(path, made(), {"origin": ORIGIN.model_dump()})
    content = path.read_bytes()
    last = content[:-1] + bytes([content[-1] ^ 1])
    for damaged, told in (
        (b"", "not a safetensors file"),
        (content[:100], "not a safetensors file"),
        (content + b"more", "not a safetensors file"),
        (bytes(module.LARGEST + 1), "more than the 2 MiB"),
        (last, "not those that it states the digest of"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=rf"n\.safetensors: .*{told}"):
            read_trained(path)
        with pytest.raises(UserError, match=f"more than|expected {sha256}"):
            read_trained(path, sha256)
    path.unlink()
    with pytest.raises(UserError, match="cannot be read"):
        read_trained(path)
    assert sha256_of(content) == sha256


def test_a_file_of_no_origin_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file(made(), tmp_path / "n.safetensors")
    with pytest.raises(UserError, match="says how it was made"):
        read_trained(tmp_path / "n.safetensors")
