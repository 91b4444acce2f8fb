"""Adapters and sampling functions as libraries ship them.

How a sampler is named, what is refused, that each installed library's samplers run as they say; of
a function which argument is what, and what its network is told and returns.
"""

import ast
import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

from ams.errors import UserError
from ams_suite.__main__ import main
from samplercheck import Draws, Sampler, adapters, conform, imports
from samplercheck.adapters import function
from samplercheck.convergence import two_targets
from samplercheck.entry_points import load
from samplercheck.invariants import invariants
from samplercheck.judgement import end_distance
from samplercheck.order_conditions import order_conditions
from samplercheck.pytest_plugin import conformance_cases
from samplercheck.report import HOLDS, REFUTED
from samplercheck.sampler import trajectory
from survey import libraries
from survey.conformance.trials import BLIND
from tests.samplercheck.faulty import blind_sampler

pytest_plugins = ["pytester"]
OWN = """
from samplercheck import Sampler
from beside_own import halved
half = Sampler("half", "1", lambda network, x, steps, draws: halved(x), prior=lambda steps: 1.0)
def load(name, settings):
    return half if name == "made" else None
"""
POSTPONED = """
from __future__ import annotations
from dataclasses import dataclass
from samplercheck import Sampler
@dataclass
class Options:
    least: float = 0.01
own = Sampler("own", "1", lambda network, x, steps, draws: x, prior=lambda steps: 1.0)
"""


def test_a_library_that_is_missing_is_named_with_its_pip_command(monkeypatch):
    monkeypatch.setitem(adapters.LIBRARIES, "k-diffusion", "--no-deps k-diffusion-lost")
    with pytest.raises(
        UserError,
        match="k-diffusion is not installed: python -m pip install --no-deps k-diffusion-lost",
    ):
        adapters.load("k-diffusion:sample_euler")


def test_a_file_has_a_sampler_or_a_function_that_returns_one(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    file = tmp_path / "own.py"
    file.write_text(OWN)
    (tmp_path / "beside_own.py").write_text("def halved(x):\n    return x / 2\n")
    assert adapters.load(f"{file}:half").name == adapters.load(f"{file}:made").name == "half"
    with pytest.raises(UserError, match="has no Sampler 'other'"):
        adapters.load(f"{file}:other")


def test_a_file_is_a_module_while_it_is_loaded_and_none_after_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "modules", sys.modules.copy())
    (tmp_path / "postponed.py").write_text(POSTPONED)
    assert adapters.load(f"{tmp_path}/postponed.py:own").name == "own"
    (tmp_path / "fails.py").write_text("1 / 0\n")
    before = set(sys.modules)
    with pytest.raises(ZeroDivisionError):
        adapters.load(f"{tmp_path}/fails.py:own")
    assert set(sys.modules) == before


@pytest.mark.parametrize("library", [*adapters.LIBRARIES, "ams", *libraries.LOADED])
def test_every_sampler_of_a_library_that_is_here_takes_noise_to_the_data(library, monkeypatch):
    monkeypatch.setenv("AMS_OFFLINE", "1")
    if adapters.installed(library) is None:
        pytest.skip(f"{library} is not here")
    steps = 24 if library in libraries.LOADED else 12
    for name in adapters.adapter(library).names():
        # KDPM2 takes seconds to make on a refined training grid.
        sampler = adapters.load(
            f"{library}:{name}", {"grid": 1} if name.startswith("KDPM2") else {}
        )
        data = two_targets(sampler.data_std)
        x = sampler.prior(steps) * torch.randn(
            4, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
        )
        path = trajectory(sampler, data.network(), x, steps, Draws())
        assert (
            len(path.calls) >= 10 and path.end.shape == x.shape and bool(path.end.isfinite().all())
        ), name
        assert path.calls[-1].level.sigma < path.calls[0].level.sigma, name


@pytest.mark.parametrize(
    "name", ["k-diffusion:sample_euler_ancestral", "k-diffusion:sample_dpmpp_2m_sde"]
)
def test_eta_between_flow_and_reverse_sde_is_the_library_s(name):
    if adapters.installed("k-diffusion") is None:
        pytest.skip("k-diffusion is not installed")
    found = order_conditions(adapters.load(name, {"eta": 0.5}), (24, 36, 48, 72))
    assert found.order.low > 0.7, "its eta multiplies the deviation of the noise, or the variance"


