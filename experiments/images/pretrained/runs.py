"""Runs of samplers on the pretrained VE network for MNIST, judged against held-out test images; computed once each.

The first test images are the reference, the next ones, as many as a run has samples, the floor: real against real.
Every sampler starts at the largest noise that the network was trained for and ends at the level of the exact-score
runs, so that what is the sampler's and what the network's can be told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import torch
from ams.samplers.catalogue import Hyperparameters, SigmaRange
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt
from torch import Tensor

from ams.data import images as load
from ams.samplers import (
    NonFiniteState,
    Particles,
    Score,
    State,
    authors_euler_maruyama,
    langevin,
    last,
    predictor_corrector,
    snr_of_score,
)
from ams.samplers import affine as affine_step
from ams.samplers import run as steps
from ams.samplers.noise_sources import generated, generated_per_sample, seeded_per_sample
from ams.schedules import Level, process_levels
from experiments.images.features.extractors import Extractor, digit_features
from experiments.images.loss import denoising_losses, gaussian
from experiments.images.networks.ddpm import ddpm
from experiments.images.networks.score_adapter import NetworkScore
from experiments.images.networks.unet_ve import ExponentialVE, mnist_ve
from experiments.images.pretrained import controls
from experiments.images.pretrained.quality import Quality, blank, judge, noise_level, noised
from experiments.images.runs import ENTRANTS, RELEASED, Entrant, Subject, denoised, generator, run, started

MAIN = ("annealed Langevin", "adaptive momentum", "PC, Langevin", "PC, adaptive", "ancestral")
MEMORY = ("SDE-DPM-Solver++", "annealed BAOAB, e = 1/2")
"""The samplers of claim I9, on as many batches as the main ones, at `late` evaluations."""
OTHERS = tuple(name for name in ENTRANTS if name not in (*MAIN, *MEMORY))
FLOOR = "held-out images"
TUTORIAL_END = 1e-3
"""The time at which the tutorial's samplers end; the network was trained down to 1e-5."""
SHOWN = 14  # samples of a run that are kept for the grid


class Settings(BaseModel):
    """Sizes; `weights` names the network, on a CUDA device where it is `accelerated` and there is one.

    `samplers` run at `budgets` (NFE) on `batches` batches of `batch`; `others` and the controls at `side`, the former
    on `few` of those batches; what I9 compares at `late`.

    `tried` samplers are tuned at `side` over `factors`, `repeats` and `snrs` on `trials` other batches. The denoising
    loss is taken on `images` images at `times` midpoints. The tutorial's sampler takes `noisy` and `clean` steps on
    `tutorial` samples. `reference`: the first test images, the first `compared` of them in features. `companions`: the
    others of a batch that are exchanged.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: str = "mnist-ve"
    accelerated: bool = False
    budgets: tuple[PositiveInt, ...] = (20, 50, 100, 200)
    batches: PositiveInt = 8
    batch: PositiveInt = 32
    samplers: tuple[str, ...] = MAIN
    others: tuple[str, ...] = OTHERS
    side: PositiveInt = 50
    few: PositiveInt = 3
    late: PositiveInt = 100
    tried: tuple[str, ...] = ("annealed Langevin", "adaptive momentum", "PC, Langevin", "PC, adaptive")
    factors: tuple[float, ...] = (0.5, 1.0, 2.0)
    repeats: tuple[PositiveInt, ...] = (1, 2, 5)
    snrs: tuple[float, ...] = (0.08, 0.16, 0.32)
    trials: PositiveInt = 1
    last_sigma: float = 0.05
    reference: PositiveInt = 4000
    compared: PositiveInt = 1000
    images: PositiveInt = 300
    times: PositiveInt = 20
    noisy: PositiveInt = 50
    clean: PositiveInt = 500
    tutorial: PositiveInt = 16
    companions: PositiveInt = 24
    seed: NonNegativeInt = 2405


class Run(NamedTuple):
    """A sampler's runs at a budget: evaluations, a quality a batch, the first denoised samples, the features of each
    batch that was not lost."""

    evaluations: int
    quality: list[Quality]
    shown: Tensor
    features: tuple[Tensor, ...] = ()


LOST = Quality(1e9, 1e9, 1e9)
"""Of a run whose state did not stay finite."""


@cache
def network(weights: str, device: str = "cpu") -> NetworkScore:
    """Return a registered network on a device. Raises DataUnavailable without its file."""
    return mnist_ve(weights, device) if weights == "mnist-ve" else ddpm(weights, device)


def score(settings: Settings) -> Score:
    """Return the score of the group's network; of states on the CPU, wherever the network is.

    Raises DataUnavailable without its file.
    """
    device = "cuda" if settings.accelerated and torch.cuda.is_available() else "cpu"
    found = network(settings.weights, device).score
    return found if device == "cpu" else lambda x, level: found(x.to(device), level).to(x.device)


@cache
def test_images() -> Tensor:
    """Return MNIST's test images. Raises DataUnavailable without the file."""
    return load("mnist-test").x


