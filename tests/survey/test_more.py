"""More repositories: nothing is executed unless all bytes are those listed; each sampler takes noise to the data."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from ams.errors import DataUnavailable, UserError
from samplercheck import adapters
from samplercheck.convergence import two_targets
from samplercheck.judgement import end_distance
from survey import more
from survey.more import repository

EACH = [f"{name}:{kind}" for name, samplers in more.SAMPLERS.items() for kind in samplers]
DEFECTS = {  # whose ends are far off or not finite; F27's conditions say where they are told
    "willisma/SiT:sample_sde",
    "baofff/U-ViT:euler_maruyama SDE vpsde_cosine",
    "lucidrains/rectified-flow-pytorch:SoFlow clean",
}


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of one file that stands for a repository."""
    place = tmp_path / "code" / "more" / "owner+name"
    place.mkdir(parents=True)
    (place / "sampling.py").write_text("import no_such_module\nvalue = 1\n", encoding="utf-8")
    monkeypatch.setenv("AMS_DATA", str(tmp_path))
    monkeypatch.setitem(
        repository.REPOSITORIES, "owner/name", repository.Repository("0" * 40, repository.digest(place))
    )
    monkeypatch.setitem(adapters.OTHERS, "owner/name", repository.adapter("owner/name", {}))
    repository.folder.cache_clear()
    return place


def test_listed_bytes_are_executed_with_stand_ins(copied: Path) -> None:
    assert repository.code("owner/name", "sampling.py", "no_such_module").value == 1
    assert not list(copied.rglob("__pycache__"))


def test_other_bytes_are_refused(copied: Path) -> None:
    (copied / "sampling.py").write_text("raise SystemExit", encoding="utf-8")
    with pytest.raises(DataUnavailable, match=r"owner/name is missing or another: copy the files of .* at 0{40}"):
        repository.folder("owner/name")
    assert adapters.installed("owner/name") is None


@pytest.mark.parametrize("name", EACH)
def test_a_sampler_takes_noise_to_the_data(name: str) -> None:
    library = name.partition(":")[0]
    if adapters.installed(library) is None:
        pytest.skip(f"the files of {library} are missing")
    if not all(find_spec(package) for package in ("diffusers", "k_diffusion", "torchdiffeq")):
        pytest.skip("diffusers, k-diffusion or torchdiffeq is not installed")
    sampler = adapters.load(name)
    distance = end_distance(sampler, two_targets(sampler.data_std), 16)
    assert (distance < 2.5) is (name not in DEFECTS)
    with pytest.raises(UserError, match="takes no settings here"):
        adapters.load(name, {"a": 1})