def test_rounded_timesteps_are_said_in_words():
    if adapters.installed("diffusers") is None:
        pytest.skip("diffusers is not installed")
    name, said = (
        "diffusers:DPMSolverMultistepScheduler",
        ".*one of 1000 noise levels.* % in 20 steps.* of length 0.*",
    )
    assert re.match(
        said, adapters.load(name, {"grid": 1, "use_karras_sigmas": True}).rounding((20, 144))
    )
    assert not adapters.load(name, {"grid": 1}).rounding((20, 144))


def test_an_import_brings_no_library_and_no_statistics():
    code = "from samplercheck import adapters, conform; import sys; "
    code += "assert not {'azula', 'diffusers', 'monai', 'scipy'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


FUNCTIONS = """
import torch
from .beside import remaining


@torch.no_grad()
def flow(velocity, batch_size, channels, image_size, steps=50, generator=None):  # noise at 0
    x = torch.randn(batch_size, channels, image_size, image_size, generator=generator)
    times = torch.linspace(0, 1, steps + 1)
    for a, b in zip(times, times[1:]):
        x = x + (b - a) * velocity(t=a.expand(len(x)), x=x)
    return x


def ddim(x, seq, model, b, eta=0.0):  # as DDIM's: timesteps of betas, a pair of lists returned
    alpha = remaining(b)
    xs, x0s = [x], []
    for i, j in zip(reversed(seq), reversed([-1, *seq[:-1]])):
        at, to = alpha[i + 1], alpha[j + 1]
        eps = model(xs[-1], torch.full([len(x)], i))
        x0s.append((xs[-1] - (1 - at).sqrt() * eps) / at.sqrt())
        c = eta * ((1 - at / to) * (1 - to) / (1 - at)).sqrt()
        xs.append(to.sqrt() * x0s[-1] + c * torch.randn_like(x) + (1 - to - c * c).sqrt() * eps)
    return xs, x0s


def distilled(model, x, sigmas, generator, extra_args):  # multistep consistency sampling
    for a, b in zip(sigmas, sigmas[1:]):
        x = model(x, a, **extra_args)
        x = x + b * generator.randn_like(x)
    return x


def pingpong(model, x, times):  # the same, of a velocity
    for a, b in zip(times, times[1:]):
        x = (1 - b) * (x - a * model(x, a)) + b * torch.randn_like(x)
    return x


def ancestral(model, x, times):  # of a velocity too, with the posterior's mean
    for a, b in zip(times, times[1:]):
        x0, ratio = x - a * model(x, a), b / a * (1 - a) / (1 - b)
        kept = b * ratio / a
        x = (1 - b) * x0 + kept * (x - (1 - a) * x0)
        x = x + b * (1 - ratio**2) ** 0.5 * torch.randn_like(x)
    return x


def unknown(model, x, sigmas, conditioning):
    return x


def unclear(model, x, sigmas):
    return model(x, sigmas[0])


def bashforth(model, x, sigmas):  # of order 2, for steps of one length in log sigma
    old = None
    for a, b in zip(sigmas, sigmas[1:]):
        x0 = model(x, a)
        mixed = x0 if old is None or b == 0 else 1.5 * x0 - 0.5 * old
        x, old = b / a * x + (1 - b / a) * mixed, x0
    return x


class Samplers:
    ddim = staticmethod(ddim)
"""
FORMS = """
import torch


class Flow:  # takes the network where it is made, yields states under a key
    def __init__(self, model, share=1.0):
        self.model, self.share = model, share

    def sample(self, x, n):
        times = torch.linspace(1, 0, n + 1)
        for a, b in zip(times, times[1:]):
            x = x + self.share * (b - a) * self.model(x, a)
            yield {"time": b, "x": x}


class Shortcut(torch.nn.Module):
    def __init__(self, net, steps_before=0):
        super().__init__()
        self.net = net

    def forward(self, shape, denoise_timesteps):
        x, d = torch.randn(shape), 1 / denoise_timesteps
        for i in range(denoise_timesteps):
            x = x + d * self.net(x, i * d, d)
        return x


def mean_flow(model, x, n, factor=1.0):  # told both times, the second one first
    times = torch.linspace(1, 0, n + 1)
    for a, b in zip(times, times[1:]):
        x = x + factor * (b - a) * model(x, b, t=a)
    return x


def trajectory(model, x, sigmas):  # goes below the next level and adds noise
    for a, b in zip(sigmas, sigmas[1:]):
        x = model(x, a, 0.7 * b) + (0.51 * b * b) ** 0.5 * torch.randn_like(x)
    return x


def images(model, batch_size, channels, image_size, timesteps, wrong=0.0):  # of 3 x 8 x 8
    x = torch.randn(batch_size, channels, image_size, image_size)
    if tuple(x.shape[1:]) != (3, 8, 8):
        raise ValueError(f"a state of shape {tuple(x.shape[1:])}")
    for i in range(timesteps):
        v = model(x, 1 - i / timesteps)
        v[:, 2] *= 1 + wrong
        x = x - v / timesteps
    return x


class Called:
    def __call__(self, model, x, num_steps):
        return {"samples": mean_flow(model, x, num_steps)}


called = Called()


class Nothing:
    def look(self):
        pass
"""
BESIDE = """
import torch

def remaining(betas):
    return torch.cat([torch.ones(1), (1 - betas).cumprod(0)])
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "sampling.py"
    path.write_text(FUNCTIONS, encoding="utf-8")
    path.with_name("beside.py").write_text(BESIDE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("forms") / "forms.py"
    path.write_text(FORMS, encoding="utf-8")
    return path


def read(file: Path, name: str, network: str, **settings: object) -> Sampler:
    return load(function(f"{file}:{name}"), name, network, settings, None)


@pytest.mark.parametrize(
    ("name", "network", "settings", "convention"),
    [
        ("flow", "velocity", {}, "back@rising"),
        ("ddim", "model", {}, "eps@betas"),
        ("Samplers.ddim", "model", {"eta": 1.0}, "eps@betas"),
        ("distilled", "model", {}, "consistency@sigma"),
        ("pingpong", "model", {}, "consistency-flow@flow"),
        ("ancestral", "model", {}, "read as flow@flow"),
    ],
)
def test_a_right_function_is_read_and_holds(
    file: Path, name: str, network: str, settings: dict[str, object], convention: str
) -> None:
    sampler = read(file, name, network, **settings)
    assert sampler.version.partition(" of ")[0].endswith(convention)
    draws = settings or name in ("distilled", "pingpong", "ancestral")
    assert sampler.noise == (None if draws else 0.0)  # that it draws is seen, not with which noise
    report = conform(replace(sampler, order=None if "consistency" in convention else 1))
    assert report.verdict == HOLDS, report.text()


@pytest.mark.parametrize(
    ("name", "convention"),
    [
        ("r02", "x0@sigma"),
        ("r19", "v@cosine"),
        ("r20", "score@vp"),
        ("r21", "eps@betas"),
        ("r11", "v@linear"),
    ],
)
def test_a_right_sampler_of_other_authors_is_read_and_holds(name: str, convention: str) -> None:
    """EDM's, one whose times are asked for, one that draws its start, one of as many steps as
    betas, a scheduler.
    """
    sampler = blind_sampler(name)
    assert sampler.version.partition(" of ")[0].endswith(convention)
    assert conform(sampler).verdict == HOLDS


@pytest.mark.parametrize(
    ("name", "check"), [("w49", "order"), ("w22", "limit"), ("w40", "draws independent")]
)
def test_a_wrong_sampler_of_other_authors_is_read_and_refuted(name: str, check: str) -> None:
    """Weights of Adams and Bashforth's method, a scheduler's next level, a generator that is seeded
    in each step.
    """
    assert check in {
        each.check for each in conform(blind_sampler(name)).judgements if each.verdict == REFUTED
    }


def test_a_scheduler_may_have_settings_and_a_stated_convention() -> None:
    name = f"{BLIND}/deterministic_right.py:r11_ddim_v_scheduler"
    sampler = adapters.load(name, {"num_train_timesteps": 500}, "v@linear")
    assert sampler.version.endswith("v@linear of its own table")
    with pytest.raises(UserError, match="unknown setting of r11_ddim_v_scheduler"):
        adapters.load(name, {"train_timesteps": 500})
    with pytest.raises(UserError, match="--convention: of a sampling function"):
        adapters.load("ams:Heun ODE", {}, "x0@sigma")


def test_weights_for_even_steps_are_refuted_on_uneven_ones(file: Path) -> None:
    report = conform(replace(read(file, "bashforth", "model"), order=2))
    verdicts = {each.check: each.verdict for each in report.judgements}
    assert (verdicts["order of each step"], verdicts["order on uneven steps"]) == (
        HOLDS,
        REFUTED,
    ), report.text()
    unstated = conform(read(file, "bashforth", "model"))
    assert unstated.verdict == HOLDS and "not judged, since none is stated" in unstated.text()
    assert (
        f": {report.hint}" in report.text()
        and report.hint == "weights made for steps of one length"
    )


@pytest.mark.parametrize(
    ("name", "network", "words"),
    [
        ("flows", "velocity", "unknown function of .*did you mean flow"),
        ("ddim", "modle", "unknown parameter of ddim 'modle': did you mean model"),
        ("unknown", "model", "unknown needs 'conditioning'.*--set NAME=VALUE, or write run"),
        ("unclear", "model", "is not clear: .*--convention PREDICTION@TIME"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_line(
    file: Path, name: str, network: str, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        read(file, name, network)


def test_a_convention_may_be_stated_and_must_be_known(file: Path) -> None:
    asked = function(f"{file}:unclear")
    assert load(asked, "unclear", "model", {}, "x0@sigma").version.endswith("x0@sigma")
    with pytest.raises(UserError, match="unknown convention 'x0@sigmas': did you mean x0@sigma"):
        load(asked, "unclear", "model", {}, "x0@sigmas")


def test_a_module_is_found_without_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "broken_package"
    package.mkdir()
    (package / "__init__.py").write_text("import no_such_module", encoding="utf-8")
    (package / "beside.py").write_text(BESIDE, encoding="utf-8")
    (package / "sampling.py").write_text(FUNCTIONS, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert function("broken_package.sampling:flow").__name__ == "flow"
    with pytest.raises(UserError, match=r"no module 'broken_package\.lost' is installed"):
        function("broken_package.lost:flow")


def test_the_command_names_the_function_and_its_convention(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["conform", f"{file}:bashforth", "--order", "1"]
    assert main([*asked, "--network", "model"]) == 0
    read = "sampling.py:bashforth as it is, from noise to data, its network read as x0@sigma: holds"
    assert read in capsys.readouterr().out
    assert main([*asked, "--convention", "x0@sigma"]) == 2
    assert "--convention: of a sampling function, with --network" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "network", "convention", "settings", "refuted"),
    [
        ("Flow", "model", "flow@flow", {}, ""),
        ("Flow.sample", "model", "flow@flow", {"share": 0.95}, "limit"),
        ("called", "model", "average-flow@to,flow", {}, ""),
        ("Shortcut", "net", "average-back@rising,step", {}, ""),
        ("mean_flow", "model", "average-flow@to,flow", {}, ""),
        ("trajectory", "model", "map@sigma,to", {}, ""),
    ],
)
def test_what_a_library_ships_can_be_named(
    forms: Path, name: str, network: str, convention: str, settings: dict[str, object], refuted: str
) -> None:
    sampler = read(forms, name, network, **settings)
    assert sampler.version.endswith(f" {convention}")
    report = conform(sampler)
    assert report.verdict == (REFUTED if refuted else HOLDS), report.text()
    assert not refuted or refuted in {
        each.check for each in report.judgements if each.verdict == REFUTED
    }
    leaps = "," in convention and name != "trajectory"
    assert not leaps or max(report.w2.values()) < 1e-3, "a flow map is exact in any number of steps"


def test_a_wrong_use_of_an_average_velocity_is_refuted(forms: Path) -> None:
    asked = function(f"{forms}:mean_flow")
    report = conform(load(asked, "wrong", "model", {"factor": 1.02}, "average-flow@to,flow"))
    assert {"limit", "end"} <= {each.check for each in report.judgements if each.verdict == REFUTED}


@pytest.mark.parametrize(("wrong", "verdict"), [(0.0, HOLDS), (0.1, REFUTED)])
def test_states_may_have_a_fixed_shape(forms: Path, wrong: float, verdict: str) -> None:
    """Its elements are those of the kit, repeated: an error in the last channel alone is seen."""
    asked = function(f"{forms}:images")
    report = conform(load(asked, "images", "model", {"wrong": wrong}, "flow@flow", (3, 8, 8)))
    assert report.verdict == verdict, report.text()
    with pytest.raises(ValueError, match="a state of shape"):
        load(asked, "images", "model", {}, "flow@flow")


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ("3,x", "--shape 3,x: expected the sizes of one state"),
        ("7", "--shape 7: expected"),
        ("2,2,2", "a state of shape (2, 2, 2)"),
    ],
)
def test_a_shape_is_that_of_a_state(
    forms: Path, capsys: pytest.CaptureFixture[str], shape: str, words: str
) -> None:
    main(
        [
            "conform",
            f"{forms}:images",
            "--network",
            "model",
            "--convention",
            "flow@flow",
            "--shape",
            shape,
        ]
    )
    assert words in capsys.readouterr().err


RAISES = """
import pytest
from samplercheck.pytest_plugin import conformance_cases

