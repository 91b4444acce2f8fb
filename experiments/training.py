r"""One training loop for every network that the suite trains: resumable, with averaged weights and
a recorded loss.

A *task* says what is learned: a network, and the loss of one batch drawn from a generator. A *plan*
says how: AdamW (Loshchilov and Hutter, arXiv 1711.05101) with a rate that rises over the first
steps and falls as half a cosine,

    rate_n = rate min(1, n / warm) (1 + cos(pi n / steps)) / 2 ,

gradients clipped in norm, and an average of the weights, which is what is sampled from,

    w' <- k w' + (1 - k) w,   k = min(average, (1 + n) / (10 + n)) .

All that a step draws is a function of (seed, step), so a run is fixed by its task and plan, and one
that was interrupted and resumed ends in the same bits (on one machine, with one number of threads).
On a GPU the draws are the same ones; sums there may run in another order, so its weights agree to
rounding at first, and then drift apart.
"""

import copy
import io
import math
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, Field
from torch import Tensor, nn

from ams.data import load_weights
from ams.data.safe_read import LARGEST, bytes_of
from ams.errors import UserError
from verdicts.records.files import write_whole
from verdicts.validation import Frozen

Report = Callable[[int, dict[str, float]], None]
"""Sees the number of steps made and the mean of each part of the loss since it was last called."""


class Plan(Frozen):
    """How a network is trained; see the module's text."""

    steps: int = Field(ge=1)
    rate: float = Field(gt=0)
    average: float = Field(default=0.999, ge=0, lt=1)
    warm: int = Field(default=100, ge=1)
    decay: float = Field(default=0.0, ge=0)
    clip: float = Field(default=1.0, gt=0)
    seed: int = Field(default=1, ge=0)


def altered(plan: Plan, steps: int | None, seed: int) -> Plan:
    """Return a plan with another seed and, where given, other steps. Raises UserError for
    numbers that make no run.
    """
    if (steps is not None and steps < 1) or seed < 0:
        raise UserError(
            f"--steps {steps}, --seed {seed}: at least one step, and a seed of at least 0"
        )
    return plan.model_copy(update={"seed": seed, "steps": steps or plan.steps})


class Task(Protocol):
    """What is learned."""

    parts: tuple[str, ...]
    """Names of the loss's parts; their sum is what is minimised."""

    @property
    def settings(self) -> BaseModel:
        """Return all that the task is fixed by."""
        ...

    def network(self) -> nn.Module:
        """Return the network with initial weights, drawn from torch's own generator (which the
        trainer seeds).
        """
        ...

    def losses(
        self, network: nn.Module, generator: torch.Generator, device: torch.device
    ) -> Float[Tensor, " parts"]:
        """Return the loss of one batch in parts; everything random is drawn from `generator`,
        which is on the CPU.
        """
        ...

    def held_out(self, network: nn.Module, device: torch.device) -> Float[Tensor, " parts"]:
        """Return the loss on data that it does not learn from, in parts: the same noise at each
        call.
        """
        ...


class Trainer:
    """A training run: `step()` makes one step, `state()` and `load(state)` interrupt and resume it.

    `curve` holds the parts of the loss of every step so far; `network` is trained, `averaged` is
    its average, `held` the average's loss on held-out data: rows of (step, *parts).
    """

    def __init__(self, task: Task, plan: Plan, device: torch.device | str = "cpu") -> None:
        self.task, self.plan, self.device = task, plan, torch.device(device)
        self.curve: list[list[float]] = []
        self.held: list[list[float]] = []
        with drawn_from(plan.seed, 0):
            self.network = task.network().to(self.device).train()
        self.averaged = copy.deepcopy(self.network).eval().requires_grad_(False)
        self._adam = torch.optim.AdamW(
            self.network.parameters(), lr=plan.rate, weight_decay=plan.decay
        )

    @property
    def done(self) -> int:
        """Return the number of steps made."""
        return len(self.curve)

    def step(self) -> None:
        """Make one step."""
        for group in self._adam.param_groups:
            group["lr"] = self._rate()
        with drawn_from(self.plan.seed, self.done + 1) as generator:
            parts = self.task.losses(self.network, generator, self.device)
        self._adam.zero_grad()
        parts.sum().backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.clip)
        self._adam.step()
        self._follow()
        self.curve.append(parts.detach().tolist())

    def look(self) -> None:
        """Add the average's loss on held-out data."""
        with torch.no_grad():
            self.held.append(
                [float(self.done), *self.task.held_out(self.averaged, self.device).tolist()]
            )

    def _rate(self) -> float:
        """Return the learning rate of the step that comes."""
        wave = (1 + math.cos(math.pi * self.done / self.plan.steps)) / 2
        return self.plan.rate * min(1.0, (self.done + 1) / self.plan.warm) * wave

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the weights, faster in the first steps."""
        decay = min(self.plan.average, (1 + self.done) / (10 + self.done))
        for average, parameter in zip(
            self.averaged.parameters(), self.network.parameters(), strict=True
        ):
            average.lerp_(parameter, 1 - decay)

    def about(self) -> dict[str, Any]:
        """Return what fixes the run, as plain values."""
        return {
            "task": self.task.settings.model_dump(mode="json"),
            "plan": self.plan.model_dump(mode="json"),
        }

    def state(self) -> dict[str, Any]:
        """Return all that a resumed run needs, as tensors and plain values."""
        return {
            "about": self.about(),
            "curve": torch.tensor(self.curve, dtype=torch.float64),
            "held": torch.tensor(self.held, dtype=torch.float64),
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "adam": self._adam.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from `state`. Raises ValueError if it is of another task or plan."""
        if state["about"] != self.about():
            raise ValueError("it was begun with other settings")
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self._adam.load_state_dict(state["adam"])
        self.curve, self.held = state["curve"].tolist(), state["held"].tolist()


