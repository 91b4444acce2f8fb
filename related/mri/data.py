"""Slices of real brains: T1 volumes of 23 subjects, made alike, and split by subject.

A volume is turned to the nearest canonical axes (left to right, back to front, foot to head),
divided by the 99.5th percentile of its voxels above a tenth of its 99.9th, and zero-padded or cut
in its plane to 128 x 128 voxels of 2 mm about the middle of the head. Axial slices from 10 mm to
128 mm below the vertex are kept, each averaged over 2 x 2 voxels: 64 x 64 pixels of 4 mm. The
vertex is the highest slice of which a twentieth is brighter than a tenth of the scale.

Volumes: the demonstration data of NiChart (CBICA, University of Pennsylvania), magnitude images at
2 mm.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy import ndimage
from torch import Tensor

from ams.data import volume

SIDE = 64
"""Pixels of a slice's side, of 4 mm."""
FIRST, COUNT = 5, 60
"""The first slice below the vertex, and how many are kept: 2 mm each."""
SUBJECTS = tuple(range(1, 24))


class Split(NamedTuple):
    """Subjects to learn from, to choose settings on, and to test on."""

    train: tuple[int, ...]
    develop: tuple[int, ...]
    test: tuple[int, ...]


def split() -> Split:
    """Return the subjects in three parts, 15, 3 and 5, by a fixed permutation."""
    order = [int(number) for number in np.random.default_rng(23).permutation(SUBJECTS)]
    return Split(*(tuple(sorted(part)) for part in (order[:15], order[15:18], order[18:])))


@cache
def slices(subject: int) -> Float[Tensor, "60 64 64"]:
    """Return a subject's slices, from the vertex down. Raises DataUnavailable where the volume
    cannot be had.
    """
    return torch.from_numpy(prepared(volume(f"nichart-t1-{subject:02d}")))


def prepared(voxels: Float[np.ndarray, "x y z"]) -> Float[np.ndarray, "60 64 64"]:
    """Return the slices of a volume in canonical axes, float32; rows from front to back."""
    bright = voxels[voxels > np.percentile(voxels, 99.9) / 10]
    scaled = voxels / np.percentile(bright, 99.5)
    head = scaled > 0.1
    vertex = int(np.flatnonzero(head.mean((0, 1)) > 0.05)[-1])
    kept = slice(vertex - FIRST - COUNT + 1, vertex - FIRST + 1)
    plane = scaled[:, :, kept]
    for axis in (0, 1):
        plane = _centred(plane, axis, _middle(head[:, :, kept], axis))
    blocks = plane.reshape(SIDE, 2, SIDE, 2, COUNT).mean((1, 3))
    return np.ascontiguousarray(blocks.transpose(2, 1, 0)[::-1, ::-1]).astype(np.float32)


def _middle(head: Bool[np.ndarray, "x y z"], axis: int) -> int:
    """Return the middle of what the head occupies along an axis of the plane."""
    inside = np.flatnonzero(head.mean(tuple({0, 1, 2} - {axis})) > 0.01)
    return int(inside[0] + inside[-1] + 1) // 2


def _centred(voxels: np.ndarray, axis: int, middle: int) -> np.ndarray:
    """Return 2 `SIDE` voxels about the middle, with zeros beyond the volume."""
    wide = [(0, 0)] * 3
    wide[axis] = (SIDE, SIDE)
    return np.take(np.pad(voxels, wide), range(middle, middle + 2 * SIDE), axis)


def head_mask(x: Float[Tensor, "n 64 64"]) -> Bool[Tensor, "n 64 64"]:
    """Return the head of each slice: pixels above a twentieth of the scale, smoothed, and what
    they enclose.
    """
    masks = [
        ndimage.binary_fill_holes(ndimage.binary_closing(image > 0.05, iterations=2))
        for image in x.numpy()
    ]
    return torch.from_numpy(np.stack(masks))
