"""The end of a run, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable

from ams.samplers import Info, State


def ended(states: Iterable[tuple[State, Info]], start: State) -> tuple[State, int]:
    """Return the last state of a run (`start` where it has none) and its score evaluations."""
    state, evaluations = start, 0
    for after, info in states:
        state, evaluations = after, evaluations + info.evaluations
    return state, evaluations
