"""The reproductions of docs/finds, where the library is there: each prints what its page says."""

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from ams.data.files import fetch
from ams.errors import DataUnavailable

NUMBER = r"([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
PAGES = sorted(path for path in (Path(__file__).parents[2] / "docs/finds").glob("*.md") if path.name != "README.md")
REPOSITORIES = {
    "solvers": {"solvers.py": "diff-solvers", "solver_utils.py": "diff-solvers-utils"},
    "sampling": {"sampling.py": "score-sde", "sde_lib.py": "score-sde-lib", "models/utils.py": "score-sde-utils"},
    "comfy.model_sampling": {
        "comfy/k_diffusion/sampling.py": "comfyui",
        "comfy/k_diffusion/utils.py": "comfyui-utils",
        "comfy/k_diffusion/deis.py": "comfyui-deis",
        "comfy/k_diffusion/sa_solver.py": "comfyui-sa-solver",
        "comfy/model_sampling.py": "comfyui-model-sampling",
        "comfy/model_patcher.py": "",
        "comfy/ldm/modules/diffusionmodules/util.py": "",
    },
}
"""What a page imports first of a repository: its files in place of the repository; nothing for one that is not used."""


@contextlib.contextmanager
def here_alone(modules: set[str]) -> Iterator[None]:
    """Leave nothing to what follows: these modules are forgotten, torch's defaults are put back.

    In this process, since a library takes seconds to import.
    """
    dtype = torch.get_default_dtype()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.set_default_dtype(dtype)
        for name in [each for each in sys.modules if each.partition(".")[0] in modules]:
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_reproduction_prints_what_its_page_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, printed = re.findall(r"```(?:python|text)\n(.*?)```", page.read_text(), flags=re.DOTALL)
    own = next((places for start, places in REPOSITORIES.items() if f"from {start} import" in code), {})
    for place, name in own.items():  # run in a repository's folder, of which these files are enough
        try:
            text = fetch(name).read_text() if name else "make_beta_schedule = None\n"
        except DataUnavailable:
            pytest.skip(f"{name} is missing")
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text)
    if "torchsde" in "".join(path.read_text() for path in tmp_path.rglob("sampling.py")):
        pytest.importorskip("torchsde")
    library = re.search(r"(?:from|find_spec\(\")\W*(azula|diffusers|k_diffusion|monai|physicsnemo|refiners)", code)
    assert library is not None or own
    if library is not None and find_spec(library[1]) is None:
        pytest.skip(f"{library[1]} is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    modules = {Path(place).parts[0].removesuffix(".py") for place in own}
    modules.update(re.findall(r'sys\.modules\["(\w+)"\]', code))  # stand-ins for packages
    with here_alone(modules), contextlib.redirect_stdout(io.StringIO()) as stream:
        exec(compile(code, page.name, "exec"), {"__name__": "__main__"})
    said, given = (re.split(NUMBER, text.strip()) for text in (printed, stream.getvalue()))
    assert said[::2] == given[::2]
    assert [float(one) for one in given[1::2]] == pytest.approx([float(one) for one in said[1::2]], rel=0.2, abs=1e-6)


def test_each_find_has_a_page() -> None:
    index = (PAGES[0].parent / "README.md").read_text()
    assert {path.name for path in PAGES} == set(re.findall(r"\(([\w-]+\.md)\)", index))
