"""Colour images in small: networks in score_sde's layout, and the exact score of a few images in
their place.
"""

import dataclasses
import hashlib
import io
import math
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from torch import Tensor

from ams.errors import DataUnavailable, UserError
from ams.samplers import NonFiniteState
from ams.samplers.presets import SigmaRange, noise_schedule
from ams.targets import Empirical
from ams_suite.__main__ import main
from experiments.images.colour import checks, figures, study
from experiments.images.colour.files import WANTED, paper_files, prepared
from experiments.images.colour.settings import ADAPTIVE, PLAIN, Network, Settings
from experiments.images.colour.study import Quality, Reference
from experiments.images.features.extractors import Extractor
from experiments.images.runs import Problem, Samples, generator, run
from tests.claims import ROOT, claims, verdict_of
from tests.experiments.images.made import checkpoint, library_model, small, stored
from verdicts.claims.loading import load_config
from verdicts.claims.schema import Profile, Verdict
from verdicts.studies import Memory, using

needs_cifar = pytest.mark.skipif(
    not (Path(os.environ.get("AMS_DATA", "/missing")) / "cifar10").is_dir(),
    reason="AMS_DATA lacks cifar10",
)
FEW = Settings(budgets=(6,), batches=2, batch=6, reference=20, samplers=(PLAIN, ADAPTIVE))
NCSNPP = "cifar10_ncsnpp_continuous"


def block_means(x: Tensor) -> Tensor:
    """Features that cost nothing: means over blocks of pixels."""
    return torch.nn.functional.avg_pool2d(x, 8).flatten(1)


