"""At which scale groups of this suite stand for configurations: read from their settings, never written twice."""

from collections.abc import Iterator
from typing import Any

from experiments.exhibits.configurations import Configuration, Listed, StandIn
from experiments.exhibits.coverage import settings_in
from verdicts.claims.schema import Claims, Profile


def standing(claims: Claims, listed: Listed) -> Iterator[tuple[str, ...]]:
    """Yield a row for each group of images, and one for each group and set of graphs: group, profile, what it stands
    for, data, samples, evaluations or steps."""
    for one in listed.stand_in:
        entries = [each for each in listed.configuration if one.group in each.here]
        held = settings_in(claims, one.group, one.profile)
        if hasattr(held, "budgets"):
            titles, samples = "; ".join(each.title for each in entries), held.batches * held.batch
            yield one.group, one.profile.value, titles, one.what, str(samples), _listed(held.budgets)
        else:
            yield from (_of_graphs(claims, one, each) for each in entries)


def _of_graphs(claims: Claims, one: StandIn, entry: Configuration) -> tuple[str, ...]:
    """Return the row of a group and a set, in the smallest profile that generates the set."""
    profiles = [one.profile, Profile.FULL]
    profile, held = next(
        ((each, held) for each in profiles if _has(held := settings_in(claims, one.group, each), entry)),
        (Profile.FULL, settings_in(claims, one.group, Profile.FULL)),
    )
    sized = held.of(entry.id) if hasattr(held, "of") else held
    if isinstance(sized, tuple):
        samples, steps = map(str, sized[:2])
    else:
        samples, steps = str(sized.seeds * sized.graphs), _listed(sized.steps)
    return one.group, profile.value, entry.title, one.what, samples, steps


def _has(held: Any, entry: Configuration) -> bool:
    sets = getattr(held, "sets", (entry.id,))
    return entry.id in (dict(sets()) if callable(sets) else sets)


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
