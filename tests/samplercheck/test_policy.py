"""Steps that state a density: right ones in many forms hold, and each fault is refuted by its
check.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from samplercheck import adapters
from samplercheck.__main__ import main
from samplercheck.policy import conform_policy
from samplercheck.pytest_plugin import conformance_cases
from samplercheck.report import Report
from samplercheck.verdict_words import HOLDS, NOTED, REFUTED

RIGHT = """
import math
import torch


def kl(mean, mean_ref, std):
    return ((mean - mean_ref) ** 2 / (2 * std**2)).flatten(1).mean(1)


def step(model_output, t, t_next, x, prev=None, noise_level: float = 0.5):
    t = t.reshape(-1, 1, 1, 1)
    t_next = t_next.reshape(-1, 1, 1, 1)
    dt = t_next - t
    x0 = x - t * model_output
    score = -(x - (1 - t) * x0) / t**2
    g = noise_level * t**0.5
    mean = x + dt * (model_output - g**2 / 2 * score)
    std = g * (-dt) ** 0.5
    if prev is None:
        prev = mean + std * torch.randn_like(x)
    square = -((prev.detach() - mean) ** 2) / (2 * std**2)
    log_prob = (square - torch.log(std) - math.log(2 * math.pi) / 2).flatten(1).mean(1)
    return prev, log_prob, mean, std
"""
ENDS = ".flatten(1).mean(1)\n    return prev"
TABLE = '''
import torch
from dataclasses import dataclass


@dataclass
class Out:
    prev_sample: torch.Tensor
    log_probs: torch.Tensor
    pred_original: torch.Tensor


class step:
    """Ancestral DDIM with a table of its own; its last step is deterministic."""

    def __init__(self):
        self.alphas_cumprod = (1 - torch.linspace(1e-4, 0.02, 1000)).cumprod(0)
        self.final_alpha_cumprod = torch.tensor(1.0)

    def set_timesteps(self, count):
        self.timesteps = torch.linspace(999, 0, count).round().long()
        self.place = 0

    def step(self, model_output, timestep, sample, eta=0.0, prev_sample=None):
        i = (self.timesteps == timestep).nonzero().item()
        a = self.alphas_cumprod[timestep]
        last = i + 1 == len(self.timesteps)
        b = self.final_alpha_cumprod if last else self.alphas_cumprod[self.timesteps[i + 1]]
        x0 = (sample - (1 - a).sqrt() * model_output) / a.sqrt()
        std = eta * ((1 - b) / (1 - a) * (1 - a / b)).sqrt()
        mean = b.sqrt() * x0 + (1 - b - std**2).sqrt() * model_output
        if prev_sample is None:
            prev_sample = mean + std * torch.randn_like(sample)
        log_prob = -((prev_sample.detach() - mean) ** 2) / (2 * std**2) - std.log()
        return Out(prev_sample, log_prob.mean(dim=(1, 2, 3)), x0)
'''
RISING = """
import torch


def step(v, x, t, t_next, prev=None):
    x0, z = x + (1 - t) * v, x - t * v
    std = 0.3 * (t_next - t) ** 0.5
    mean = x + (t_next - t) * v - 0.09 / 2 * z / (1 - t) * (t_next - t)
    density = torch.distributions.Normal(mean, std)
    prev = density.sample() if prev is None else prev
    return {"log_prob": density.log_prob(prev).sum((1, 2, 3)), "mean": mean, "prev": prev}