@pytest.fixture(autouse=True)
def plain_features(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(study, "extractor", lambda name: Extractor("blocks", "0" * 64, block_means))
    monkeypatch.setattr(study, "judge", study.judge.__wrapped__)
    with using(Memory()):
        yield


def of_kernels(*kernels: float) -> Quality:
    return Quality(24, 1.0, 1.0, 1.0, 1.0, 1.0, kernels)


def test_the_baseline_in_its_place_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of X1 to X4: with the two correctors' numbers exchanged the gain is a loss."""
    network = Network(path=Path("network.pth"), sha256="0", reference="cifar10-test")
    names = dict.fromkeys(WANTED, network)
    near, far = of_kernels(0.1, 0.11, 0.09, 0.1), of_kernels(0.2, 0.22, 0.2, 0.21)
    for adaptive, plain, verdict in ((near, far, Verdict.HOLDS), (far, near, Verdict.REFUTED)):
        chosen = {ADAPTIVE: adaptive, PLAIN: plain}
        monkeypatch.setattr(
            study, "judged", lambda s, name, sampler, *_, chosen=chosen: chosen[sampler]
        )
        assert [verdict_of(f"X{n}", settings=Settings(networks=names)) for n in (1, 2, 3, 4)] == [
            verdict
        ] * 4


@needs_cifar
@pytest.mark.parametrize("vp", [False, True])
def test_a_network_in_the_originals_layout_runs_end_to_end(tmp_path: Path, vp: bool) -> None:
    """From the checkpoint's bytes to a measurement and a table: NCSN++ and DDPM++ in small, at
    CIFAR-10's size.
    """
    named = small("vp/cifar10_ddpmpp" if vp else "ve/cifar10_ncsnpp", 32, 16)
    path, sha256 = stored(tmp_path, checkpoint(named))
    entry = Network(path=path, sha256=sha256, side=32, reference="cifar10-test")
    name = "cifar10_ddpmpp_continuous" if vp else NCSNPP
    settings = FEW.model_copy(update={"networks": {name: entry}})
    gain = checks.gain(settings, name)
    assert math.isfinite(gain.value) and gain.n == 12
    rows = figures.tables(settings)[0].rows
    assert len(rows) == 2 * 4 and all(str(row[0]).startswith(name) for row in rows)
    listed = [
        given["setup"].network
        for cell in study.cells(settings)
        if "setup" in (given := cell.arguments)
    ]
    assert len(listed) == 2 * (2 + 1) and set(listed) == {entry}


def test_paper_files_writes_the_settings_of_what_is_there_and_names_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CIFAR-10's network in small and an older file beside it; of CelebA-HQ the images alone."""
    out, place = tmp_path / "own.toml", tmp_path / "score_sde/ve" / NCSNPP
    assert paper_files(tmp_path, out) == 1 and not out.exists()
    missing = capsys.readouterr().out.splitlines()
    assert len(missing) == 15 and all(line.startswith("missing") for line in missing[:14])
    place.mkdir(parents=True)
    content = checkpoint(small("ve/cifar10_ncsnpp", 32, 16))
    (place / "checkpoint_9.pth").write_bytes(b"older")
    (place / "checkpoint_24.pth").write_bytes(content)
    (tmp_path / "images").mkdir()
    np.save(tmp_path / "images/celebahq_256.npy", np.zeros((2, 256, 256, 3), np.uint8))
    assert main(["paper-files", "--folder", str(tmp_path), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert said.count("found ") == 2 and said.count("hours ") == 1 and "VERDICTS_CONFIG=" in said
    assert "celebahq_256_ncsnpp_continuous/*.pth" in said
    monkeypatch.setenv("VERDICTS_CONFIG", str(out))
    config = load_config(ROOT, Profile.PAPER, claims().seen_by(Profile.PAPER))
    (network,) = Settings.model_validate(config.settings_of("colour")).networks.values()
    assert (
        network.sha256 == hashlib.sha256(content).hexdigest()
        and network.snr == 0.16
        and network.side == 32
    )
    asked = Settings.model_validate(config.settings_of("colour")).of(NCSNPP)
    assert (
        asked.batches * asked.batch >= 50_000
        and max(asked.budgets) == 2000
        and "ancestral" in asked.samplers
    )
    with pytest.raises(UserError, match="is there already, and stays"):
        paper_files(tmp_path, out)
    (place / "checkpoint_30.pth").write_bytes(b"no checkpoint")
    with pytest.raises(UserError, match="checkpoint_30"):
        paper_files(tmp_path, tmp_path / "other.toml")


def test_pictures_are_cropped_as_published_and_become_a_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """CelebA's middle 140 pixels are a square of another colour: nothing of what is around them is
    left.
    """
    picture = np.zeros((218, 178, 3), np.uint8)
    picture[39:179, 19:159] = (200, 100, 50)
    (tmp_path / "images/celeba_64/img").mkdir(parents=True)
    for name in ("1.png", "2.png"):
        Image.fromarray(picture).save(tmp_path / "images/celeba_64/img" / name)
    assert (prepared(tmp_path / "images/celeba_64/img/1.png", 64, 140) == (200, 100, 50)).all()
    out = tmp_path / "made/own.toml"
    assert paper_files(tmp_path, out) == 1
    assert "celeba_64.npy, 0.0 MiB" in capsys.readouterr().out
    assert np.load(out.parent / "celeba_64.npy").shape == (2, 64, 64, 3)
    (tmp_path / "images/celeba_64/img/1.png").write_bytes(b"no picture")
    (out.parent / "celeba_64.npy").unlink()
    with pytest.raises(UserError, match=r"1\.png: no picture"):
        paper_files(tmp_path, out)


def test_a_folder_in_diffusers_format_is_that_network(tmp_path: Path) -> None:
    library_model(tmp_path / "diffusers/church_ncsnpp_continuous/unet", True)
    (tmp_path / "images").mkdir()
    np.save(tmp_path / "images/church_256.npy", np.zeros((2, 256, 256, 3), np.uint8))
    assert paper_files(tmp_path, tmp_path / "own.toml") == 0
    networks = tomllib.loads((tmp_path / "own.toml").read_text())["groups"]["colour"]["networks"]
    network = Network.model_validate(networks["church_ncsnpp_continuous"])
    assert network.path.name == "unet" and network.largest == 380.0 and network.side == 256
    assert study.network_problem(network).sigmas == SigmaRange(380.0, 0.01)


def test_lsun_is_read_from_its_database(tmp_path: Path) -> None:
    place, stream = tmp_path / "images/church_256", io.BytesIO()
    lmdb = pytest.importorskip("lmdb")
    Image.fromarray(np.full((260, 300, 3), 80, np.uint8)).save(stream, "webp", lossless=True)
    place.mkdir(parents=True)
    with lmdb.open(str(place)) as database, database.begin(write=True) as transaction:
        transaction.put(b"key", stream.getvalue())
    assert paper_files(tmp_path, tmp_path / "own.toml") == 1
    assert (np.load(tmp_path / "church_256.npy") == np.full((1, 256, 256, 3), 80)).all()
    (place / "data.mdb").write_bytes(b"no database" * 1000)
    (tmp_path / "church_256.npy").unlink()
    with pytest.raises(UserError, match="church_256: no database"):
        paper_files(tmp_path, tmp_path / "own.toml")


def test_an_annealed_network_runs_with_its_configurations_levels_and_step() -> None:
    """NCSN goes through its ten levels at every budget, T follows from it; NCSNv2 has T = 5 and the
    usual step.
    """
    problem = Problem(lambda x, level: x, (3, 4, 4), SigmaRange(1.0, 0.01))
    base = Network(path=Path("network.pth"), sha256="0", reference="cifar10-test")
    for levels, step, repeats in ((10, 2e-5, 100), (None, None, 5)):
        network = base.model_copy(update={"levels": levels, "step": step})
        setup = study.Setup(
            network, *study.EXACT_TARGET, Reference("cifar10-test"), 10, ("pixels",), 4, 1
        )
        chosen = setup.hyperparameters(problem, 1000)
        usual = noise_schedule(problem.sigmas, 1000 // repeats, repeats)[1]
        assert chosen.repeats == repeats and chosen.factor * usual == pytest.approx(step or usual)


def in_place_of_the_network(monkeypatch: pytest.MonkeyPatch, snr: float = 0.16) -> Settings:
    """Put the exact score of a few images in a network's place; return settings with that
    network.
    """
    target = Empirical(study.pictures(Reference("cifar10-test"), 10)).to(torch.float32)
    problem = Problem(target.score, target.shape, SigmaRange(30.0, 0.02))
    monkeypatch.setattr(study, "network_problem", lambda network: problem)
    entry = Network(path=Path("network.pth"), sha256="0", reference="cifar10-test", snr=snr)
    return FEW.model_copy(update={"networks": {NCSNPP: entry}})


@needs_cifar
def test_a_networks_correctors_run_at_its_own_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    monkeypatch.setattr(study, "run", lambda *run_of: seen.append(run_of[3].snr) or run(*run_of))
    settings = in_place_of_the_network(monkeypatch, snr=0.075)
    gain = checks.gain(settings, NCSNPP)
    assert gain.detail["snr"] == 0.075 and set(seen) == {0.075}


@needs_cifar
def test_a_batch_that_diverges_is_lost_and_the_others_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    second = generator(FEW.seed, 2).initial_seed()

    def breaking(*run_of: Any) -> Samples:
        if run_of[1].name == ADAPTIVE and run_of[-1].initial_seed() == second:
            raise NonFiniteState("step 3")
        return run(*run_of)

    monkeypatch.setattr(study, "run", breaking)
    settings = in_place_of_the_network(monkeypatch)
    gain = checks.gain(settings, NCSNPP)
    assert gain.detail["lost batches"] == {ADAPTIVE: 1, PLAIN: 0} and gain.value < -1e8
    kernel = next(
        row[3]
        for row in figures.tables(settings)[0].rows
        if row[0].endswith(ADAPTIVE) and row[2] == "kernel"
    )
    assert kernel == pytest.approx(1e9 / 2, rel=1e-3)


@needs_cifar
@pytest.mark.parametrize("missing", [True, False])
def test_tables_have_rows_in_other_features_where_their_weights_are(
    monkeypatch, missing: bool
) -> None:
    plain = study.extractor("efficientnet-lite0")

    def extractor(name: str) -> Extractor:
        if name == "inception" and missing:
            raise DataUnavailable("Inception's weights are not at a place")
        return dataclasses.replace(plain, name=name)

    monkeypatch.setattr(study, "extractor", extractor)
    settings = in_place_of_the_network(monkeypatch).model_copy(update={"also": ("inception",)})
    table = figures.tables(settings)[0]
    assert {row[10] for row in table.rows} == {"efficientnet-lite0"} | (
        set() if missing else {"inception"}
    )
    assert ("No rows in the features of inception" in table.caption) is missing


def reference_of(path: Path, **arrays: np.ndarray) -> Reference:
    """Write arrays as .npz, or the one array as .npy; return the reference that they are."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        np.save(path, *arrays.values())
    return Reference(str(path), hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("name", ["own.npy", "own.npz"])
def test_images_of_ones_own_are_a_reference(tmp_path: Path, name: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 4, 4, 3), np.uint8)
    reference = reference_of(tmp_path / name, x=pixels)
    x = study.pictures(reference, 9)
    expected = pixels.transpose(0, 3, 1, 2).astype(np.float32) / 255
    np.testing.assert_array_equal(np.sort(x, axis=0), np.sort(expected, axis=0))
    assert study.pictures(reference, 5).shape == (5, 3, 4, 4)
    assert str(reference) == f"{name} {reference.sha256[:12]}"
    with pytest.raises(UserError, match="not the file that was stated"):
        study.pictures(reference._replace(sha256="0"), 9)
    with pytest.raises(DataUnavailable, match="not there"):
        study.pictures(reference._replace(name=str(tmp_path / "missing.npy")), 9)


def test_a_file_of_reference_images_has_a_checksum_and_a_registered_set_has_none() -> None:
    with pytest.raises(ValidationError, match="needs reference_sha256"):
        Network(path=Path("a.pth"), sha256="0", reference="own.npz")
    with pytest.raises(ValidationError, match=r"is no \.npy or \.npz file"):
        Network(path=Path("a.pth"), sha256="0", reference="cifar10-test", reference_sha256="0")
