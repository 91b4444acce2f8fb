"""Sizes of the comparison of correctors: for each set, the steps and the numbers of graphs."""

from collections.abc import Iterator

from pydantic import NonNegativeInt, PositiveInt, model_validator

from experiments.graphs.correctors.configurations import JUDGED, MOLECULES, NAMES
from verdicts.claims.sizes import Sizes
from verdicts.validation import Frozen


class SetSizes(Frozen):
    """Sizes of one set.

    At each of `steps` (of a predictor with a corrector; others have as many evaluations) every
    sampler makes `seeds` times `graphs` graphs, at the judged steps `more` times. Norms are
    averaged over batches of `batch` graphs. The published row, in its own steps, is of `published`
    times `graphs`; 0: it is not run. Molecules are compared with `real` ones.
    """

    steps: Sizes = (JUDGED,)
    graphs: PositiveInt
    seeds: PositiveInt = 2
    more: PositiveInt = 2
    batch: PositiveInt = 4
    published: NonNegativeInt = 0
    real: PositiveInt = 200

    @model_validator(mode="after")
    def _fits(self) -> "SetSizes":
        if self.graphs % self.batch:
            raise ValueError(f"graphs = {self.graphs} is no multiple of batch = {self.batch}")
        if JUDGED not in self.steps:
            raise ValueError(f"steps lack {JUDGED}, at which claims compare samplers")
        if self.more < self.seeds:
            raise ValueError(f"more = {self.more} seeds are fewer than seeds = {self.seeds}")
        return self

    def seeds_at(self, steps: int) -> int:
        """Return the number of seeds at a number of steps."""
        return self.more if steps == JUDGED else self.seeds


class Settings(Frozen):
    """Sizes of each set (None: it is not run).

    `draws` sets of real graphs give the floor; `seed` is the first. `chemnet` says whether the
    table has the Frechet ChemNet distance, which no claim reads.
    """

    community_small: SetSizes | None = SetSizes(graphs=20)
    ego_small: SetSizes | None = SetSizes(graphs=32)
    enzymes: SetSizes | None = None
    grid: SetSizes | None = None
    qm9: SetSizes | None = SetSizes(graphs=150, batch=5)
    zinc250k: SetSizes | None = None
    draws: PositiveInt = 2000
    chemnet: bool = True
    seed: NonNegativeInt = 2405

    @model_validator(mode="after")
    def _real_in_batches(self) -> "Settings":
        for name, sizes in self.sets():
            if name in MOLECULES and sizes.real % sizes.batch:
                raise ValueError(
                    f"{name}: real = {sizes.real} is no multiple of batch = {sizes.batch}"
                )
        return self

    def sets(self) -> Iterator[tuple[str, SetSizes]]:
        """Yield each set that is run, with its sizes."""
        for name in NAMES:
            if (sizes := getattr(self, name.lower())) is not None:
                yield name, sizes