def raises(model, x, n):
    raise RuntimeError("out\\nof luck")

@pytest.mark.parametrize("check", conformance_cases(raises, network="model"))
def test_conformance(check):
    check()
"""


def test_in_pytest_a_sampler_that_raises_fails_once(pytester: pytest.Pytester, forms: Path) -> None:
    pytester.makepyfile(RAISES)
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-k", "limit or order or finite")
    assert done.parseoutcomes()["failed"] == 1 and done.parseoutcomes()["skipped"] > 3
    done.stdout.fnmatch_lines(["it raised RuntimeError: out of luck"])
    with pytest.raises(UserError, match=r"images at .*expected a Sampler"):
        conformance_cases(function(f"{forms}:images"))
    with pytest.raises(UserError, match="'a name': expected a Sampler"):
        conformance_cases("a name")


def test_a_function_as_it_is_has_the_cases_of_its_sampler(forms: Path) -> None:
    cases = conformance_cases(function(f"{forms}:images"), 1, network="model", shape=(3, 8, 8))
    outcomes = {case.id: case.values[0] for case in cases}
    outcomes["images, order"]()
    wrong = conformance_cases(function(f"{forms}:images"), 3, network="model", shape=(3, 8, 8))
    with pytest.raises(pytest.fail.Exception, match="images: order: measured"):
        next(case.values[0] for case in wrong if case.id == "images, order")()


def test_a_shape_fills_up_where_its_elements_are_no_multiple() -> None:
    drawn = adapters.load("ams:ancestral")
    plain, shaped = conform(drawn), conform(replace(drawn, shape=(3, 5, 3)))
    assert shaped.w2 == pytest.approx(plain.w2, rel=1e-9) and shaped.verdict == plain.verdict
    with pytest.raises(
        TypeError, match=r"shape is \(7,\): expected the sizes of one state of 8 elements"
    ):
        replace(drawn, shape=(7,))


def test_a_class_without_a_method_that_samples_is_said_to_have_none(forms: Path) -> None:
    with pytest.raises(
        UserError, match=r"which method samples is not known: write Nothing\.METHOD, of look"
    ):
        read(forms, "Nothing", "model")


NEEDS = """
import lost_a
from lost_b.layers import Layer as Base
from lost_c import annotated

