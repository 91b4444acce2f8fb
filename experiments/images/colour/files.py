"""Which of the paper's networks and images are in a folder, and the settings that run them."""

import json
import os
import re
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

from ams.errors import UserError
from experiments.images.networks.ncsnpp_architectures import ARCHITECTURES
from experiments.images.networks.pretrained_cifar import score_sde
from verdicts.records.files import write_whole

CHECKPOINTS = "the folder of checkpoints that https://github.com/yang-song/score_sde_pytorch links to"


class Wanted(NamedTuple):
    """A network of score_sde, by the folder of its checkpoints: its correctors' snr, what judges it.

    `reference` is a registered set, or a file of images below `images` (uint8, n x side x side x 3).
    """

    folder: str
    snr: float
    reference: str


WANTED = {
    "cifar10_ncsnpp_continuous": Wanted("ve/cifar10_ncsnpp_continuous", 0.16, "cifar10-test"),
    "cifar10_ddpmpp_continuous": Wanted("vp/cifar10_ddpmpp_continuous", 0.16, "cifar10-test"),
    "celebahq_256_ncsnpp_continuous": Wanted("ve/celebahq_256_ncsnpp_continuous", 0.075, "celebahq_256.npy"),
    "church_ncsnpp_continuous": Wanted("ve/church_ncsnpp_continuous", 0.075, "church_256.npy"),
}
"""The networks of claims X1 to X4, with the snr of the authors' configurations."""


def paper_files(folder: Path | None, out: Path) -> int:
    """Print a line for each file of the paper's image experiments, found or missing; write settings for what is whole.

    `folder`: where they are looked for (None: AMS_DATA). Returns 0, or 1 where no network can be run. Raises UserError
    for a file that is not what its name says, and where `out` is there already.
    """
    if folder is None and not (folder := Path(os.environ.get("AMS_DATA", ""))).name:
        raise UserError("no folder: set AMS_DATA, or give --folder DIR")
    if out.exists():
        raise UserError(f"{out} is there already, and stays: remove it, or give --out FILE")
    tables = {name: table for name, wanted in WANTED.items() if (table := _table(folder, name, wanted))}
    if not tables:
        print("no network can be run: nothing was written")
        return 1
    write_whole(out, "\n".join(['profile = "paper"\ndevice = "cuda"\n', *tables.values()]))
    print(f"written: {out}\nnext: VERDICTS_CONFIG={out} bash reproduce.sh --profile paper --only colour")
    return 0


def _table(folder: Path, name: str, wanted: Wanted) -> str:
    """Return a network's settings, empty where a file is missing; say which. Raises UserError for another content."""
    place, side = folder / "score_sde" / wanted.folder, ARCHITECTURES[name].side
    checkpoint = max(place.glob("*.pth"), key=_steps, default=None)
    images = folder / "images" / wanted.reference if wanted.reference.endswith(".npy") else None
    _say(checkpoint, f"{place}/checkpoint_*.pth: of {CHECKPOINTS}, {wanted.folder}")
    if images:
        shape = f"uint8, n x {side} x {side} x 3"
        _say(images if images.is_file() else None, f"{images}: the set's images, {shape}")
    if checkpoint is None or (images and not images.is_file()):
        return ""
    digest = _sha256(checkpoint)
    score_sde(checkpoint, digest, side)
    settings = {"path": str(checkpoint), "sha256": digest, "side": side, "snr": wanted.snr}
    settings["reference"] = str(images or wanted.reference)
    if images:
        settings["reference_sha256"] = _sha256(images)
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    return "\n".join([f"[groups.colour.networks.{name}]", *lines, ""])


def _steps(path: Path) -> int:
    """Return the number in a checkpoint's name: of several the last one counts."""
    return int("".join(re.findall(r"\d+", path.stem)) or 0)


def _say(path: Path | None, missing: str) -> None:
    print(f"found    {path}, {path.stat().st_size / 2**20:.1f} MiB" if path else f"missing  {missing}", flush=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
