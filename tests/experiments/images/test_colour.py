"""Colour images in small: the exact score of a few of CIFAR-10's images, networks in score_sde's layout."""

import dataclasses
import hashlib
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from pydantic import ValidationError

from ams.errors import DataUnavailable, UserError
from ams.samplers import NonFiniteState
from experiments.images.colour import checks as colour
from experiments.images.colour.checks import CIFAR, LANGEVIN, Network, Outcome, Settings
from experiments.images.features.extractors import Extractor
from experiments.images.runs import ENTRANTS, generator, run
from tests.claims import ROOT, verdict_of
from tests.experiments.images.original import checkpoint, made
from verdicts.claims.loading import load_claims, load_config
from verdicts.claims.schema import Profile, Verdict

needs_cifar = pytest.mark.skipif(
    not (Path(os.environ.get("AMS_DATA", "/missing")) / "cifar10").is_dir(), reason="AMS_DATA lacks cifar10"
)
SMALL = Settings(budgets=(20, 600), batches=4, batch=6, points=100, reference=40)


@pytest.fixture(autouse=True, scope="module")
def plain_features():
    """Features that cost nothing: means over blocks of pixels."""

    def features(x):
        return torch.nn.functional.avg_pool2d(x, 8).flatten(1)

    cached = colour.judge, colour.judged, colour.had
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(colour, "extractor", lambda name: Extractor("blocks", "0" * 64, features))
        for function in cached:
            function.cache_clear()
        yield
    for function in cached:
        function.cache_clear()


@needs_cifar
def test_the_exact_score_of_cifar_is_sampled_and_cooled():
    assert verdict_of("X0", settings=SMALL) is Verdict.HOLDS


@needs_cifar
def test_langevin_in_its_place_breaks_x0(monkeypatch):
    """Falsifier of X0: annealed Langevin in adaptive momentum's place is not below 1."""
    true = colour.outcomes
    monkeypatch.setattr(colour, "outcomes", lambda s, name, sampler, budget: true(s, name, LANGEVIN, budget))
    assert verdict_of("X0", only="adaptive", settings=SMALL) is Verdict.REFUTED


def outcomes_of(kernels):
    return [Outcome(1.0, kernel, 0.5, math.nan) for kernel in kernels]


def test_the_baseline_in_its_place_gains_nothing(monkeypatch):
    """Falsifier of X1 to X4: with the two correctors' numbers exchanged the gain is a loss."""
    ours, base = outcomes_of([0.1, 0.11, 0.09, 0.1]), outcomes_of([0.2, 0.22, 0.2, 0.21])
    for identifier in ("X1", "X2", "X3", "X4"):
        for better, worse, verdict in ((ours, base, Verdict.HOLDS), (base, ours, Verdict.REFUTED)):
            chosen = {colour.OURS: better, colour.BASELINE: worse}
            monkeypatch.setattr(colour, "outcomes", lambda s, name, sampler, _, chosen=chosen: chosen[sampler])
            assert verdict_of(identifier, settings=Settings()) is verdict


def test_without_a_file_a_network_is_not_run():
    with pytest.raises(DataUnavailable, match="path and sha256"):
        colour.on_ncsnpp(Settings())
    entry = Network(path=Path("/missing/file.pth"), sha256="0", side=16, reference="cifar10-test")
    with pytest.raises(DataUnavailable, match="not there"):
        colour.place(Settings(networks={"cifar10_ncsnpp_continuous": entry}), "cifar10_ncsnpp_continuous")


@needs_cifar
@pytest.mark.parametrize("vp", [False, True])
def test_a_network_in_the_originals_layout_runs_end_to_end(tmp_path, vp):
    """From the checkpoint's bytes to a measurement and a table: NCSN++ and DDPM++ in small, at CIFAR-10's size."""
    pytest.importorskip("diffusers")
    kind = {"progressive": "none", "pyramid": "none" if vp else "residual", "fourier": not vp, "fir": not vp}
    named, _ = made(nf=8, mult=(1, 2), blocks=1, side=32, attended=(16,), **kind)
    content = checkpoint(named)
    (tmp_path / "network.pth").write_bytes(content)
    entry = Network(
        path=tmp_path / "network.pth", sha256=hashlib.sha256(content).hexdigest(), side=32, reference="cifar10-test"
    )
    name = "cifar10_ddpmpp_continuous" if vp else "cifar10_ncsnpp_continuous"
    samplers = (colour.BASELINE, colour.OURS)
    settings = Settings(
        budgets=(6,), batches=2, batch=6, reference=20, points=20, samplers=samplers, networks={name: entry}
    )
    found = (colour.on_ddpmpp if vp else colour.on_ncsnpp)(settings)
    assert math.isfinite(found.value) and found.n == 12
    rows = colour.tables(settings)[0].rows
    assert len(rows) == 2 * 2 * 3
    assert any(str(row[0]).startswith(name) for row in rows)


@needs_cifar
def test_a_networks_correctors_run_at_its_own_ratio(monkeypatch):
    seen = []

    def watched(subject, entrant, budget, choice, size, draws):
        seen.append(choice.snr)
        return run(subject, entrant, budget, choice, size, draws)

    where = colour.place(SMALL, CIFAR)
    monkeypatch.setattr(colour, "run", watched)
    monkeypatch.setattr(colour, "place", lambda settings, name: where)
    name = "celebahq_256_ncsnpp_continuous"
    entry = Network(path=Path("network.pth"), sha256="0", reference="cifar10-test", snr=0.075)
    sizes = {"budgets": (6,), "batches": 2, "batch": 6, "reference": 20, "points": 20}
    found = colour.on_celeba(Settings(**sizes, networks={name: entry}))
    assert found.detail["snr"] == 0.075 and set(seen) == {0.075}
    colour.outcomes(Settings(**sizes), CIFAR, colour.OURS, 6)
    assert seen[-1] == 0.16


