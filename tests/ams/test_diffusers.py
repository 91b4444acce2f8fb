"""The scheduler in diffusers' own pipelines: a network, its configuration on disk, image to image."""

import pytest
import torch

from ams.errors import UserError
from ams.integrations.programs import METHODS
from tests.ams.tools import assert_equal, draws

diffusers = pytest.importorskip("diffusers")
AMSScheduler = pytest.importorskip("ams.integrations.diffusers", exc_type=ImportError).AMSScheduler


@pytest.fixture(scope="module")
def pipeline():
    torch.manual_seed(0)
    blocks = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    unet = diffusers.UNet2DModel(8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4, **blocks)
    made = diffusers.DDPMPipeline(unet, diffusers.DDPMScheduler(beta_schedule="scaled_linear"))
    made.set_progress_bar_config(disable=True)
    return made


@pytest.mark.parametrize("method", METHODS)
def test_a_pipeline_runs_end_to_end(pipeline, method: str, tmp_path) -> None:
    pipeline.scheduler = AMSScheduler.from_config(pipeline.scheduler.config, method=method, repeats=2)
    pipeline.save_pretrained(tmp_path)
    loaded = diffusers.DDPMPipeline.from_pretrained(tmp_path).scheduler
    kept, given = ({k: v for k, v in each.config.items() if k[0] != "_"} for each in (loaded, pipeline.scheduler))
    assert kept == given and (given["method"], given["beta_schedule"]) == (method, "scaled_linear")
    images = []
    for scheduler in (pipeline.scheduler, loaded):
        pipeline.scheduler, generator = scheduler, torch.Generator().manual_seed(1)
        images.append(pipeline(2, generator, num_inference_steps=4, output_type="np").images)
    assert images[0].shape == (2, 8, 8, 3) and images[0].std() > 0.01
    assert (images[0] == images[1]).all()


def test_noise_for_image_to_image_is_that_of_training() -> None:
    image, noise, t = draws(1, 3, 1, 2, 2), draws(2, 3, 1, 2, 2), torch.tensor([999, 400, 0])
    assert_equal(
        AMSScheduler().add_noise(image, noise, t), diffusers.DDPMScheduler().add_noise(image, noise, t), 1e-6, 3e-6
    )


def test_a_run_begins_where_image_to_image_begins() -> None:
    """From the noise level of the middle, with a network whose denoised point is the image, the image comes back."""
    image, scheduler = draws(1, 2, 1, 2, 2), AMSScheduler(repeats=2, prediction_type="sample")
    ends = []
    for number in (8, None):  # as told, and as found from the timestep
        scheduler.set_timesteps(6)
        x = scheduler.add_noise(image, draws(2, 2, 1, 2, 2), scheduler.timesteps[8:9])
        scheduler.set_begin_index(number)
        for t in scheduler.timesteps[8:]:
            x = scheduler.step(image, t, x, torch.Generator().manual_seed(3)).prev_sample
        ends.append(x)
    assert_equal(ends[0], image, 1e-6)
    assert_equal(ends[0], ends[1])


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_a_step_is_that_of_every_prediction(kind: str) -> None:
    x, x0, steps = draws(1, 2, 3), draws(2, 2, 3), []
    for prediction in ("sample", kind):
        scheduler = AMSScheduler(prediction_type=prediction)
        scheduler.set_timesteps(10)
        v = scheduler._pairs[0][1].sigma
        scale, sigma = (1 + v**2) ** -0.5, v * (1 + v**2) ** -0.5
        eps = (x - scale * x0) / sigma
        output = {"sample": x0, "epsilon": eps, "v_prediction": scale * eps - sigma * x0}[prediction]
        steps.append(scheduler.step(output, scheduler.timesteps[0], x, torch.Generator().manual_seed(3), False)[0])
    assert_equal(steps[0], steps[1], 1e-6)


def test_what_it_does_not_know_is_said() -> None:
    with pytest.raises(UserError, match="unknown method 'adaptive momentun': did you mean adaptive momentum"):
        AMSScheduler(method="adaptive momentun")
    with pytest.raises(UserError, match="prediction_type 'score'"):
        scheduler = AMSScheduler(prediction_type="score")
        scheduler.step(draws(1, 2, 3), scheduler.timesteps[0], draws(1, 2, 3))
