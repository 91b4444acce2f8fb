"""NumPy arrays as fields of a cell's result: their bytes, exactly, within JSON."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import numpy as np
from pydantic import PlainSerializer, PlainValidator


def encoded(array: np.ndarray) -> dict[str, Any]:
    """Return an array's type, shape and bytes (base 64) as JSON has them."""
    whole = np.ascontiguousarray(array)
    return {"dtype": whole.dtype.str, "shape": array.shape, "base64": base64.b64encode(whole.tobytes()).decode()}


def decoded(content: Any) -> np.ndarray:
    """Return the array; one that is an array already stays. Raises ValueError for anything else."""
    if isinstance(content, np.ndarray):
        return content
    try:
        raw = base64.b64decode(content["base64"], validate=True)
        return np.frombuffer(raw, dtype=content["dtype"]).reshape(content["shape"]).copy()
    except (KeyError, TypeError) as error:
        raise ValueError(f"no array: {error}") from error


Array = Annotated[np.ndarray, PlainSerializer(encoded), PlainValidator(decoded)]
"""The annotation of a field that holds an array of numbers."""
