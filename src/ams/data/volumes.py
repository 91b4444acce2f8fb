"""Registered volumes of medical images, in NIfTI files, along canonical axes."""

from typing import Any

import numpy as np
from jaxtyping import Float

from ams.data.files import read
from ams.data.registry import VOLUMES
from ams.data.safe_read import guarded, inflated
from ams.errors import DataUnavailable, unknown


def volume(name: str) -> Float[np.ndarray, "x y z"]:
    """Return a registered volume, its voxels turned to the nearest canonical axes: left to right,
    back to front, up.

    Raises as `ams.data.fetch`, and DataUnavailable without nibabel, which reads the format.
    """
    if name not in VOLUMES:
        raise unknown("volume", name, VOLUMES)
    path, _, content = read(name)
    try:
        import nibabel
    except ImportError:
        raise DataUnavailable(
            f"{path} needs nibabel: pip install nibabel", "nibabel", "pip install nibabel"
        ) from None
    with guarded(str(path), "a NIfTI volume"):
        image = nibabel.Nifti1Image.from_bytes(inflated(content))
        upright: Any = nibabel.as_closest_canonical(image)  # type: ignore[no-untyped-call]
        return np.asarray(upright.get_fdata())
