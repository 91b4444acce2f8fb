r"""How the networks that learn from pairs are trained: the denoising module, and the unrolled network, guided or not.

All learn from the same scans of the training subjects, or of a quarter of these (4 of 15), by the mean square error, in
thousandths. The score prior is that of all 15: it needs no k-space.
"""

from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float
from pydantic import BaseModel
from torch import Tensor, nn

from experiments import weights
from experiments.mri.data import split
from experiments.mri.forward import Scan
from experiments.mri.guidance import Examples, of_subjects
from experiments.mri.trained import examples_of, module_of
from experiments.mri.unrolled import DenoisingModule, Unrolled

QUARTER = split().train[::4]
"""Four of the fifteen training subjects."""
KINDS = ("module", "guided", "unguided")


class Pairs(BaseModel, frozen=True, extra="forbid"):
    """Which network, the subjects it learns from, slices in a step; checksums of what it is given."""

    kind: str
    subjects: tuple[int, ...]
    batch: int = 8
    given: str = ""


class PairTask:
    """Learn a network of `KINDS` from pairs; `folder` holds the examples, and the module that guides."""

    parts: tuple[str, ...] = ("loss",)

    def __init__(self, kind: str, quarter: bool, folder: Path, batch: int = 8) -> None:
        self.folder, self.module = folder, "module-quarter" if quarter else "module"
        self.settings = Pairs(
            kind=kind, subjects=QUARTER if quarter else split().train, batch=batch, given=self._given(kind)
        )

    def _given(self, kind: str) -> str:
        """Return the checksum of the module's weights, of a network that it guides."""
        path = self.folder / f"{self.module}.safetensors"
        return str(weights.about(path)["tensors"]) if kind == "guided" else ""

    @cached_property
    def learned(self) -> list[Examples]:
        """Return what is learned from."""
        return of_subjects(examples_of(self.folder, held_out=False), self.settings.subjects)

    @cached_property
    def kept_out(self) -> list[Examples]:
        """Return the examples of the development subjects."""
        return examples_of(self.folder, held_out=True)

    @cached_property
    def guides(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return the guides of what is learned from and of what is kept out, an image an example."""
        if self.settings.kind == "unguided":
            return [part.scan.b for part in self.learned], [part.scan.b for part in self.kept_out]
        module = module_of(self.folder / f"{self.module}.safetensors")
        with torch.no_grad():
            return [module(part.seen) for part in self.learned], [module(part.seen) for part in self.kept_out]

    def network(self) -> nn.Module:
        """Return the network with random weights."""
        return DenoisingModule() if self.settings.kind == "module" else Unrolled()

    def losses(self, network: nn.Module, generator: torch.Generator, device: torch.device) -> Float[Tensor, " 1"]:
        """Return the loss of a batch of one mask, drawn with replacement."""
        which = int(torch.randint(len(self.learned), (1,), generator=generator))
        part = self.learned[which]
        rows = torch.randint(len(part.x), (self.settings.batch,), generator=generator)
        return self._loss(network, part, rows, self._guides(0, which))

    def held_out(self, network: nn.Module, device: torch.device) -> Float[Tensor, " 1"]:
        """Return the mean loss on the development subjects."""
        losses = [
            self._loss(network, part, torch.arange(len(part.x)), self._guides(1, which))
            for which, part in enumerate(self.kept_out)
        ]
        return torch.stack(losses).mean(0)

    def _guides(self, side: int, which: int) -> Tensor | None:
        return None if self.settings.kind == "module" else self.guides[side][which]

    def _loss(self, network: nn.Module, part: Examples, rows: Tensor, guides: Tensor | None) -> Float[Tensor, " 1"]:
        if guides is None:
            image = network(part.seen[rows])
        else:
            image = network(Scan(part.scan.b[rows], part.scan.encoding), guides[rows])
        return 1000 * (image - part.x[rows]).square().mean()[None]
