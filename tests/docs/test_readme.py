"""README's own code runs, what it names exists, and what it says of results is what the kept values give."""

import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ams.data import DATASETS, images, registry
from ams.data.files import ENTRIES
from ams.laws import GaussianLaw
from ams.samplers import langevin, sample
from ams.schedules import Level
from tests.claims import claims
from tests.verdicts.toy import Toy
from verdicts.claims.loading import load_claims
from verdicts.claims.schema import Profile
from verdicts.records.expected import Expected, expected_path
from verdicts.report import readme_blocks as readme
from verdicts.run.group import run_group
from verdicts.run.plan import Run
from verdicts.run.publish import collect

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def shown(word: str, kind: str = "python") -> str:
    """Return the block of README that holds a word."""
    return next(block for block in re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL) if word in block)


@pytest.fixture
def step():
    """Return the sampler that README shows how to add: plain Langevin."""
    names: dict[str, object] = {}
    exec(shown("def my_step"), names)
    return names["my_step"]


def test_the_shown_sampler_is_langevin_on_particles(step):
    ends = []
    for one in (step, langevin()):
        generator = torch.Generator().manual_seed(1)
        start = torch.ones(4, 3, dtype=torch.float64)
        program = [(one, Level(0, sigma=0.0, step=0.1))] * 20
        ends.append(sample(program, start, lambda x, level: -x, generator)[0].x)
    assert torch.allclose(*ends, rtol=0, atol=1e-12)


def test_the_shown_sampler_has_its_exact_law(step):
    law = GaussianLaw([1.0])
    state, _ = law.end([(step, Level(0, sigma=0.0, step=0.1))] * 400, law.start(0.0, 1.0))
    assert law.moments(state.x).variance.item() == pytest.approx(1 / (1 - 0.05), rel=1e-12)


@pytest.fixture
def claim(tmp_path):
    """Return the workspace of a small repository to which README's claim was added, as README says."""
    toy = Toy.make(tmp_path)
    toy.write_module("step_bias", shown('@check("Y1'))
    entry = shown("Y1", "toml").replace("analysis.step_bias", f"{toy.package}.step_bias")
    toy.write("paper/claims.toml", (toy.root / "paper/claims.toml").read_text() + entry)
    toy.write("tests/test_step_bias.py", shown("def test_a_shorter_step_breaks_y1"))
    return toy


def verdict_of(toy):
    workspace = toy.workspace()
    group = next(group for group in workspace.claims.group if group.id == "step_bias")
    run_group(workspace, Run.begin(workspace), group, lambda claim, record: None, pytest.fail)
    return next(row.verdict for row in collect(workspace).claims if row.id == "Y1")


def test_the_shown_claim_holds_and_can_fail(claim):
    assert verdict_of(claim) == "holds"
    claim.write("config/quick.yaml", "one_process: true\nnotebooks: false\ngroups: {step_bias: {step: 0.09}}\n")
    assert verdict_of(claim) == "refuted"


def test_the_shown_falsifier_sees_the_shown_claim_s_verdict_flip(claim, monkeypatch):
    monkeypatch.setattr("tests.claims.ROOT", claim.workspace().root)
    monkeypatch.setattr("tests.claims.claims", claims.__wrapped__)
    code = shown("def test_a_shorter_step_breaks_y1").replace("analysis.step_bias", f"{claim.package}.step_bias")
    names: dict[str, Callable[[], None]] = {}
    exec(code, names)
    names["test_a_shorter_step_breaks_y1"]()
    claim.replace_in_module("step_bias", "settings.step", "0.1 + 0 * settings.step")
    with pytest.raises(AssertionError):
        names["test_a_shorter_step_breaks_y1"]()


def test_sampler_and_target_run_together_as_shown(capsys):
    names: dict[str, object] = {}
    for word in ("def my_step", "class Interval", "target, level, generator"):
        exec(shown(word), names)
    low, high = (float(end) for end in re.findall(r"-?\d\.\d+", capsys.readouterr().out))
    assert -1.5 < low < -0.5 < 0.5 < high < 1.5


