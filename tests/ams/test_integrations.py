"""The suite's samplers in other libraries: each is the suite's loop at fixed noise; and in the kit,
by their maps.

The scheduler is in diffusers' own pipelines too: with a network, its configuration on disk, image
to image.
"""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ams.errors import UserError
from ams.integrations.programs import METHODS, TAPERED_BAOAB, calls_per_level
from ams.integrations.samplercheck import MeanField
from ams.samplers import Particles, State, denoise, last, run
from ams.samplers.noise_sources import replayed
from ams.samplers.presets import AUTHORS, RIVALS, SPECS, Family, Hyperparameters, SigmaRange
from ams.schedules import Level, geometric_sigmas
from samplercheck import Draws, Network, Sampler, conform, noise_level
from samplercheck.adapters import adapter, load
from samplercheck.adapters.schedulers import predicted
from samplercheck.affine_map import read_map
from samplercheck.convergence import STEPS, pushforward, two_targets
from samplercheck.invariants import invariants
from samplercheck.nonlinear import TwoModes
from samplercheck.report import HOLDS, REFUTED, Report
from samplercheck.sampler import trajectory
from tests.ams.tools import assert_equal, draws

RANGE, HYPERPARAMETERS = SigmaRange(20.0, 0.02), Hyperparameters(repeats=2, extra=1.0)


def geometric(steps: int) -> Tensor:
    return torch.tensor([*geometric_sigmas(*RANGE, steps), 0.0], dtype=torch.float64)