def subject(settings: Settings) -> Subject:
    """Return what is sampled."""
    return Subject(score(settings), (28, 28), SigmaRange(ExponentialVE().marginal(1.0)[1], settings.last_sigma))


def choice(settings: Settings) -> Hyperparameters:
    """Return the settings as released; EDM's churn only where the churned level was trained."""
    return RELEASED._replace(effective_drift=subject(settings).ends.first / 2**0.5)


@cache
def judged(settings: Settings) -> Callable[[Tensor, Tensor], Quality]:
    """Return the judge of a batch: samples, denoised samples."""
    return judge(test_images()[: settings.reference], blank(test_images()), settings.last_sigma)


@cache
def extractor() -> Extractor:
    """Return the features that samples are judged in: those of our own classifier."""
    return digit_features("mnist-classifier")


def held_out(settings: Settings) -> tuple[Tensor, ...]:
    """Return the images after the reference, in batches like a sampler's."""
    return test_images()[settings.reference :].split(settings.batch)[: settings.batches]


@cache
def floor(settings: Settings) -> list[Quality]:
    """Return the quality of held-out images with the last level's noise, denoised by nothing: real against real."""
    found, draws = [], generator(settings.seed, 0)
    for part in held_out(settings):
        found.append(judged(settings)(noised(part, settings.last_sigma, draws), part))
    return found


@cache
def performed(settings: Settings, name: str, budget: int) -> Run:
    """Return a sampler's runs at the defaults: all batches of `samplers` and controls, few of the others."""
    count = settings.few if name in settings.others else settings.batches
    return batches_of(settings, entrant(settings, name), budget, choice(settings), count)


@cache
def entrant(settings: Settings, name: str) -> Entrant:
    """Return a sampler or a control by name; the constant factor is the released corrector's own mean."""
    if name == controls.MATCHED:
        return controls.matched(factor(settings))
    return ENTRANTS.get(name) or controls.CONTROLS[name]


@cache
def factor(settings: Settings) -> float:
    """Return the mean drift factor of the released corrector at the controls' budget."""
    draws = generator(settings.seed, 1)
    return controls.mean_factor(subject(settings), settings.side, choice(settings), settings.batch, draws)


def batches_of(settings: Settings, who: Entrant, budget: int, how: Hyperparameters, count: int, first: int = 1) -> Run:
    """Run batches `first`, ... of a sampler; one that diverges is lost."""
    quality, features, shown, spent = [], [], torch.zeros(SHOWN, 28, 28), budget
    for number in range(first, first + count):
        try:
            x, spent = run(subject(settings), who, budget, how, settings.batch, generator(settings.seed, number))
        except NonFiniteState:
            quality.append(LOST)
            continue
        clean = denoised(subject(settings), x)
        quality.append(judged(settings)(x, clean))
        features.append(extractor()(clean))
        shown = clean[:SHOWN].clone() if number == first else shown
    return Run(spent, quality, shown, tuple(features))


