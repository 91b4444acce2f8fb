"""How near a set of generated images is to a reference, in a space of features, and what the
numbers depend on.

A Frechet distance of 512 samples is larger than one of 5000 whatever the sampler. Numbers with
another reference or extractor, or of samples that were denoised and of samples that were not, do
not compare either: every row of a table has its conditions.
"""

import math
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams import metrics
from ams.statistics import Interval, bootstrap_interval
from experiments.images.features.extractors import Extractor
from verdicts.records.figures import TableCell


class Scores(NamedTuple):
    """The scores of one set: `frechet` and `kernel` distance, `precision`, `recall`, `density`,
    `coverage`, and `classes`, the total variation between its classes and the reference's; NaN for
    an extractor without classes.
    """

    frechet: float
    kernel: float
    precision: float
    recall: float
    density: float
    coverage: float
    classes: float


class Conditions(NamedTuple):
    """What a number depends on beside the sampler: samples `n` in a set, the reference and its
    size, the extractor by name and checksum, whether samples were denoised at the end.
    """

    n: int
    reference: str
    reference_n: int
    extractor: str
    sha256: str
    denoised: bool = True

    def cells(self) -> tuple[TableCell, ...]:
        """Return all but `n` for a table, with 12 digits of the checksum."""
        denoised = "yes" if self.denoised else "no"
        return self.reference, self.reference_n, self.extractor, self.sha256[:12], denoised


CONDITIONS = ("reference", "reference n", "extractor", "sha256", "denoised")
"""The header of `Conditions.cells`."""
HEADER = ("sampler", "NFE", "quantity", "value", "low", "high", "sets", "n", *CONDITIONS)


def row(
    sampler: str, nfe: int, quantity: str, interval: Interval, conditions: Conditions
) -> tuple[TableCell, ...]:
    """Return a quantity of a sampler at a budget, with its interval over independent sets; see
    `HEADER`.
    """
    return (sampler, nfe, title(quantity), *interval, conditions.n, *conditions.cells())


def title(quantity: str) -> str:
    """Return a quantity's name as a reader knows it."""
    return {"frechet": "Fréchet", "inception_score": "Inception score"}.get(
        quantity, quantity.replace("_", " ")
    )


class Judge:
    """Compares sets of images (n, *shape) with a reference `name`, given by its features."""

    def __init__(self, extractor: Extractor, name: str, reference: Float[Tensor, "m d"]) -> None:
        self.extractor, self.name, self.reference = extractor, name, reference
        self.shares = extractor.shares(self.reference) if extractor.logits else None

    @cached_property
    def within(self) -> float:
        """Return the mean kernel of two reference images."""
        return metrics.kernel_within(self.reference)

    @cached_property
    def radii(self) -> Float[Tensor, " m"]:
        """Return the reference's neighbourhoods."""
        return metrics.neighbourhoods(self.reference)

    def conditions(self, n: int) -> Conditions:
        """Return what the scores of sets of n images depend on."""
        return Conditions(
            n, self.name, len(self.reference), self.extractor.name, self.extractor.sha256
        )

    def kernel(self, features: Float[Tensor, "n d"]) -> float:
        """Return the kernel distance of a set by its features. Raises ValueError for fewer than
        two.
        """
        return metrics.kernel_distance(features, self.reference, self.within)

    def scores(self, x: Float[Tensor, " n *shape"]) -> Scores:
        """Return the scores of a set of images. Raises ValueError for five images or fewer."""
        return self.scores_of(self.extractor(x))

    def scores_of(
        self, features: Float[Tensor, "n d"], apart: Float[Tensor, "n m"] | None = None
    ) -> Scores:
        """Return the scores of a set by its features, and by their distances to the reference's
        where these are known.

        Raises ValueError for five images or fewer.
        """
        classes = math.nan
        if self.shares is not None:
            classes = metrics.total_variation(self.extractor.shares(features), self.shares)
        return Scores(
            metrics.frechet_distance(features, self.reference),
            self.kernel(features),
            *metrics.support(features, self.reference, radii=self.radii, apart=apart),
            classes,
        )

    def kernel_interval(
        self, sets: list[Float[Tensor, "n d"]], confidence: float, seed: int
    ) -> Interval:
        """Return the kernel distance of all sets together, with a bootstrap interval over sets and
        reference images.

        The samples of a set may be coupled, so a set is one unit. To compare two samplers, take
        paired differences: there the chance in the reference cancels.
        """
        pool = torch.cat([*sets, self.reference])
        kernel = metrics.polynomial_kernel(pool, pool)
        ends = np.cumsum([0, *map(len, sets)])
        units = [list(range(begin, end)) for begin, end in pairwise(ends)]
        of_sets = (np.arange(len(pool)) < ends[-1]).astype(np.float64)
        references = [[index] for index in range(ends[-1], len(pool))]

        def theta(weights: Float[np.ndarray, "rows n"]) -> Float[np.ndarray, " rows"]:
            return metrics.mmd_squared(kernel, weights * of_sets, weights * (1 - of_sets))

        return bootstrap_interval(theta, [units, references], seed, confidence, resamples=400)