def k_diffusion(method: str) -> Sampler:
    library = pytest.importorskip("ams.integrations.k_diffusion", exc_type=ImportError)

    def end(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        def model(x: Tensor, sigma: Tensor) -> Tensor:
            return network("x0", x, noise_level(1.0, sigma))

        return library.sample(
            method, model, x, geometric(steps), disable=True, hyperparameters=HYPERPARAMETERS
        )

    return sampler(method, end, RANGE.first)


def azula(method: str) -> Sampler:
    library = pytest.importorskip("ams.integrations.azula", exc_type=ImportError)
    from azula.denoise import Denoiser, DiracPosterior

    def end(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        class Exact(Denoiser):
            def schedule(self, t: Tensor) -> tuple[Tensor, Tensor]:
                v = geometric(steps)[((1 - t) * steps).round().long()]
                return (1 + v**2) ** -0.5, v * (1 + v**2) ** -0.5

            def forward(self, x_t: Tensor, t: Tensor) -> DiracPosterior:
                return DiracPosterior(network("x0", x_t, noise_level(*self.schedule(t))))

        return library.AMSSampler(Exact(), method, HYPERPARAMETERS, steps=steps, silent=True)(x)

    return sampler(method, end, 1.0)


def diffusers(method: str) -> Sampler:
    library = pytest.importorskip("ams.integrations.diffusers", exc_type=ImportError)

    def end(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        scheduler = library.AMSScheduler(method=method, repeats=HYPERPARAMETERS.repeats)
        scheduler.set_timesteps(steps)
        for t in scheduler.timesteps:
            x = scheduler.step(predicted(scheduler, "", network, x, t), t, x).prev_sample
        return x

    return sampler(method, end, 1.0)


def sampler(method: str, end, prior: float) -> Sampler:
    calls = calls_per_level(method, HYPERPARAMETERS)
    return Sampler(
        method, "", end, lambda steps: prior, noise=None, evaluations=lambda steps: calls * steps
    )


LIBRARIES = [k_diffusion, azula, diffusers]


def suite(method: str, sigmas: SigmaRange, steps: int, x: Tensor, noise: Tensor) -> Tensor:
    """Return the denoised end of the suite's own loop."""

    def score(x: Tensor, level: Level) -> Tensor:
        return TwoModes(1.0).network()("score", x, level)

    annealed = method != TAPERED_BAOAB
    budget = steps * HYPERPARAMETERS.repeats if annealed else steps - 1
    pairs = list(SPECS[method].build(sigmas, budget, HYPERPARAMETERS))
    state, info = last(run(pairs, State(x), score, replayed(noise), Particles()))
    at, level = (info.at, pairs[-1][1]) if annealed else (state.x, pairs[-1][1].next)
    return denoise(at, level, score, Particles())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_run_is_the_suites_loop(library, method: str) -> None:
    adapted, steps = library(method), 6
    x, noise = adapted.prior(steps) * draws(1, 4, 2), draws(2, 40, 4, 2)
    path = trajectory(
        adapted, TwoModes(1.0).network(), x, steps, Draws(lambda k, shape: noise[k].reshape(shape))
    )
    levels = [call.level for call in path.calls]
    sigmas = SigmaRange(*(level.sigma / level.scale for level in (levels[0], levels[-1])))
    assert_equal(path.end, suite(method, sigmas, steps, x / levels[0].scale, noise), 1e-6, 1e-6)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("method", ["adaptive momentum", TAPERED_BAOAB])
def test_what_couples_a_batch_is_noted_alone(library, method: str) -> None:
    rows = invariants(library(method))
    assert not [name for name, finding in rows.items() if finding.holds is False]
    assert (rows["rows independent"].holds is None) is method.startswith("adaptive")


def test_k_diffusions_callback_noise_and_progress() -> None:
    library = pytest.importorskip("ams.integrations.k_diffusion", exc_type=ImportError)
    x, sigmas, seen, asked = draws(1, 2, 3), geometric(3), [], []

    def noise_sampler(sigma: Tensor, after: Tensor) -> Tensor:
        asked.append((float(sigma), float(after)))
        return torch.zeros_like(x)

    def model(x: Tensor, sigma: Tensor, shift: float) -> Tensor:
        assert sigma.shape == (2,)
        return torch.full_like(x, shift)

    end = library.sample_annealed_langevin(
        model,
        x,
        sigmas,
        {"shift": 0.5},
        seen.append,
        True,
        noise_sampler,
        Hyperparameters(repeats=2),
    )
    assert_equal(end, torch.full_like(x, 0.5))
    assert [call["i"] for call in seen] == list(range(6)) and set(seen[0]) >= {
        "x",
        "sigma",
        "sigma_hat",
        "denoised",
    }
    assert [float(call["sigma"]) for call in seen] == [float(sigmas[i]) for i in (0, 0, 1, 1, 2, 2)]
    assert asked == [(float(sigmas[i]), float(sigmas[i + 1])) for i in (0, 0, 1, 1, 2)]


@pytest.fixture(scope="module")
def scheduler():
    return pytest.importorskip("ams.integrations.diffusers", exc_type=ImportError).AMSScheduler


@pytest.fixture(scope="module")
def pipeline():
    library = pytest.importorskip("diffusers")
    torch.manual_seed(0)
    blocks = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    unet = library.UNet2DModel(
        8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4, **blocks
    )
    made = library.DDPMPipeline(unet, library.DDPMScheduler(beta_schedule="scaled_linear"))
    made.set_progress_bar_config(disable=True)
    return made


@pytest.mark.parametrize("method", METHODS)
def test_a_pipeline_runs_end_to_end(pipeline, scheduler, method: str, tmp_path) -> None:
    pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config, method=method, repeats=2)
    pipeline.save_pretrained(tmp_path)
    loaded = type(pipeline).from_pretrained(tmp_path).scheduler
    kept, given = (
        {k: v for k, v in each.config.items() if k[0] != "_"}
        for each in (loaded, pipeline.scheduler)
    )
    assert kept == given and (given["method"], given["beta_schedule"]) == (method, "scaled_linear")
    images = []
    for each in (pipeline.scheduler, loaded):
        pipeline.scheduler, generator = each, torch.Generator().manual_seed(1)
        images.append(pipeline(2, generator, num_inference_steps=4, output_type="np").images)
    assert images[0].shape == (2, 8, 8, 3) and images[0].std() > 0.01
    assert (images[0] == images[1]).all()


def test_noise_for_image_to_image_is_that_of_training(scheduler) -> None:
    image, noise, t = draws(1, 3, 1, 2, 2), draws(2, 3, 1, 2, 2), torch.tensor([999, 400, 0])
    ours, theirs = scheduler(), pytest.importorskip("diffusers").DDPMScheduler()
    assert_equal(ours.add_noise(image, noise, t), theirs.add_noise(image, noise, t), 1e-6, 3e-6)


def test_a_run_begins_where_image_to_image_begins(scheduler) -> None:
    """From the noise level of the middle, with a network whose denoised point is the image, the
    image comes back.
    """
    image, ours, ends = draws(1, 2, 1, 2, 2), scheduler(repeats=2, prediction_type="sample"), []
    for number in (8, None):  # as told, and as found from the timestep
        ours.set_timesteps(6)
        x = ours.add_noise(image, draws(2, 2, 1, 2, 2), ours.timesteps[8:9])
        ours.set_begin_index(number)
        for t in ours.timesteps[8:]:
            x = ours.step(image, t, x, torch.Generator().manual_seed(3)).prev_sample
        ends.append(x)
    assert_equal(ends[0], image, 1e-6)
    assert_equal(ends[0], ends[1])


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_a_step_is_that_of_every_prediction(scheduler, kind: str) -> None:
    x, x0, steps = draws(1, 2, 3), draws(2, 2, 3), []
    for prediction in ("sample", kind):
        ours = scheduler(prediction_type=prediction)
        ours.set_timesteps(10)
        v = ours._pairs[0][1].sigma
        scale, sigma = (1 + v**2) ** -0.5, v * (1 + v**2) ** -0.5
        eps = (x - scale * x0) / sigma
        output = {"sample": x0, "epsilon": eps, "v_prediction": scale * eps - sigma * x0}[
            prediction
        ]
        steps.append(
            ours.step(output, ours.timesteps[0], x, torch.Generator().manual_seed(3), False)[0]
        )
    assert_equal(steps[0], steps[1], 1e-6)


def test_what_the_scheduler_does_not_know_is_said(scheduler) -> None:
    with pytest.raises(
        UserError, match="unknown method 'adaptive momentun': did you mean adaptive momentum"
    ):
        scheduler(method="adaptive momentun")
    with pytest.raises(UserError, match="prediction_type 'score'"):
        ours = scheduler(prediction_type="score")
        ours.step(draws(1, 2, 3), ours.timesteps[0], draws(1, 2, 3))


@pytest.mark.parametrize(
    "name", ["annealed Langevin", "Euler ODE", "DPM-Solver++", "annealed BAOAB, tapered"]
)
def test_the_map_that_is_read_is_the_exact_law(name: str) -> None:
    data, sampler = two_targets(1.0), load(f"ams:{name}", {"repeats": 2})
    calls = 20 if name == "annealed Langevin" else 10
    program = list(SPECS[name].build(SigmaRange(20.0, 0.02), calls, AUTHORS._replace(repeats=2)))
    law, read = MeanField(program, data.mean, data.std.square()), pushforward(sampler, data, 10)
    for point in (3, -1):
        assert_equal(read.law(point, 0.5, 400.0), law.law(point, 0.5, 400.0), 1e-10, 1e-10)


@pytest.mark.parametrize("known", [True, False], ids=["with its mean field", "without"])
def test_a_rule_that_couples_its_batch_is_not_read_as_an_affine_map(known: bool) -> None:
    sampler = load("ams:PC, Langevin")
    # within one batch superposition holds
    assert read_map(sampler, two_targets(1.0).network(), 8, 6).defect < 1e-9
    report = conform(
        sampler if known else replace(sampler, mean_field=None), steps=(12, 24, 48, 96)
    )
    found = {judgement.check: judgement for judgement in report.judgements}
    assert found["rows independent"].verdict == "noted" and report.verdict == "inconclusive"
    assert "means over the batch" in found["rows independent"].why
    assert found["affine"].why.startswith(
        "not affine, by " if known else "samples depend on the rest of their batch"
    )
    assert found["affine"].verdict == ("noted" if known else "inconclusive")
    assert ("limit" in found) is known is (len(report.w2) == 3)


@pytest.mark.parametrize("name", adapter("ams").names())
def test_every_sampler_runs_in_the_kit(name: str) -> None:
    sampler, data = load(f"ams:{name}"), two_targets(1.0)
    mean, variance = pushforward(sampler, data, 10).law(-1, 0.0, sampler.prior(10) ** 2)
    assert torch.isfinite(mean).all() and (variance > 0).all()
    for steps in (20, 21) if sampler.evaluations else ():
        assert len(pushforward(sampler, data, steps).levels) == sampler.evaluations(steps)


PUBLISHED = ("DPM-Solver++", "SDE-DPM-Solver++", "Heun ODE", "EDM stochastic", "ancestral")


def reaches_its_order(report: Report) -> bool:
    """Tell whether marginals, steps or points on a mixture surely have the stated order, if there
    is one.
    """
    judged = {judgement.check: judgement.verdict for judgement in report.judgements}
    orders = (judged.get(name) for name in ("order", "order of each step", "order on the mixture"))
    return report.order is None or HOLDS in orders


@pytest.mark.parametrize("name", [*PUBLISHED, *RIVALS])
def test_the_kit_refutes_none_of_the_samplers_that_are_compared(name: str) -> None:
    """A sampler that holds a noise level has few steps for the rest of its way: twice as many are
    asked for.
    """
    times = 2 if SPECS[name].family is Family.HELD else 1
    report = conform(load(f"ams:{name}"), steps=tuple(times * count for count in STEPS))
    assert report.verdict != REFUTED and reaches_its_order(report)
