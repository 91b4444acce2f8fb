"""The docs followed to the letter: recipes of docs/how-to in a copy, and reproductions of
docs/finds.

Each recipe works, and touches no more than it says; each reproduction prints what its page says.
"""

import contextlib
import io
import os
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from survey.conformance.defects import FINDS, read_patch
from tests.survey.test_patches import lay_out
from tests.verdicts.toy import REPOSITORY, Toy

HOW_TO = REPOSITORY / "docs/how-to"
BLOCK = re.compile(r"```(python|toml)\n(.*?)```", re.DOTALL)
PLACE = re.compile(r"# (\S+\.(?:py|toml))(?:, .*)?\n")
# what repositories import, and the extras of the survey bring
OF_EXTRAS = {
    "einops",
    "torchsde",
    "tqdm",
}
NUMBER = r"([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
PAGES = sorted(path for path in FINDS.glob("*.md") if path.name != "README.md")


def blocks(page: str) -> tuple[dict[str, str], list[str]]:
    """Return a page's blocks that name their file, by it, and its other blocks in order."""
    files, others = {}, []
    for _, text in BLOCK.findall((HOW_TO / page).read_text(encoding="utf-8")):
        place = PLACE.match(text)
        if place:
            files[place[1]] = text[place.end() :]
        else:
            others.append(text)
    return files, others


# A density integrates to 1, and the score is its logarithm's slope
DENSITY = """
import torch
from ams.schedules import Level
from ams.targets.interval import Interval

target, level = Interval(), Level(0, sigma=0.1, step=0.001)
x = torch.linspace(-2, 2, 4001, dtype=torch.float64)[:, None]
density = target.log_density(x, level).exp()
assert abs(torch.trapezoid(density, x[:, 0]).item() - 1) < 1e-9
slope = torch.gradient(density.log(), spacing=(x[:, 0],))[0]
assert torch.allclose(target.score(x, level)[1:-1, 0], slope[1:-1], rtol=0, atol=0.05)
"""


# The claim holds, its falsifier passes, and a check that nothing can break fails it
CLAIM = """
import sys
from pathlib import Path
import pytest
from ams_suite.__main__ import main

assert main(["run", "step_bias", "--profile", "quick"]) == 0
falsifier, checks = ["-q", "tests/analysis/test_step_bias.py"], Path("analysis/step_bias/checks.py")
assert pytest.main(falsifier) == 0
assert checks.read_text().count("step=step") == 1
checks.write_text(checks.read_text().replace("step=step", "step=0.1"))
for name in [each for each in sys.modules if "step_bias" in each]:
    del sys.modules[name]
assert pytest.main(falsifier) == 1
"""
PRESET = """
import pytest
from ams.samplers.looks import LOOKS
assert pytest.main(['-q', 'test_presets.py', '-k', 'half']) == 0
assert LOOKS["Langevin, half drift"].marker == "$L$"
"""


