r"""How the networks that learn from pairs are trained: the denoising module, and the unrolled
network, guided or not.

All learn from the same scans of the training subjects, or of a quarter of these (4 of 15), by the
mean square error, in thousandths. The score prior is that of all 15: it needs no k-space.

A module denoises images of subjects that it learned from better than those of others. So that the
guided network does not learn to rely on that, the guides of a training subject come from a module
that never saw it: one of `FOLDS` that each leave a part of the subjects out (stacking by
cross-fitting). The module that denoises for others saw them all.
"""

from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from experiments import weights
from related.mri.data import split
from related.mri.guidance import Examples
from related.mri.trained import examples_of, module_of
from related.mri.unrolled import DenoisingModule, Unrolled
from verdicts.validation import Frozen

QUARTER = split().train[::4]
"""Four of the fifteen training subjects."""
FOLDS = 3


def fold(subjects: tuple[int, ...], number: int) -> tuple[int, ...]:
    """Return a part of the subjects, `number` from 1 to `FOLDS`."""
    return subjects[number - 1 :: FOLDS]


def module_name(quarter: bool, left_out: int = 0) -> str:
    """Return the name of the denoising module that saw all subjects but those of a fold; 0: that
    saw all.
    """
    return f"module{'-quarter' if quarter else ''}{f'-fold-{left_out}' if left_out else ''}"


class Pairs(Frozen):
    """Which network, the subjects it learns from, slices in a step; checksums of the modules
    that guide it.
    """

    kind: str
    subjects: tuple[int, ...]
    batch: int = 8
    given: tuple[str, ...] = ()


class PairTask:
    """Learn a "module", a "guided" or "unguided" network from pairs; `folder` has the examples and
    guiding modules.

    A module learns from all subjects but those of the fold `left_out`; 0: from all.
    """

    parts: tuple[str, ...] = ("loss",)

    def __init__(self, kind: str, quarter: bool, folder: Path, left_out: int = 0) -> None:
        self.folder = folder
        self.modules = [
            folder / f"{module_name(quarter, number)}.safetensors" for number in range(FOLDS + 1)
        ]
        whole = QUARTER if quarter else split().train
        subjects = tuple(one for one in whole if not left_out or one not in fold(whole, left_out))
        given = (
            tuple(str(weights.about(path)["tensors"]) for path in self.modules)
            if kind == "guided"
            else ()
        )
        self.settings = Pairs(kind=kind, subjects=subjects, given=given)

    @cached_property
    def learned(self) -> list[Examples]:
        """Return what is learned from."""
        own = torch.tensor(self.settings.subjects)
        return [
            part.at(torch.isin(part.subject, own))
            for part in examples_of(self.folder, held_out=False)
        ]

    @cached_property
    def kept_out(self) -> list[Examples]:
        """Return the examples of the development subjects."""
        return examples_of(self.folder, held_out=True)

    @cached_property
    def guides(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return the guides of what is learned from and of what is kept out, an image an example.

        Where none guides it is the zero-filled image.
        """
        if self.settings.kind != "guided":
            return [part.scan.b for part in self.learned], [part.scan.b for part in self.kept_out]
        of_all, *of_folds = (module_of(path) for path in self.modules)
        with torch.no_grad():
            learned = [self._cross_fitted(of_folds, part) for part in self.learned]
            return learned, [of_all(part.seen) for part in self.kept_out]

    def _cross_fitted(self, modules: list[nn.Module], part: Examples) -> Float[Tensor, "n 64 64"]:
        """Return what is denoised of each example by the module that did not see its subject."""
        guides = torch.full_like(part.x, torch.nan)
        for number, module in enumerate(modules, 1):
            rows = torch.isin(part.subject, torch.tensor(fold(self.settings.subjects, number)))
            if rows.any():  # a network of images takes no empty batch
                guides[rows] = module(part.seen[rows])
        return guides

    def network(self) -> nn.Module:
        """Return the network with random weights."""
        return DenoisingModule() if self.settings.kind == "module" else Unrolled()

    def losses(
        self, network: nn.Module, generator: torch.Generator, device: torch.device
    ) -> Float[Tensor, " 1"]:
        """Return the loss of a batch of one mask, drawn with replacement."""
        which = int(torch.randint(len(self.learned), (1,), generator=generator))
        part = self.learned[which]
        rows = torch.randint(len(part.x), (self.settings.batch,), generator=generator)
        return self._loss(network, part.at(rows), self.guides[0][which][rows])

    def held_out(self, network: nn.Module, device: torch.device) -> Float[Tensor, " 1"]:
        """Return the mean loss on the development subjects."""
        pairs = zip(self.kept_out, self.guides[1], strict=True)
        return torch.stack([self._loss(network, *pair) for pair in pairs]).mean(0)

    def _loss(self, network: nn.Module, part: Examples, guides: Tensor) -> Float[Tensor, " 1"]:
        image = network(part.seen) if self.settings.kind == "module" else network(part.scan, guides)
        return 1000 * (image - part.x).square().mean()[None]