@cache
def tuned(settings: Settings, name: str) -> tuple[Hyperparameters, Run]:
    """Return a sampler at `side` evaluations with the setting of least energy distance on trial batches."""
    if name.startswith("PC"):
        tries = [choice(settings)._replace(snr=snr) for snr in settings.snrs]
    else:
        steps_tried = [(f, r) for f in settings.factors for r in settings.repeats]
        tries = [choice(settings)._replace(factor=f, repeats=r) for f, r in steps_tried]
    found = {}
    for how in tries:
        trial = batches_of(settings, ENTRANTS[name], settings.side, how, settings.trials, first=10_000)
        found[how] = sum(quality.energy for quality in trial.quality)
    best = min(found, key=found.__getitem__)
    return best, batches_of(settings, ENTRANTS[name], settings.side, best, settings.batches)


@cache
def losses(settings: Settings) -> Tensor:
    """Return the denoising loss of each image, its mean over times: midpoints of equal intervals of (0, 1]."""
    x, process = test_images()[: settings.images], ExponentialVE()
    z = gaussian(settings.seed, tuple(x.shape))
    times = [(k + 0.5) / settings.times for k in range(settings.times)]
    found = [denoising_losses(score(settings), x, z, Level(0, sigma=process.marginal(t)[1], t=t)) for t in times]
    return torch.stack(found).mean(0)


@cache
def by_the_tutorial(settings: Settings, count: int) -> Tensor:
    """Return samples of the tutorial's own predictor-corrector: `count` equal steps in time, the last mean.

    Langevin's corrector with snr 0.16, then Euler-Maruyama of the reverse SDE.
    """
    process, draws, algebra = ExponentialVE(), generator(settings.seed, 3), Particles()
    path = process_levels(process, count, TUTORIAL_END)
    predictor = affine_step(authors_euler_maruyama(process, count))
    program = predictor_corrector(predictor, langevin(snr_of_score(RELEASED.snr)), path)
    x = path[0].sigma * torch.randn((settings.tutorial, 28, 28), generator=draws)
    _, info = last(steps(program, State(x), score(settings), generated(draws, algebra.empty_like), algebra))
    return info.mean().clone()


def residual(settings: Settings, count: int) -> list[float]:
    """Return the noise level of each of the tutorial's samples on blank pixels."""
    pixels = blank(test_images())
    return [noise_level(x[None], pixels) for x in by_the_tutorial(settings, count)]


@cache
def companions(settings: Settings, name: str) -> Mapping[str, Tensor]:
    """Return the first eight samples with their own noise, with one set of companions and with another, and alone."""
    what, who = subject(settings), entrant(settings, name)
    program = list(who.program(what.ends, settings.side, choice(settings)))

    def sampled(numbers: list[int]) -> Tensor:
        draws = generated_per_sample([one for n in numbers for one in seeded_per_sample(settings.seed, n, 1)])
        x = what.ends.first * draws(torch.empty(len(numbers), *what.shape))
        state, _ = last(steps(program, State(x), what.score, draws, who.algebra()))
        return state.x[:8].clone()

    own, count = list(range(8)), settings.companions
    return {
        "one": sampled(own + list(range(100, 100 + count))),
        "other": sampled(own + list(range(500, 500 + count))),
        "alone": sampled(own),
    }


@cache
def recorded(settings: Settings, name: str, budget: int) -> list[tuple[float, float]]:
    """Return noise level and `beta` of every step of one batch that has a rule."""
    what, draws, algebra = subject(settings), generator(settings.seed, 1), Particles()
    program = list(entrant(settings, name).program(what.ends, budget, choice(settings)))
    states = steps(program, State(started(what, settings.batch, draws)), what.score, generated(draws), algebra)
    pairs = zip(program, states, strict=True)
    return [(level.sigma, float(i.coefficients.beta)) for (_, level), (_, i) in pairs if i.coefficients]