class Repository(Toy):
    """A copy of what a recipe needs, in which files are written and a program is run: one, since to
    import is slow.
    """

    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(self.root / "src"), str(self.root)])
        alone = dict.fromkeys(("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTHONDONTWRITEBYTECODE"), "1")
        return os.environ | alone | {"PYTHONPATH": path}

    def says(self, program: str) -> str:
        """Return what a program prints that ends well."""
        done = self.python("-c", program)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Repository:
    shutil.copytree(
        REPOSITORY / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return Repository(tmp_path, "")


def test_a_claim_takes_two_files_and_its_test_and_figures_a_third(copy: Repository) -> None:
    files, _ = blocks("add-a-claim.md")
    assert len([name for name in files if not name.startswith("tests/")]) == 3
    for name, text in files.items():
        copy.write(name, text)
    for name in ("analysis/__init__.py", "tests/__init__.py"):
        copy.write(name, "")
    texts = (
        "outline.toml",
        "paper.typ",
        "supplement.typ",
        "style.typ",
        "references.bib",
        "style.mplstyle",
    )
    for name in ("config/quick.toml", "tests/claims.py", *(f"paper/{text}" for text in texts)):
        copy.write(name, (REPOSITORY / name).read_text(encoding="utf-8"))
    copy.write("config/quick.toml", 'device = "cpu"\nnotebooks = false\n')
    said = copy.says(CLAIM)
    assert "Y1" in said and "holds" in said
    page = (copy.root / "results" / "quick" / "report.html").read_text(encoding="utf-8")
    assert "against its step" in page and "The numbers of the figure" in page


def test_a_sampler_takes_one_file(copy: Repository) -> None:
    files, (example,) = blocks("add-a-sampler.md")
    assert len(files) == 1
    for name, text in files.items():
        copy.write(name, text)
    copy.write(
        "test_presets.py",
        (REPOSITORY / "tests/ams/samplers/test_presets.py").read_text(encoding="utf-8"),
    )
    said = copy.says(example + PRESET)
    assert float(re.search(r"\[(\S+)\]", said)[1].rstrip(",")) == pytest.approx(2.0, abs=0.02)
    assert "passed" in said


def test_a_target_takes_one_file(copy: Repository) -> None:
    files, (example,) = blocks("add-a-target.md")
    assert len(files) == 1
    for name, text in files.items():
        copy.write(name, text)
    said = copy.says(example + DENSITY)
    low, high = (float(number) for number in re.findall(r"tensor\((-?[\d.]+)", said))
    assert -1.6 < low < -0.5 < 0.5 < high < 1.6 and said.strip().endswith("500")


def test_a_data_set_takes_one_entry(copy: Repository) -> None:
    _, (example,) = blocks("add-a-data-set.md")
    np.savez(copy.root / "mine.npz", x=np.zeros((3, 2, 2), np.uint8), y=np.arange(3))
    printed = copy.says(example)
    registry = copy.root / "src/ams/data/registry.toml"
    registry.write_text(f"{registry.read_text(encoding='utf-8')}\n{printed}", encoding="utf-8")
    (copy.root / "mirror/mine").mkdir(parents=True)
    shutil.move(copy.root / "mine.npz", copy.root / "mirror/mine/mine.npz")
    read = (
        "import os; os.environ['AMS_DATA'] = 'mirror'; from ams.data import images; "
        "print(images('mine').x.shape)"
    )
    assert "torch.Size([3, 2, 2])" in copy.says(read)


@contextlib.contextmanager
def here_alone(modules: set[str]) -> Iterator[None]:
    """Leave nothing to what follows: these modules are as before, torch's defaults are put back.

    In this process, since a library takes seconds to import.
    """
    dtype, before = torch.get_default_dtype(), dict(sys.modules)
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.set_default_dtype(dtype)
        for name in [each for each in sys.modules if each.partition(".")[0] in modules]:
            del sys.modules[name]
        sys.modules.update(
            {name: each for name, each in before.items() if name.partition(".")[0] in modules}
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_reproduction_prints_what_its_page_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, printed = re.findall(r"```(?:python|text)\n(.*?)```", page.read_text(), flags=re.DOTALL)
    library = re.search(
        r"(?:from|find_spec\(\")\W*(azula|diffusers|k_diffusion|monai|physicsnemo|refiners)", code
    )
    if library is None:  # run in a repository's folder, of which its patch names what is enough
        lay_out(tmp_path, *read_patch(page.with_suffix(".patch"))[0].groups()[:3])
    elif find_spec(library[1]) is None:
        pytest.skip(f"{library[1]} is not installed")
    folder = next(tmp_path.glob("*-main"), tmp_path)  # one repository has its programs there
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    modules = {path.stem for path in folder.iterdir()}
    modules.update(re.findall(r'sys\.modules\["(\w+)"\]', code))  # stand-ins for packages
    with here_alone(modules), contextlib.redirect_stdout(io.StringIO()) as stream:
        try:
            exec(compile(code, page.name, "exec"), {"__name__": "__main__"})
        except ModuleNotFoundError as error:
            if error.name not in OF_EXTRAS:
                raise
            pytest.skip(f"{error.name} is not installed")
    said, given = (re.split(NUMBER, text.strip()) for text in (printed, stream.getvalue()))
    assert said[::2] == given[::2]
    assert [float(one) for one in given[1::2]] == pytest.approx(
        [float(one) for one in said[1::2]], rel=0.2, abs=1e-6
    )


def test_each_find_has_a_page() -> None:
    index = (PAGES[0].parent / "README.md").read_text()
    assert {path.name for path in PAGES} == set(re.findall(r"\(([\w-]+\.md)\)", index))
