"""What a cell of the image table says: measured, scaled, or not run, and the hours that would fill it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from experiments.exhibits.configurations import Configuration, StandIn
from experiments.exhibits.coverage import settings_in
from verdicts.claims.schema import Claims, Profile

SIZES = (Profile.CPU, Profile.FULL)
"""The profiles that need no accelerator."""


class Runs(NamedTuple):
    """Which samplers run at which numbers of evaluations: `measured` on the configuration's own network, by the table
    that has them; `scaled` in each group that stands for it."""

    measured: Mapping[str, frozenset[tuple[str, int]]]
    scaled: Mapping[str, frozenset[tuple[str, int]]]

    @classmethod
    def of(cls, claims: Claims, standing: Sequence[StandIn], colour: Any, entry: Configuration) -> Self:
        """Return the runs for a configuration; `colour` are that group's settings, which name networks' files."""
        named = entry.architecture in colour.networks
        return cls(
            {"colour": pairs_of(colour)} if named else {},
            {one.group: _of_group(claims, one) for one in standing if one.profile in SIZES},
        )


def _of_group(claims: Claims, one: StandIn) -> frozenset[tuple[str, int]]:
    """Return what a group runs in any profile without an accelerator."""
    profiles = SIZES[SIZES.index(one.profile) :]
    return frozenset().union(*(pairs_of(settings_in(claims, one.group, profile)) for profile in profiles))


def pairs_of(settings: Any) -> frozenset[tuple[str, int]]:
    """Return the pairs of a sampler and a number of evaluations in a group's settings."""
    every = getattr(settings, "budgets_of", lambda sampler: settings.budgets)
    return frozenset((sampler, budget) for sampler in settings.samplers for budget in every(sampler))


def cell_of(runs: Runs, sampler: str, budget: int, hours: str) -> str:
    """Return a cell's words; `hours` would fill one that is not run."""
    for word, where in (("measured", runs.measured), ("scaled", runs.scaled)):
        groups = [group for group, pairs in where.items() if (sampler, budget) in pairs]
        if groups:
            return f"{word}: {', '.join(groups)}"
    return f"not run: {hours}"