class Network(Base):
    def forward(self, x: annotated["n d"] | None):
        return lost_a.rearranged(x)
"""


def test_all_imports_that_are_missing_are_named_at_once_and_may_be_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "modules", sys.modules.copy())
    monkeypatch.setattr(sys, "meta_path", sys.meta_path.copy())
    monkeypatch.setattr(imports._FINDER, "names", [])
    (tmp_path / "needs.py").write_text(NEEDS, encoding="utf-8")
    assert (
        main(["conform", f"{tmp_path}/needs.py:Network", "--network", "x", "--stub", "lost_a"]) == 2
    )
    assert "needs lost_b, lost_c: " in capsys.readouterr().err
    imports._FINDER.names.clear()
    with pytest.raises(
        UserError,
        match=r"needs lost_a, lost_b, lost_c: .*: --stub lost_a --stub lost_b --stub lost_c",
    ):
        function(f"{tmp_path}/needs.py:Network")
    imports.stub("lost_a", "lost_b", "lost_c")
    sampler = adapters.module_of(tmp_path / "needs.py").Network()
    with pytest.raises(UserError, match=r"lost_a\.rearranged is called, which --stub left out"):
        sampler.forward(None)


def test_every_scheduler_of_diffusers_is_judged_or_named_with_the_reason() -> None:
    if adapters.installed("diffusers") is None:
        pytest.skip("diffusers is not installed")
    import diffusers

    there = {name for name in dir(diffusers) if name.endswith("Scheduler")}
    known = adapters.adapter("diffusers")
    assert there <= {*known.names(), *known.left_out}
    with pytest.raises(
        UserError, match="RePaintScheduler is not judged: it fills a part of an image"
    ):
        adapters.load("diffusers:RePaintScheduler")


@pytest.mark.parametrize(
    "name", ["SCM", "TCD", "CMStochasticIterative", "FlowMapEulerDiscrete", "UnCLIP"]
)
def test_distilled_networks_and_previous_timesteps_of_diffusers_reach_the_data(name: str) -> None:
    if adapters.installed("diffusers") is None:
        pytest.skip("diffusers is not installed")
    distance = end_distance(adapters.load(f"diffusers:{name}Scheduler"), two_targets(1.0), 8)
    assert distance < (1.0 if name == "UnCLIP" else 0.06)


def test_the_kit_names_no_module_of_the_suite_that_it_may_judge() -> None:
    """In no import and in no string."""
    folder = Path(adapters.__file__).parents[1]
    suite = re.compile(r"(survey|ams\.(samplers|integrations|data|traces))([.:]|$)")
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            parts = {ast.Constant: "value", ast.ImportFrom: "module", ast.alias: "name"}
            name = getattr(node, parts.get(type(node), ""), None)
            assert not (isinstance(name, str) and suite.match(name)), f"{file.name}: {name}"


def test_a_package_adds_libraries_by_an_entry_point(
    monkeypatch: pytest.MonkeyPatch, capsys
) -> None:  # type: ignore[no-untyped-def]
    broken = EntryPoint("broken", "no_such_module", adapters.GROUP)
    monkeypatch.setattr(
        adapters, "entry_points", lambda group: [broken] * (group == adapters.GROUP)
    )
    adapters._imported.__wrapped__()
    assert (
        "the libraries of no_such_module are left out: No module named" in capsys.readouterr().err
    )
    asked = [sys.executable, "-c", "from samplercheck import adapters; print(*adapters.others())"]
    there = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    assert {"ams", "dpm-solver", "openai/guided-diffusion"} <= {*there}


class KeepsItsPast:
    """Adams-Bashforth's method of order 2 on a flow, whose second run begins with the past of the
    first.
    """

    def __init__(self, model):
        self.model, self.past = model, None

    def sample(self, z, M):
        for k in range(M):
            slope = self.model(z, torch.tensor(k / M, dtype=z.dtype))
            z = z + (slope if self.past is None else 1.5 * slope - 0.5 * self.past) / M
            self.past = slope
        return M, z


def test_unnamed_parameters_are_read_by_their_place_and_an_object_runs_twice():
    sampler = load(KeepsItsPast, "past", "model", {}, "back@rising")
    assert invariants(sampler)["second run"].holds is None
    path = trajectory(
        sampler, two_targets(1.0).network(), torch.ones(2, 8, dtype=torch.float64), 9, Draws()
    )
    assert len(path.calls) == 9 and bool(path.end.isfinite().all())
