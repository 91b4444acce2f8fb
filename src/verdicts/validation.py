"""Values that pydantic validates, and what it complains of, in one line: file, field, value,
expectation.
"""

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from verdicts.errors import UserError

SHOWN = 60


class Frozen(BaseModel):
    """A value: none of its fields can be set, none is taken that it does not have, no number is
    infinite or a NaN.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def _field(prefix: str, location: tuple[int | str, ...], content: object) -> str:
    """Return the field's dotted path; an entry of a list goes by its `id` where it has one."""
    path = prefix
    for step in location:
        try:
            content = content[step]  # type: ignore[index]
        except (TypeError, KeyError, IndexError):
            content = None
        name = content.get("id") if isinstance(step, int) and isinstance(content, dict) else None
        path += f"[{name if name is not None else step}]" if isinstance(step, int) else f".{step}"
    return path.strip(".") or "the whole file"


def _line_of(error: ErrorDetails, prefix: str, content: object) -> str:
    field = _field(prefix, error["loc"], content)
    if error["type"] == "missing":
        return f"{field} is missing"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"{field} = {_shortened(error['input'])}: no such field"
    if isinstance(error["input"], dict):
        return f"{field}: {message}"
    return f"{field} = {_shortened(error['input'])}: {message[:1].lower()}{message[1:]}"


def from_validation(
    error: ValidationError, where: str, content: object, prefix: str = ""
) -> UserError:
    """Turn a complaint about `content` into one line: file `where`, field (below `prefix`), value,
    expectation.

    The first error is spelled out, the rest are counted.
    """
    errors = error.errors(include_url=False)
    others = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return UserError(f"{where}: {_line_of(errors[0], prefix, content)}{others}")
