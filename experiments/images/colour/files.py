"""Which of the paper's networks and images are in a folder, and the settings that run them at
the published size.
"""

import io
import json
import os
import re
import time
from hashlib import file_digest
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from ams.data import images
from ams.errors import DataUnavailable, UserError
from ams.schedules import Level
from experiments.images.colour.settings import Network, Settings
from experiments.images.colour.study import device, network_problem
from experiments.images.networks.loading import optional
from experiments.images.networks.pretrained_cifar import CONFIG, WEIGHTS
from verdicts.records.files import write_whole

SCORE_SDE = "the folder of checkpoints that https://github.com/yang-song/score_sde_pytorch links to"
NCSN, NCSNV2 = (
    f"the checkpoints that https://github.com/ermongroup/{name} links to"
    for name in ("ncsn", "ncsnv2")
)
STEPS = 20
"""Evaluations that are timed."""
LARGEST_SET = 2**31
"""Bytes of a set of images that is made here."""


class Pictures(NamedTuple):
    """How a published set was prepared: `crop` pixels of the middle, or all, then `side` pixels
    of the shorter side.
    """

    side: int
    crop: int | None = None


class Wanted(NamedTuple):
    """A network by the folder of its checkpoints: where they are from, what judges it, and its
    configuration.

    In diffusers' format it is the folder `diffusers/NAME`, by its name in `WANTED`. `reference` is
    a set of `PICTURES`, or CIFAR-10; `runs` are settings of `Network`.
    """

    folder: str
    origin: str
    reference: str
    runs: dict[str, Any]


PICTURES = {
    "celeba_64": Pictures(64, 140),
    "celebahq_256": Pictures(256),
    "church_256": Pictures(256),
}
"""Sets of images: `images/NAME.npy` (uint8, n x side x side x 3), or a folder `images/NAME` of
pictures, or with the `data.mdb` in which LSUN is published.
"""
_PC = {
    "samplers": ["reverse diffusion", "ancestral", "PC, Langevin", "PC, constant", "PC, adaptive"]
}
_ANNEALED = {"samplers": ["annealed Langevin", "constant momentum", "adaptive momentum"]}
_SMALL = {**_PC, "budgets": [50, 100, 200, 500, 2000], "images": 50_000, "batch": 256, "snr": 0.16}
_WIDE = {**_PC, "budgets": [50, 100, 200, 500, 4000], "images": 10_000, "batch": 32, "snr": 0.075}
_CELEBA = {**_SMALL, "snr": 0.17}
_NCSN = {
    **_ANNEALED,
    "budgets": [50, 100, 200, 500, 1000],
    "images": 50_000,
    "batch": 256,
    "levels": 10,
    "step": 2e-5,
}
_NCSNV2 = {**_ANNEALED, "budgets": [50, 100, 200, 500, 1160], "images": 50_000, "batch": 256}
_STEPS, _LEVELS = {"trained": "VP steps"}, {"trained": "VE levels"}
WANTED = {
    "cifar10_ncsnpp_continuous": Wanted(
        "ve/cifar10_ncsnpp_continuous", SCORE_SDE, "cifar10", _SMALL | {"largest": 50.0}
    ),
    "cifar10_ncsnpp": Wanted("ve/cifar10_ncsnpp", SCORE_SDE, "cifar10", _SMALL | _LEVELS),
    "cifar10_ddpmpp_continuous": Wanted(
        "vp/cifar10_ddpmpp_continuous", SCORE_SDE, "cifar10", _SMALL
    ),
    "cifar10_ddpmpp": Wanted("vp/cifar10_ddpmpp", SCORE_SDE, "cifar10", _SMALL | _STEPS),
    "cifar10_ddpm": Wanted("vp/cifar10_ddpm", SCORE_SDE, "cifar10", _SMALL | _STEPS),
    "celeba_ncsnpp": Wanted("ve/celeba_ncsnpp", SCORE_SDE, "celeba_64", _CELEBA | _LEVELS),
    "celebahq_256_ncsnpp_continuous": Wanted(
        "ve/celebahq_256_ncsnpp_continuous", SCORE_SDE, "celebahq_256", _WIDE | {"largest": 348.0}
    ),
    "church_ncsnpp_continuous": Wanted(
        "ve/church_ncsnpp_continuous", SCORE_SDE, "church_256", _WIDE | {"largest": 380.0}
    ),
    "cifar10_ncsn": Wanted("ncsn/cifar10", NCSN, "cifar10", _NCSN),
    "cifar10_ncsnv2": Wanted("ncsnv2/cifar10", NCSNV2, "cifar10", _NCSNV2),
    "celeba_ncsnv2": Wanted(
        "ncsnv2/celeba", NCSNV2, "celeba_64", _NCSNV2 | {"budgets": [50, 100, 200, 500, 2500]}
    ),
}
"""The networks of the paper's experiments, with snr, levels and steps of the authors'
configurations.
"""


def paper_files(folder: Path | None, out: Path) -> int:
    """Print a line for each file of the paper's image experiments, found or missing; write settings
    for what is whole.

    `folder`: where they are looked for (None: AMS_DATA). A folder of pictures becomes a set, beside
    `out`. Returns 0, or 1 where no network can be run. Raises UserError for a file that is not what
    its name says, and where `out` is there already.
    """
    if folder is None and not (folder := Path(os.environ.get("AMS_DATA", ""))).name:
        raise UserError("no folder: set AMS_DATA, or give --folder DIR")
    if out.exists():
        raise UserError(f"{out} is there already, and stays: remove it, or give --out FILE")
    sets = {
        name: _set(folder / "images" / name, out.parent, *size) for name, size in PICTURES.items()
    }
    tables = {
        name: table
        for name, wanted in WANTED.items()
        if (table := _table(folder, name, wanted, sets))
    }
    if not tables:
        print("no network can be run: nothing was written")
        return 1
    write_whole(out, "\n".join([f'profile = "paper"\ndevice = "{device()}"\n', *tables.values()]))
    print(
        f"written: {out}\nnext: VERDICTS_CONFIG={out} bash reproduce.sh "
        "--profile paper --only colour"
    )
    return 0