def test_the_shown_target_is_a_law_with_its_score():
    names: dict[str, object] = {}
    exec(shown("class Interval"), names)
    target, level = names["Interval"](), Level(0, sigma=0.1, step=0.001)
    x = torch.linspace(-2, 2, 4001, dtype=torch.float64)[:, None]
    density = target.log_density(x, level).exp()
    assert torch.trapezoid(density, x[:, 0]).item() == pytest.approx(1, abs=1e-9)
    slope = torch.gradient(density.log(), spacing=(x[:, 0],))[0]
    assert torch.allclose(target.score(x, level)[1:-1, 0], slope[1:-1], rtol=0, atol=0.05)
    generator = torch.Generator().manual_seed(1)
    end = sample([(langevin(), level)] * 50, target.sample(64, level, generator), target.score, generator)[0].x
    assert end.shape == (64, 1) and end.abs().max() < 2


def test_the_shown_data_set_is_read_once_it_is_registered(tmp_path, monkeypatch, capsys):
    names: dict[str, object] = {}
    pixels, classes = np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.array([0, 4])
    path = tmp_path / "mine" / "mine.npz"
    path.parent.mkdir()
    np.savez(path, x=pixels, y=classes)
    monkeypatch.setenv("AMS_DATA", str(tmp_path))
    monkeypatch.chdir(path.parent)
    exec(shown("def entry(path)"), names)
    mine = registry.entries(tomllib.loads(capsys.readouterr().out)["images"], registry.Dataset)["mine"]
    monkeypatch.setattr("ams.data.loaders.DATASETS", {**DATASETS, "mine": mine})
    monkeypatch.setattr("ams.data.files.ENTRIES", {**ENTRIES, "mine": mine})
    found = images("mine")
    assert torch.equal((found.x * 255).round().to(torch.uint8), torch.from_numpy(pixels)) and found.y.tolist() == [0, 4]


def test_every_file_that_is_named_is_there():
    named = re.findall(r"[`(]((?:paper|analysis|src|tests|config)/[\w./-]*)[`)]", TEXT)
    named = [name for name in named if name != "analysis/step_bias.py"]
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_claim_that_is_named_is_there():
    known = {claim.id for claim in load_claims(ROOT).claim}
    outside = readme.BLOCK.sub("", TEXT)
    prose = re.sub(r"```.*?```|`[^`]*`", "", outside, flags=re.DOTALL)
    assert set(re.findall(r"\b[A-Z]\d[a-c]?\b", prose)) <= known


@pytest.mark.parametrize("name", readme.PAGES)
def test_what_the_pages_say_of_results_is_what_the_kept_values_give(name):
    assert name not in list(readme.outdated(ROOT)), "python -m verdicts.report.readme_blocks"


def test_the_picture_is_what_the_kept_values_give():
    assert readme.PICTURE not in list(readme.outdated(ROOT)), "python -m verdicts.report.readme_blocks"


@pytest.fixture
def copy(tmp_path):
    """Return a copy of what the pages are made from."""
    for name in ("README.md", "paper", "config"):
        source = ROOT / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path / name)
    for folder in ("tests", "analysis", "experiments"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return tmp_path


def kept(claims, verdict, value):
    """Return values of a run in which every check gave the same."""
    check = {"value": value, "low": value, "high": value, "verdict": verdict}
    cost = {"verdict": verdict, "seconds": 61.0, "peak_mib": 2048.0}
    rows = {claim.id: {**cost, "checks": {each.id: check for each in claim.check}} for claim in claims}
    origin = {"profile": "cpu", "newest": "2031-02-03T04:05", "processor": "Abacus", "device": "cpu", "commit": None}
    return Expected.model_validate({**origin, "claims": rows})


def test_pages_follow_the_kept_values(copy):
    claims = load_claims(copy).claim
    kept(claims, "holds", 7.25).write(expected_path(copy, Profile.CPU))
    assert set(readme.write(copy)) == {*readme.PAGES, readme.PICTURE}
    text, picture = (copy / "README.md").read_text(), (copy / readme.PICTURE).read_text()
    assert "| 2.0 GiB | 2031-02-03, Abacus |" in text
    assert "P1a holds, P1b holds" in text, "a finding whose verdicts are others is not told"
    assert "7.25" in picture and "refuted" not in picture
    assert readme.write(copy) == []


def test_without_kept_values_the_pages_say_so(copy):
    shutil.rmtree(copy / "paper/expected", ignore_errors=True)
    readme.write(copy)
    assert readme.NOTHING in (copy / "README.md").read_text()
    assert (copy / "README.md").read_text().count("not measured | not measured") == len(Profile)