"""
VARIANTS = {
    # text, what is replaced, by what, what is noted
    "as it is": (RIGHT, "", "", set()),
    "summed": (RIGHT, ENDS, ".flatten(1).sum(1)\n    return prev", set()),
    "by coordinate": (RIGHT, ENDS, "\n    return prev", set()),
    "channels alone": (RIGHT, ENDS, ".mean(1).sum((1, 2))\n    return prev", set()),
    "without constants": (
        RIGHT,
        " - torch.log(std) - math.log(2 * math.pi) / 2",
        "",
        {"density"},
    ),
    "another order": (
        RIGHT,
        "prev, log_prob, mean, std",
        "std, mean, log_prob, prev",
        set(),
    ),
    "float32 inside": (RIGHT, "    dt = ", "    x = x.float()\n    dt = ", set()),
    "asserted types": (
        RIGHT,
        "    dt = ",
        "    x = x.float()\n    assert x.dtype == torch.float32\n    dt = ",
        set(),
    ),
    "std of each row": (RIGHT, "mean, std\n", "mean, std.flatten()\n", set()),
    "last step still": (
        RIGHT,
        "(-dt) ** 0.5",
        "(-dt * (t_next != 0)) ** 0.5",
        {"boundaries"},
    ),
    "a table": (TABLE, "", "", {"boundaries", "density"}),
    "rising": (RISING, "", "", set()),
    "gradient of a draw": (
        RISING,
        "density.log_prob(prev)",
        "density.log_prob(prev + 0 * mean)",
        set(),
    ),
}
FAULTS = {
    # what is replaced, by what, the check, what is said
    "half left out": (
        "(2 * std**2)\n    log",
        "std**2\n    log",
        "density",
        "times 2 at every step",
    ),
    "square left out": ("/ (2 * std**2)\n    log", "\n    log", "density", "at steps 1 to 10"),
    "std for variance": ("(2 * std**2)\n    log", "(2 * std)\n    log", "density", "at steps 1 to"),
    "std without dt": ("(2 * std**2)\n    log", "(2 * g**2)\n    log", "density", "at steps 1 to"),
    "other sign": ("square = -(", "square = (", "density", "times -1 at every step"),
    "centre on x": ("prev.detach() - mean)", "prev.detach() - x)", "density", "centred"),
    "laplace": ("((prev.detach() - mean) ** 2)", "(prev.detach() - mean).abs()", "density", "quad"),
    "constant moves": (
        "square - torch.log(std)",
        "square - mean.detach()",
        "density",
        "not one for all rows",
    ),
    "ignores prev": (
        "(prev.detach() - mean) ** 2",
        "(x - mean) ** 2",
        "density",
        "times 0 at every",
    ),
    "mean before noise": (
        "prev, log_prob, mean,",
        "prev, log_prob, mean * 1.01,",
        "draw",
        "std off",
    ),
    "std of another": ("log_prob, mean, std\n", "log_prob, mean, 2 * std\n", "draw", "times 2 at"),
    "variance as std": ("mean, std\n", "mean, std**2\n", "draw", "at steps 1 to 10"),
    "draw not normal": (
        "std * torch.randn_like(x)",
        "std * torch.randn_like(x)**3",
        "draw",
        "std off",
    ),
    "the same draw at each step": (
        "std * torch.randn_like(x)",
        "std * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))",
        "marginals",
        "in one state",
    ),
    "one draw for all": ("torch.randn_like(x)", "torch.randn(1, 3, 5, 7)", "draw", "batch of 4"),
    "batch statistic": ("mean = x + dt", "mean = x - x.mean(0) + dt", "replay", "another batch"),
    "order of the batch": (
        "g = noise_level * t**0.5",
        "g = noise_level * t**0.5 * torch.arange(1, len(x) + 1).reshape(-1, 1, 1, 1)",
        "replay",
        "another batch",
    ),
    "rounded in replay": (
        "    square = ",
        "    else:\n        prev = prev.to(torch.bfloat16).to(x.dtype)\n    square = ",
        "replay",
        "rounded in one of both calls",
    ),
    "detached mean": (
        "prev.detach() - mean)",
        "prev.detach() - mean.detach())",
        "gradient",
        "0 at",
    ),
    "no gradient": ("def step(", "@torch.no_grad()\ndef step(", "gradient", "times 0 at every"),
    "detached output": (
        "x0 = x - t * model",
        "x0 = x - t * model_output.detach()\n    #",
        "gradient",
        "1 to",
    ),
    "drift without score": (" - g**2 / 2 * score)", ")", "marginals", "no number of steps"),
    "drift of a whole": ("g**2 / 2 * score", "g**2 * score", "marginals", "no number of steps"),
    "score of x0": ("(x - (1 - t) * x0)", "(x - x0)", "marginals", "no number of steps"),
    "noise of dt": ("g * (-dt) ** 0.5", "g * -dt", "marginals", "no number of steps"),
    "std of last step": ("(-dt) ** 0.5", "(-dt) ** 0.5 / (t != 1)", "boundaries", "step 1, from"),
    "log of 1 - t": ("torch.log(std)", "torch.log(std * (1 - t))", "boundaries", "step 1, from"),
    "KL of std": ("(2 * std**2)).flatten", "(2 * std)).flatten", "KL", "at steps 1 to 10"),
    "KL without half": ("(2 * std**2)).flatten", "std**2).flatten", "KL", "times 2 at every step"),
}


@pytest.fixture
def module(tmp_path: Path) -> Callable[[str], str]:
    def load(text: str) -> str:
        path = tmp_path / f"step_{len([*tmp_path.iterdir()])}.py"
        path.write_text(text, encoding="utf-8")
        return f"{path}:step"

    return load


def verdicts(report: Report) -> dict[str, str]:
    return {each.check: each.verdict for each in report.judgements}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_refuted_by_its_check(module: Callable[[str], str], name: str) -> None:
    old, new, check, words = FAULTS[name]
    assert RIGHT.count(old) == 1
    report = conform_policy(module(RIGHT.replace(old, new)))
    assert verdicts(report)[check] == REFUTED, report.text()
    assert words in next(each.why for each in report.judgements if each.check == check)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_right_step_holds_in_many_forms(module: Callable[[str], str], name: str) -> None:
    text, old, new, noted = VARIANTS[name]
    assert old in text
    report = conform_policy(module(text.replace(old, new) if old else text))
    assert report.verdict == HOLDS, report.text()
    assert {each.check for each in report.judgements if each.verdict == NOTED} == noted


def test_a_counter_of_steps_is_refuted_by_its_replay(module: Callable[[str], str]) -> None:
    counted = TABLE.replace(
        "i = (self.timesteps == timestep).nonzero().item()",
        "i, self.place = self.place, self.place + 1",
    )
    report = conform_policy(module(counted))
    assert verdicts(report) == {
        **verdicts(conform_policy(module(TABLE))),
        "replay": REFUTED,
    }


def test_a_step_that_only_states_a_density(module: Callable[[str], str]) -> None:
    draws = "    if prev is None:\n        prev = mean + std * torch.randn_like(x)\n"
    text = RIGHT.replace(draws, "").replace("log_prob, mean, std", "log_prob, mean, g * std / std")
    report = conform_policy(module(text.replace("def kl", "def divergence")))
    assert report.verdict == HOLDS and "draw" in report.not_made
    assert verdicts(conform_policy(module(text.replace("(2 * std", "(std"))))["density"] == REFUTED


def test_a_std_without_the_root_of_dt_is_noted_and_its_divergence_refuted(
    module: Callable[[str], str],
) -> None:
    report = conform_policy(module(RIGHT.replace("mean, std\n", "mean, g * std / std\n")))
    assert verdicts(report)["draw"] == NOTED and verdicts(report)["KL"] == REFUTED
    first = next(each.why for each in report.judgements if each.check == "draw")
    assert "dt = 0.0357, 0.0412" in first  # 3 u / (1 + 2 u) between u = 1, 0.9 and 0.8


REPORTED = {
    # restated; the step as it is in `RIGHT` is the mended one
    "Tencent-Hunyuan/UniRL 38: a KL with another process's std": (
        "    return prev, log_prob, mean, std\n",
        "    flow_std = 0.7 * (t / (1 - t.clamp(max=0.99))) ** 0.5 * (-dt) ** 0.5\n"
        "    return prev, log_prob, mean, flow_std\n",
        {"draw": "flow_std is that of the draw times 14, 4.43", "KL": "times 0.0051, 0.051"},
    ),
    "verl-project/verl-omni 279: rollouts on a schedule of one step less": (
        "    dt = ",
        "    if prev is None:\n        steps = 9\n"
        "        t, t_next = ((1 - (1 - s) * 10 / steps).clamp(min=1e-3) for s in (t, t_next))\n"
        "    dt = ",
        {"density": "step 1: log_prob is centred", "replay": "of a stored sample moves by"},
    ),
}


@pytest.mark.parametrize("name", REPORTED)
def test_a_reported_bug_is_refuted_before_its_fix(module: Callable[[str], str], name: str) -> None:
    old, new, seen = REPORTED[name]
    assert RIGHT.count(old) == 1
    report = conform_policy(module(RIGHT.replace(old, new)), {"shift": 1.0})
    for check, words in seen.items():
        judgement = next(each for each in report.judgements if each.check == check)
        assert judgement.verdict == REFUTED and words in judgement.why, report.text()


def test_a_floor_of_the_spread_is_noted(module: Callable[[str], str]) -> None:
    floor = RIGHT.replace("(-dt) ** 0.5", "(-dt) ** 0.5\n    std = std.clamp(min=0.03)")
    report = conform_policy(module(floor))
    assert verdicts(report)["marginals"] == NOTED, report.text()
    assert "more steps err more" in next(e.why for e in report.judgements if e.check == "marginals")


def test_a_density_where_nothing_is_drawn_is_noted(module: Callable[[str], str]) -> None:
    clamped = RIGHT.replace("(-dt) ** 0.5", "(-dt * (t_next != 0)) ** 0.5").replace(
        "    square =", "    shown, std = std, std.clamp(min=1e-3)\n    square ="
    )
    report = conform_policy(module(clamped.replace("mean, std\n", "mean, shown\n")))
    assert verdicts(report)["boundaries"] == NOTED, report.text()


def test_exit_codes_and_expected_failures(
    module: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, check, _ = FAULTS["half left out"]
    wrong = module(RIGHT.replace(old, new))
    assert main([wrong, "--policy"]) == 1
    expected = tmp_path / "expected.toml"
    expected.write_text(f'["{wrong}"]\n{check} = "so"\ngradient = "so"\n', encoding="utf-8")
    assert main([wrong, "--policy", "--expected", str(expected)]) == 0
    assert "holds but for 2 expected failures" in capsys.readouterr().out
    assert main([wrong.replace(":step", ":kl"), "--policy"]) == 3
    assert main([wrong, "--policy", "--order", "2"]) == 2


def test_cases_of_pytest(module: Callable[[str], str]) -> None:
    old, new, check, _ = FAULTS["half left out"]
    step = adapters.function(module(RIGHT.replace(old, new)))
    cases = {each.id: each.values[0] for each in conformance_cases(step, policy=True)}
    cases["step, replay"]()
    with pytest.raises(pytest.fail.Exception, match="times 2 at every step"):
        cases[f"step, {check}"]()


def test_the_page_has_the_report_of_its_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(__file__).parents[2] / "docs" / "test_your_policy.md"
    blocks = re.findall(r"```(\w*)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    code, report = (text for kind, text in blocks if kind)
    monkeypatch.chdir(tmp_path)
    Path("my_step.py").write_text(code, encoding="utf-8")
    text = conform_policy("my_step.py:step").text()
    assert re.sub(r" \([\d.]+ s, kit [\d.]+\)", "", text) + "\n" == report
