"""From balls to measurements that are proved: what a check's `enclosed` function returns."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from flint import ctx

from ams.enclosures import Ball, ends
from verdicts import Enclosure, Measurement


def proved(number: Ball, bits: int = 0, **detail: Any) -> Measurement:
    """Return a measurement that is enclosed by a ball. Raises as `ends`."""
    return proved_between(*ends(number), bits, **detail)


def proved_between(low: float, high: float, bits: int = 0, **detail: Any) -> Measurement:
    """Return a measurement that is proved, with the present precision or `bits`, to lie between two
    doubles.

    They are equal for a count.
    """
    value = min(max((low + high) / 2, low), high)
    return Measurement(
        value=value,
        low=low,
        high=high,
        enclosure=Enclosure(low=low, high=high, bits=bits or ctx.prec),
        detail=detail,
    )


def largest(numbers: Sequence[Ball], **detail: Any) -> Measurement:
    """Return the largest of some numbers, whichever it is, between the largest lower and upper
    end.
    """
    lows, highs = zip(*map(ends, numbers), strict=True)
    return proved_between(max(lows), max(highs), **detail)


def where_enclosed(function: Callable[..., Measurement]) -> Callable[..., Measurement | None]:
    """Return the function that proves nothing, None, where its settings have no `enclosed` that
    is true.
    """

    @wraps(function)
    def asked(settings: Any, *arguments: Any, **named: Any) -> Measurement | None:
        return function(settings, *arguments, **named) if settings.enclosed else None

    return asked
