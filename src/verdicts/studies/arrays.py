"""NumPy arrays as arguments of a cell and as fields of its result: their bytes, exactly, within JSON."""

import base64
from typing import Annotated, Any

import numpy as np
from pydantic import PlainSerializer, PlainValidator

ENCODED = {"dtype", "shape", "base64"}
"""The names of an encoded array's parts."""


def encoded(array: np.ndarray) -> dict[str, Any]:
    """Return an array's type, shape and bytes (base 64) as JSON has them. Raises ValueError for Python objects."""
    if array.dtype.hasobject:
        raise ValueError(f"an array of type {array.dtype} holds Python objects, whose bytes say nothing")
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


def plain(value: Any) -> Any:
    """Return what JSON lacks in its terms: a NumPy number as Python's, an array `encoded`. Raises ValueError."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return encoded(value)
    raise ValueError(f"{value!r} is nothing that JSON can hold")


Array = Annotated[np.ndarray, PlainSerializer(encoded), PlainValidator(decoded)]
"""The annotation of a field that holds an array of numbers."""
