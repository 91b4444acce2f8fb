"""What a kept run's studies and cells cost: committed beside the expected values, so that a fresh clone knows.

They decide no result: only which process computes what, and how many processes there are.
"""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from verdicts.claims.loading import load_json
from verdicts.claims.schema import Profile
from verdicts.records.checksummed import Kept

FOLDER = "paper/expected"
NODES = 64
"""Where the jobs are a cluster's, each of so many nodes is to have a few."""
ROUNDS = 2
"""How many shares a core has to choose from: a group of the mean cost is then no more than half of a core's work."""


class KeptCosts(Kept):
    """Seconds of a profile's kept run: of each group's study, of a function's mean cell, of cells by call.

    `alone` is what a group takes however many jobs share its study: its longest cell, its checks, figures and page.
    `cells` names those alone that cost a second or more, and twice or half of their function's mean.
    """

    profile: Profile
    groups: dict[str, float] = {}  # noqa: RUF012 (a pydantic field)
    alone: dict[str, float] = {}  # noqa: RUF012 (a pydantic field)
    functions: dict[str, float] = {}  # noqa: RUF012 (a pydantic field)
    cells: dict[str, float] = {}  # noqa: RUF012 (a pydantic field)

    @classmethod
    def of(cls, root: Path, profile: Profile) -> Self:
        """Read a profile's kept costs; none where there is no file. Raises UserError for a file that is damaged."""
        path = kept_costs_path(root, profile)
        return load_json(root, f"{FOLDER}/{path.name}", cls) if path.is_file() else cls(profile=profile)

    def of_groups(self, names: Iterable[str]) -> dict[str, float]:
        """Return what these groups' studies cost; one that is not known costs the others' mean, 0 where none is."""
        wanted = list(names)
        known = [self.groups[name] for name in wanted if name in self.groups]
        unknown = sum(known) / len(known) if known else 0.0
        return {name: self.groups.get(name, unknown) for name in wanted}

    def of_cell(self, function: str, call: str) -> float | None:
        """Return what a call costs, None where nothing is known of its function."""
        return self.cells.get(short(call), self.functions.get(function))


def short(call: str) -> str:
    """Return the part of a call's digest that stands for it."""
    return call[:12]


def kept_costs_path(root: Path, profile: Profile) -> Path:
    """Return the place of a profile's kept costs."""
    return root / FOLDER / f"{profile}.costs.json"


def kept_costs(
    before: KeptCosts, groups: Mapping[str, float], alone: Mapping[str, float], cells: Iterable[tuple[str, str, float]]
) -> KeptCosts:
    """Return the costs of a run, its `cells` as function, call and seconds; what it lacks stays as it was `before`."""
    by_function: dict[str, list[float]] = {}
    every = list(cells)
    for function, _, seconds in every:
        by_function.setdefault(function, []).append(seconds)
    means = {name: sum(costs) / len(costs) for name, costs in by_function.items()}
    apart = {
        short(call): round(seconds, 2)
        for function, call, seconds in every
        if seconds >= 1.0 and not 0.5 < seconds / means[function] < 2.0
    }
    return KeptCosts(
        profile=before.profile,
        groups=before.groups | {name: round(seconds, 2) for name, seconds in groups.items()},
        alone=before.alone | {name: round(seconds, 2) for name, seconds in alone.items()},
        functions=before.functions | {name: round(mean, 4) for name, mean in means.items()},
        cells=before.cells | apart,
    )


def shares_of(seconds: Mapping[str, float], jobs: int) -> dict[str, int]:
    """Return how many shares each study has, by what it costs: none is above 1/(`ROUNDS` jobs) of all studies.

    One job needs no shares.
    """
    total = sum(seconds.values())
    if jobs == 1 or total <= 0:
        return dict.fromkeys(seconds, 1)
    return {name: max(1, math.ceil(ROUNDS * jobs * each / total)) for name, each in seconds.items()}