def _set(place: Path, made: Path, side: int, crop: int | None) -> Path | None:
    """Return the file of a set of images, made of a folder's pictures where there is none; say
    which.
    """
    most = min(50_000, LARGEST_SET // (3 * side * side))
    paths = sorted(
        path for kind in ("jpg", "jpeg", "png", "webp") for path in place.glob(f"**/*.{kind}")
    )
    for file in (place.with_suffix(".npy"), made / f"{place.name}.npy"):
        if file.is_file():
            return _said(file, "")
    pictures = paths[:most] or _in_database(place, most)
    if not pictures:
        return _said(
            None,
            (
                f"{place}.npy: uint8, n x {side} x {side} x 3; or a folder {place} "
                "of pictures, or of LSUN"
            ),
        )
    stream = io.BytesIO()
    np.save(stream, np.stack([prepared(one, side, crop) for one in pictures]))
    write_whole(file, stream.getvalue())
    return _said(file, "")


def _in_database(place: Path, most: int) -> list[io.BytesIO]:
    """Return the first pictures of a folder with an LMDB database, none where it has none.

    Raises DataUnavailable where no lmdb is installed, UserError for another file.
    """
    if not (place / "data.mdb").is_file():
        return []
    lmdb = optional("lmdb", "lmdb is not installed: pip install lmdb")
    try:
        with (
            lmdb.open(str(place), readonly=True, lock=False) as database,
            database.begin() as transaction,
        ):
            return [io.BytesIO(content) for _, content in islice(transaction.cursor(), most)]
    except lmdb.Error as error:
        raise UserError(f"{place}: no database that can be read: {error}") from None


def prepared(source: Path | io.BytesIO, side: int, crop: int | None) -> np.ndarray:
    """Return a picture as its set was published: uint8, side x side x 3. Raises UserError."""
    from PIL import Image

    try:
        with Image.open(source) as picture:
            width = crop or min(picture.size)
            left, top = ((extent - width) // 2 for extent in picture.size)
            middle = picture.convert("RGB").crop((left, top, left + width, top + width))
    except (OSError, Image.DecompressionBombError) as error:
        where = source if isinstance(source, Path) else "in data.mdb"
        raise UserError(f"{where}: no picture that can be read: {error}") from None
    return np.asarray(middle.resize((side, side), Image.Resampling.BILINEAR))


def _table(folder: Path, name: str, wanted: Wanted, sets: dict[str, Path | None]) -> str:
    """Return a network's settings, empty where a file is missing; say which. Raises UserError
    for another content.
    """
    place = folder / ("" if wanted.origin != SCORE_SDE else "score_sde") / wanted.folder
    unet = next(
        (
            one
            for one in folder.glob(f"diffusers/{name}/**/{WEIGHTS}")
            if one.with_name(CONFIG).is_file()
        ),
        None,
    )
    also = f"; or {folder / 'diffusers' / name}, a folder in diffusers' format"
    checkpoint = max(place.glob("*.pth"), key=_steps, default=unet)
    _said(
        checkpoint, f"{place}/*.pth: of {wanted.origin}{also if wanted.origin == SCORE_SDE else ''}"
    )
    file = sets.get(wanted.reference)
    if checkpoint is None or (wanted.reference in sets and file is None):
        return ""
    side = PICTURES[wanted.reference].side if file else 32
    settings = {"path": str(checkpoint), "sha256": _sha256(checkpoint), "side": side, **wanted.runs}
    settings |= (
        {"reference": str(file), "reference_sha256": _sha256(file)}
        if file
        else {"reference": _cifar10()}
    )
    if checkpoint == unet:
        settings |= {"path": str(unet.parent), "config_sha256": _sha256(unet.with_name(CONFIG))}
    _forecast(name, Network.model_validate(settings))
    return "\n".join(
        [
            f"[groups.colour.networks.{name}]",
            *(f"{key} = {json.dumps(value)}" for key, value in settings.items()),
            "",
        ]
    )


def _forecast(name: str, network: Network) -> None:
    """Load a network and say how long its runs take on this device, by a few evaluations. Raises
    UserError.
    """
    asked, problem = Settings(networks={name: network}).of(name), network_problem(network)
    size = asked.batch if device() == "cuda" else 4
    x, level = torch.zeros(size, *problem.shape), Level(0, sigma=problem.sigmas.first)
    problem.score(x, level)
    start = time.perf_counter()
    for _ in range(STEPS):
        problem.score(x, level)
    each = (time.perf_counter() - start) / STEPS / size
    whole = asked.batches * asked.batch * sum(asked.budgets) * len(asked.samplers)
    print(
        f"hours    {name}: {each * whole / 3600:.3g} on one {device()}, {each:.2g} s an evaluation",
        flush=True,
    )


def _cifar10() -> str:
    """Return what CIFAR-10's networks are judged by: the published reference, or the other set
    where it is not here.
    """
    try:
        images("cifar10-train")
    except DataUnavailable:
        return "cifar10-test"
    return "cifar10-train"


def _steps(path: Path) -> int:
    """Return the number in a checkpoint's name: of several the last one counts."""
    return int("".join(re.findall(r"\d+", path.stem)) or 0)


def _said(path: Path | None, missing: str) -> Path | None:
    print(
        f"found    {path}, {path.stat().st_size / 2**20:.1f} MiB"
        if path
        else f"missing  {missing}",
        flush=True,
    )
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
