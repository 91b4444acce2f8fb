"""Sampling functions as libraries ship them: which argument is what, and what their network is told and returns."""

from pathlib import Path

import pytest

from ams.errors import UserError
from ams_suite.__main__ import main
from samplercheck import Sampler, adapters, conform
from samplercheck.adapters import function
from samplercheck.entry_points import load
from samplercheck.report import HOLDS, REFUTED

FUNCTIONS = """
import torch
from .beside import mesh


def sample_heun(model, x, sigmas, extra_args=None, disable=None, weight=0.5):  # as k-diffusion's
    for a, b in zip(sigmas, sigmas[1:]):
        d = (x - model(x, a * x.new_ones([len(x)]))) / a
        if b == 0:
            return x + (b - a) * d
        y = x + (b - a) * d
        x = x + (b - a) * ((1 - weight) * d + weight * (y - model(y, b * x.new_ones([len(x)]))) / b)


def edm_euler(net, latents, num_steps=18, sigma_min=0.002, sigma_max=80, rho=7):  # as EDM's: of unit variance
    t = mesh(num_steps, max(sigma_min, net.sigma_min), min(sigma_max, net.sigma_max), rho)
    x = latents.to(torch.float64) * t[0]
    for a, b in zip(t, t[1:]):
        x = x + (b - a) * (x - net(x, net.round_sigma(a)).to(torch.float64)) / a
    return x


@torch.no_grad()
def flow(velocity, batch_size, channels, image_size, steps=50, device="cuda"):  # draws its own start, noise at 0
    x = torch.randn(batch_size, channels, image_size, image_size, device=device)
    times = torch.linspace(0, 1, steps + 1)
    for a, b in zip(times, times[1:]):
        x = x + (b - a) * velocity(t=a.expand(len(x)), x=x)
    return x


def falling(model, noise, timesteps, shift=0.0):  # a velocity, noise at 1; the times are asked for
    states = [noise]
    for a, b in zip(timesteps, timesteps[1:]):
        states.append(states[-1] + (b - a) * model(states[-1], a) + shift * (b - a))
    return states


def ddim(x, seq, model, b, eta=0.0):  # as DDIM's: timesteps of betas, a pair of lists returned
    alpha = torch.cat([torch.ones(1), (1 - b).cumprod(0)])
    xs, x0s = [x], []
    for i, j in zip(reversed(seq), reversed([-1, *seq[:-1]])):
        at, to = alpha[i + 1], alpha[j + 1]
        eps = model(xs[-1], torch.full([len(x)], i))
        x0s.append((xs[-1] - (1 - at).sqrt() * eps) / at.sqrt())
        c = eta * ((1 - at / to) * (1 - to) / (1 - at)).sqrt()
        xs.append(to.sqrt() * x0s[-1] + c * torch.randn_like(x) + (1 - to - c * c).sqrt() * eps)
    return xs, x0s


def ddpm(model, shape, betas, keep=1.0, seed=None):  # each of the betas is a step
    x, alpha = torch.randn(shape), (1 - betas).cumprod(0)
    for i in reversed(range(len(betas))):
        before = alpha[i - 1] if i else torch.ones(())
        eps = model(x, torch.full([len(x)], i))
        x = (x - keep * betas[i] / (1 - alpha[i]).sqrt() * eps) / (1 - betas[i]).sqrt()
        drawn = torch.Generator().manual_seed(seed) if seed is not None else None
        x = x + (betas[i] * (1 - before) / (1 - alpha[i])).sqrt() * torch.randn(shape, generator=drawn)
    return x


class Scheduler:  # of diffusers' form, without its configuration; it returns a tuple
    def __init__(self, off=0):
        self.alpha, self.off = (1 - torch.linspace(1e-4, 0.02, 1000)).cumprod(0), off

    def set_timesteps(self, steps):
        self.timesteps = torch.linspace(999, 0, steps).round().long()
        self.after = dict(zip(self.timesteps.tolist(), self.timesteps.tolist()[1:]))

    def step(self, eps, t, x):
        at = self.alpha[t]
        to = self.alpha[min(self.after[int(t)] + self.off, 999)] if int(t) in self.after else torch.ones(())
        return (to.sqrt() * (x - (1 - at).sqrt() * eps) / at.sqrt() + (1 - to).sqrt() * eps,)


def angles(model, x, steps):  # as v-diffusion's: `steps` are times
    for a, b in zip(steps, steps[1:]):
        v = model(x, a.expand(len(x)))
        turn = (a - b) * torch.pi / 2
        x = x * torch.cos(turn) - v * torch.sin(turn)
    return x


def unknown(model, x, sigmas, conditioning):
    return x


def unclear(model, x, sigmas):
    return model(x, sigmas[0])


def bashforth(model, x, sigmas):  # of order 2, with weights that are right for steps of one length in log sigma
    old = None
    for a, b in zip(sigmas, sigmas[1:]):
        x0 = model(x, a)
        mixed = x0 if old is None or b == 0 else 1.5 * x0 - 0.5 * old
        x, old = b / a * x + (1 - b / a) * mixed, x0
    return x


class Samplers:
    heun = staticmethod(sample_heun)
"""
BESIDE = """
import torch

def mesh(n, low, high, rho):
    i = torch.arange(n, dtype=torch.float64)
    t = (high ** (1 / rho) + i / (n - 1) * (low ** (1 / rho) - high ** (1 / rho))) ** rho
    return torch.cat([t, t.new_zeros(1)])
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "sampling.py"
    path.write_text(FUNCTIONS, encoding="utf-8")
    path.with_name("beside.py").write_text(BESIDE, encoding="utf-8")
    return path


def read(file: Path, name: str, network: str, **settings: object) -> Sampler:
    return load(function(f"{file}:{name}"), name, network, settings, None)


@pytest.mark.parametrize(
    ("name", "network", "settings", "convention", "order"),
    [
        ("sample_heun", "model", {}, "x0@sigma", 2),
        ("Samplers.heun", "model", {}, "x0@sigma", 2),
        ("edm_euler", "net", {}, "x0@sigma", 1),
        ("flow", "velocity", {}, "back@rising", 1),
        ("falling", "model", {}, "back@rising", 1),  # as right as flow@flow: the direction of its times is free
        ("ddim", "model", {}, "eps@betas", 1),
        ("ddim", "model", {"eta": 1.0}, "eps@betas", 1),
        ("angles", "model", {}, "v@cosine", 1),
        ("ddpm", "model", {"keep": 1}, "eps@betas", 1),
    ],
)
def test_a_right_function_is_read_and_holds(
    file: Path, name: str, network: str, settings: dict[str, object], convention: str, order: int
) -> None:
    sampler = read(file, name, network, **settings)
    assert sampler.version.endswith(convention)
    assert sampler.noise == (None if settings else 0.0)  # that it draws is seen, not with which noise
    report = conform(Sampler(**{**vars(sampler), "order": order}))
    assert report.verdict == HOLDS, report.text()


@pytest.mark.parametrize(
    ("name", "settings", "check"), [("sample_heun", {"weight": 0.4}, "order"), ("falling", {"shift": 0.15}, "limit")]
)
def test_a_wrong_function_is_read_and_refuted(file: Path, name: str, settings: dict[str, float], check: str) -> None:
    report = conform(Sampler(**{**vars(read(file, name, "model", **settings)), "order": 2 if check == "order" else 1}))
    assert report.verdict == REFUTED
    assert next(each for each in report.judgements if each.check == check).verdict == REFUTED


def test_a_generator_that_is_seeded_in_each_step_is_refuted(file: Path) -> None:
    report = conform(read(file, "ddpm", "model", seed=1))
    assert [each.check for each in report.judgements if each.verdict == REFUTED] == ["draws independent"]


def test_a_scheduler_needs_no_configuration(file: Path) -> None:
    right = adapters.load(f"{file}:Scheduler")
    assert right.version.endswith("eps@linear")
    assert conform(right).verdict == HOLDS
    wrong = adapters.load(f"{file}:Scheduler", {"off": 20}, "eps@linear")
    assert conform(wrong).verdict == REFUTED
    with pytest.raises(UserError, match="--convention: of a sampling function"):
        adapters.load("k-diffusion:sample_heun", {}, "x0@sigma")


def test_weights_for_even_steps_are_refuted_on_uneven_ones(file: Path) -> None:
    report = conform(Sampler(**{**vars(read(file, "bashforth", "model")), "order": 2}))
    verdicts = {each.check: each.verdict for each in report.judgements}
    assert (verdicts["order of each step"], verdicts["order on uneven steps"]) == (HOLDS, REFUTED), report.text()
    assert f": {report.hint}" in report.text() and report.hint == "weights made for steps of one length"


@pytest.mark.parametrize(
    ("name", "network", "words"),
    [
        ("sample_heum", "model", "unknown function of .*did you mean sample_heun"),
        ("sample_heun", "modle", "unknown parameter of sample_heun 'modle': did you mean model"),
        ("unknown", "model", "unknown needs 'conditioning'.*--set NAME=VALUE, or write run"),
        ("unclear", "model", "is not clear: .*--convention PREDICTION@TIME"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_line(file: Path, name: str, network: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        read(file, name, network)


def test_a_convention_may_be_stated_and_must_be_known(file: Path) -> None:
    asked = function(f"{file}:unclear")
    assert load(asked, "unclear", "model", {}, "x0@sigma").version.endswith("x0@sigma")
    with pytest.raises(UserError, match="unknown convention 'x0@sigmas': did you mean x0@sigma"):
        load(asked, "unclear", "model", {}, "x0@sigmas")


def test_a_module_is_found_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "broken_package"
    package.mkdir()
    (package / "__init__.py").write_text("import no_such_module", encoding="utf-8")
    (package / "beside.py").write_text(BESIDE, encoding="utf-8")
    (package / "sampling.py").write_text(FUNCTIONS, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert function("broken_package.sampling:flow").__name__ == "flow"
    with pytest.raises(UserError, match=r"no module 'broken_package\.lost' is installed"):
        function("broken_package.lost:flow")


def test_the_command_names_the_function_and_its_convention(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["conform", f"{file}:sample_heun", "--order", "2"]
    assert main([*asked, "--network", "model"]) == 0
    assert "sampling.py:sample_heun as it is, its network read as x0@sigma: holds" in capsys.readouterr().out
    assert main([*asked, "--convention", "x0@sigma"]) == 2
    assert "--convention: of a sampling function, with --network" in capsys.readouterr().err