@needs_cifar
def test_a_batch_that_diverges_is_lost_and_the_others_count(monkeypatch):
    where = colour.place(SMALL, CIFAR)

    def breaking(subject, entrant, budget, choice, size, draws):
        if entrant is ENTRANTS[colour.OURS] and draws.initial_seed() == generator(SMALL.seed, 2).initial_seed():
            raise NonFiniteState("step 3")
        return run(subject, entrant, budget, choice, size, draws)

    monkeypatch.setattr(colour, "run", breaking)
    monkeypatch.setattr(colour, "place", lambda settings, name: where)
    few = SMALL.model_copy(update={"budgets": (8,), "samplers": (colour.OURS, colour.BASELINE)})
    found = colour.on_ncsnpp(few)
    assert found.detail["lost batches"] == {colour.OURS: 1, colour.BASELINE: 0} and found.value < -1e8
    assert next(row[3] for row in colour.tables(few)[0].rows if row[2] == "kernel") == pytest.approx(1e9 / 4, rel=1e-3)


@needs_cifar
def test_tables_have_rows_in_other_features_where_their_weights_are(monkeypatch):
    plain = colour.extractor

    def extractor(name):
        if name == "inception" and missing:
            raise DataUnavailable("Inception's weights are not at a place")
        return dataclasses.replace(plain(name), name=name)

    monkeypatch.setattr(colour, "extractor", extractor)
    sizes = {"budgets": (20,), "batches": 2, "batch": 6, "reference": 20, "points": 20, "samplers": (LANGEVIN,)}
    for seed, missing in enumerate((True, False)):
        settings = Settings(**sizes, also=("inception",), seed=seed)
        table = colour.tables(settings)[0]
        rows = {row[10] for row in table.rows}
        assert rows == ({"efficientnet-lite0"} if missing else {"efficientnet-lite0", "inception"})
        assert ("No rows in the features of inception" in table.caption) is missing
        assert len(colour.outcomes(settings, CIFAR, LANGEVIN, 20)) == 2
    with pytest.raises(ValidationError, match="efficientnet-lite0"):
        Settings(features="inceptoin")


def test_the_small_configuration_fits_every_group():
    """AMS_CONFIG=config/gpu-small.yaml: each group's settings, as laid over the gpu profile's, are valid."""
    from importlib import import_module

    claims = load_claims(ROOT)
    over = yaml.safe_load((ROOT / "config/gpu-small.yaml").read_text())
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AMS_CONFIG", "config/gpu-small.yaml")
        config = load_config(ROOT, Profile.GPU, claims)
    for group in claims.group:
        if group.id in config.groups:
            settings = import_module(group.module).Settings(**config.settings_of(group.id))
            for field, value in over["groups"].get(group.id, {}).items():
                held = getattr(settings, field)
                assert held == (tuple(value) if isinstance(value, list) else value), (group.id, field)


def kept(path, **arrays):
    """Write arrays as .npz, or the one array as .npy; return the reference that they are."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        np.save(path, *arrays.values())
    return colour.Reference(str(path), hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("name", ["own.npy", "own.npz"])
def test_images_of_ones_own_are_a_reference(tmp_path, name):
    pixels = np.random.default_rng(1).integers(0, 256, (9, 4, 4, 3), np.uint8)
    reference = kept(tmp_path / name, x=pixels)
    x = colour.pictures(reference, 9)
    expected = pixels.transpose(0, 3, 1, 2).astype(np.float32) / 255
    np.testing.assert_array_equal(np.sort(x, axis=0), np.sort(expected, axis=0))
    assert colour.pictures(reference, 5).shape == (5, 3, 4, 4)
    assert reference.shown == f"{name} {reference.sha256[:12]}"
    with pytest.raises(UserError, match="not the file that was stated"):
        colour.pictures(reference._replace(sha256="0"), 9)
    with pytest.raises(DataUnavailable, match="not there"):
        colour.pictures(reference._replace(name=str(tmp_path / "missing.npy")), 9)


@pytest.mark.parametrize("shape", [(9, 4, 4), (9, 4, 5, 3), (9, 4, 4, 1), (0, 4, 4, 3)])
def test_what_are_no_images_is_no_reference(tmp_path, shape):
    with pytest.raises(UserError, match=r"expected one array of images, uint8 \(n, side, side, 3\)"):
        colour.pictures(kept(tmp_path / "own.npy", x=np.zeros(shape, np.uint8)), 9)
    whole = np.zeros((9, 4, 4, 3))
    with pytest.raises(UserError, match="expected one array"):
        colour.pictures(kept(tmp_path / "float.npy", x=whole), 9)
    with pytest.raises(UserError, match="expected one array"):
        colour.pictures(kept(tmp_path / "two.npz", x=whole.astype(np.uint8), y=whole), 9)


def test_a_file_of_reference_images_has_a_checksum_and_a_registered_set_has_none():
    with pytest.raises(ValidationError, match="needs reference_sha256"):
        Network(path=Path("a.pth"), sha256="0", reference="own.npz")
    with pytest.raises(ValidationError, match=r"is no \.npy or \.npz file"):
        Network(path=Path("a.pth"), sha256="0", reference="cifar10-test", reference_sha256="0")


def test_pictures_are_shuffled_and_channels_come_first():
    if not (Path(os.environ.get("AMS_DATA", "/missing")) / "cifar10").is_dir():
        pytest.skip("AMS_DATA lacks cifar10")
    x = colour.pictures(colour.CIFAR_TEST, 50)
    assert x.shape == (50, 3, 32, 32)
    assert CIFAR in colour.CIFAR