@contextmanager
def drawn_from(seed: int, step: int) -> Iterator[torch.Generator]:
    """Yield the generator of a step; torch's own, which dropout and initial weights draw from,
    is seeded within too.
    """
    own, theirs = (int(word) for word in np.random.SeedSequence([seed, step]).generate_state(2))
    with torch.random.fork_rng():
        torch.manual_seed(theirs)
        yield torch.Generator().manual_seed(own)


@contextmanager
def writing(file: Path, resume: bool) -> Iterator[None]:
    """Guard a run that ends in a file of weights: nothing is overwritten, and its folder is tried
    before it begins.

    Raises UserError for weights in the way of a new run, for what cannot be written (now, or a disk
    that is full in the end), and for a loss that is not finite.
    """
    if file.exists() and not resume:
        raise UserError(
            f"{file}: weights are there: name another place, or delete them; "
            "a new run replaces none"
        )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=file.parent).close()
        yield
    except OSError as error:
        raise UserError(f"{error.filename or file}: cannot be written ({error.strerror})") from None
    except FloatingPointError as error:
        raise UserError(str(error)) from None


def fit(trainer: Trainer, file: Path, resume: bool, report: Report, every: int = 200) -> None:
    """Train to the end, writing the state to `file` every so many steps; `resume` goes on from it.

    The file is written whole or not at all, so an interrupted run loses at most `every` steps.
    Raises UserError for a file to resume from that is none, or of other settings, and for one in
    the way of a new run.
    """
    if resume:
        _resume(trainer, file)
    elif file.exists():
        raise UserError(f"{file}: a run is kept there: go on with --resume, or delete it")
    while trainer.done < trainer.plan.steps:
        trainer.step()
        if trainer.done % every == 0 or trainer.done == trainer.plan.steps:
            trainer.look()
            _keep(trainer, file)
            means = np.mean(trainer.curve[-every:], axis=0)
            report(trainer.done, dict(zip(trainer.task.parts, means.tolist(), strict=True)))


def _keep(trainer: Trainer, file: Path) -> None:
    """Write the state. Raises FloatingPointError for a loss that is not finite: the last state
    stays in the file.
    """
    if not all(map(math.isfinite, trainer.curve[-1])):
        raise FloatingPointError(
            f"step {trainer.done}: the loss is {trainer.curve[-1]}: lower the rate; not kept"
        )
    stream = io.BytesIO()
    torch.save(trainer.state(), stream)
    write_whole(file, stream.getvalue())


def _resume(trainer: Trainer, file: Path) -> None:
    """Load the state in `file`. Raises UserError."""
    try:
        trainer.load(load_weights(bytes_of(file, LARGEST), str(file)))
    except OSError as error:
        raise UserError(
            f"{file}: cannot be read ({error.strerror}); without --resume a new run begins"
        ) from None
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise UserError(
            f"{file}: no run that can be resumed: {str(error).splitlines()[0]}"
        ) from None


def trained(
    trainer: Trainer, state: Path, resume: bool, command: str, points: int
) -> dict[str, Any]:
    """Train to the end under a progress bar, and return how, as plain values: what fixes the run,
    and its losses.

    `seconds`: processor time since the run was last begun. `curve` has so many points, each the
    mean of the steps before it and the loss, the sum of its parts; `held out` those of the averaged
    weights. Raises as `fit`.
    """
    begun, steps = time.process_time(), trainer.plan.steps
    every = max(steps // points, 1)
    with progress_bar(steps, state.stem) as report:
        fit(trainer, state, resume, report, every)
    losses = np.array(trainer.curve)[: steps // every * every].sum(1).reshape(-1, every).mean(1)
    return {
        "command": command,
        **trainer.about(),
        "parameters": sum(parameter.numel() for parameter in trainer.network.parameters()),
        "seconds": round(time.process_time() - begun, 1),
        "threads": torch.get_num_threads(),
        "device": trainer.device.type,
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "curve": [
            [(number + 1) * every, round(value, 6)] for number, value in enumerate(losses.tolist())
        ],
        "held out": [[int(step), round(sum(parts), 6)] for step, *parts in trainer.held],
    }


@contextmanager
def progress_bar(steps: int, title: str) -> Iterator[Report]:
    """Yield a report that draws a progress bar on stderr, or prints lines where that is no
    terminal.
    """
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        shown = bar.add_task(title, total=steps)

        def report(done: int, losses: dict[str, float]) -> None:
            text = f"{title}: step {done} of {steps}: " + ", ".join(
                f"{name} {x:.4f}" for name, x in losses.items()
            )
            bar.update(shown, completed=done, description=text)
            if not console.is_terminal:
                console.print(text, soft_wrap=True)

        yield report
