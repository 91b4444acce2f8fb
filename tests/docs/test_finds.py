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

from survey.conformance.defects import FINDS, read_patch
from tests.survey.test_patches import lay_out

OF_EXTRAS = {"einops", "torchsde", "tqdm"}  # what repositories import, and the extras of the survey bring
NUMBER = r"([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
PAGES = sorted(path for path in FINDS.glob("*.md") if path.name != "README.md")


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
        sys.modules.update({name: each for name, each in before.items() if name.partition(".")[0] in modules})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_reproduction_prints_what_its_page_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, printed = re.findall(r"```(?:python|text)\n(.*?)```", page.read_text(), flags=re.DOTALL)
    library = re.search(r"(?:from|find_spec\(\")\W*(azula|diffusers|k_diffusion|monai|physicsnemo|refiners)", code)
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
    assert [float(one) for one in given[1::2]] == pytest.approx([float(one) for one in said[1::2]], rel=0.2, abs=1e-6)


def test_each_find_has_a_page() -> None:
    index = (PAGES[0].parent / "README.md").read_text()
    assert {path.name for path in PAGES} == set(re.findall(r"\(([\w-]+\.md)\)", index))
