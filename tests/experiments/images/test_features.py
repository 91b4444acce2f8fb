"""Features, scores and rows: what is compared with what."""

import os
from pathlib import Path

import pytest
import torch

from ams.data import images as load
from ams.errors import DataUnavailable
from ams.metrics import expected_coverage, frechet_distance, kernel_distance, support
from ams.statistics import Interval, mean_interval
from experiments import weights
from experiments.images.features import extractors as module, pooled, pooled_tables
from experiments.images.features.extractors import digit_features, efficientnet
from experiments.images.features.scores import HEADER, Conditions, Judge, row
from experiments.images.networks.classifier import SHA256
from experiments.images.networks.small import WEIGHTS
from experiments.images.tasks import accuracy, split_digits
from tests.ams.tools import found_or_skipped

HAS_EFFICIENTNET = (Path(os.environ.get("AMS_DATA", "/missing")) / "efficientnet_lite0").is_dir()


@pytest.fixture(scope="module")
def judge():
    return Judge(digit_features(), "digits held out", digit_features()(split_digits().test.x))


def test_the_committed_classifier_is_as_accurate_as_its_file_says():
    extractor, about = digit_features(), weights.about(WEIGHTS / "digits-classifier.safetensors")
    assert accuracy(module.classifier("digits-classifier"), split_digits().test) == pytest.approx(about["accuracy"])
    assert about["accuracy"] > 0.97
    assert extractor.sha256 == SHA256["digits-classifier"]
    found = extractor(split_digits().test.x)
    assert found.shape == (360, 64) and found.dtype == torch.float64
    classes = extractor.logits(found.float()).argmax(1)
    assert float((classes == split_digits().test.y).double().mean()) == pytest.approx(about["accuracy"])
    assert extractor.shares(found).tolist() == pytest.approx([float((classes == k).sum()) / 360 for k in range(10)])


def test_scores_are_the_librarys(judge):
    x = split_digits().train.x[:100]
    found, features = judge.scores(x), digit_features()(x)
    assert found.frechet == pytest.approx(frechet_distance(features, judge.reference))
    assert found.kernel == pytest.approx(kernel_distance(features, judge.reference))
    assert found[2:6] == pytest.approx(support(features, judge.reference))
    assert 0 <= found.classes <= 1
    conditions = Conditions(100, "digits held out", 360, "digits-classifier", SHA256["digits-classifier"], True)
    assert judge.conditions(100) == conditions
    cells = row("s", 20, "kernel", Interval(1.0, 0.9, 1.1, 4), conditions)
    assert len(cells) == len(HEADER) and cells[:8] == ("s", 20, "kernel", 1.0, 0.9, 1.1, 4, 100)


def test_real_images_are_at_the_floor_and_noise_is_not(judge):
    """Sets of digits learned from: kernel distance near 0, coverage as of one distribution; noise is far in each."""
    sets = split_digits().train.x.split(100)[:14]
    found = [judge.scores(x) for x in sets]
    noise = judge.scores(torch.rand(100, 8, 8, generator=torch.Generator().manual_seed(1)))
    assert noise.kernel > 10 * max(abs(one.kernel) for one in found)
    assert noise.frechet > 3 * max(one.frechet for one in found)
    assert noise.precision < 0.5 < min(one.precision for one in found)
    coverage = mean_interval([one.coverage for one in found], 0.999)
    assert abs(coverage.value - expected_coverage(360, 100)) < 0.15


def test_the_bootstrap_interval_holds_the_value_and_knows_the_reference(judge):
    sets = [judge.extractor(x) for x in split_digits().train.x.split(100)[:8]]
    both = judge.kernel_interval(sets, 0.95, seed=1)
    assert both.value == pytest.approx(kernel_distance(torch.cat(sets), judge.reference))
    assert both.low < both.value < both.high
    smaller = Judge(judge.extractor, "fewer", judge.reference[:90]).kernel_interval(sets, 0.95, seed=1)
    assert smaller.high - smaller.low > both.high - both.low


def test_batches_are_judged_as_one_set_with_the_jackknifes_half_width(judge):
    """Value: the whole set's number, its bias kept; width: Student's over the pseudo-values of batches left out."""
    sets = [judge.extractor(x) for x in split_digits().train.x.split(40)[:5]]
    found = pooled.pooled(judge, pooled.Entry("s", "defaults", 20, sets), 0.99)
    whole = judge.scores_of(torch.cat(sets))
    without = [judge.scores_of(torch.cat(sets[:k] + sets[k + 1 :])).frechet for k in range(5)]
    pseudo = mean_interval([5 * whole.frechet - 4 * one for one in without], 0.99)
    value, low, high, n = found.numbers["frechet"]
    assert (value, n, found.conditions.n) == (whole.frechet, 5, 200)
    assert high - low == pytest.approx(pseudo.high - pseudo.low) and high + low == pytest.approx(2 * value)
    assert found.numbers["classes"].value == whole.classes and float(found.shares.sum()) == pytest.approx(1)


def test_too_few_batches_are_not_judged(judge):
    small = judge.extractor(split_digits().train.x[:3])
    entries = [pooled.Entry("one", "", 0, [small.repeat(9, 1)]), pooled.Entry("small", "", 0, [small, small])]
    assert pooled.judged(judge, entries, 0.99) == []
    assert all(table.rows == () for table in pooled_tables.tables([], "none", 0.99, ()))


@pytest.mark.skipif(not HAS_EFFICIENTNET, reason="AMS_DATA lacks efficientnet_lite0")
def test_efficientnet_knows_cifars_classes():
    """1280 features; images of one class lie nearer to each other than to another's: a loss of the normalisation or of
    the weights would show. Two classes, 16 images each."""
    pytest.importorskip("efficientnet_lite_pytorch")
    data = found_or_skipped(load, "cifar10-test")
    planes, frogs = (data.x[data.y == label][:16] for label in (0, 6))
    features = efficientnet()(torch.cat([planes, frogs]).movedim(-1, 1))
    assert features.shape == (32, 1280)
    centred = features - features.mean(0)
    first = torch.linalg.svd(centred, full_matrices=False).U[:, 0]
    side = first > first.median()
    agree = float((side[:16].double().mean() - side[16:].double().mean()).abs())
    assert agree > 0.6


def test_without_its_weights_inception_is_unavailable(monkeypatch, tmp_path):
    pytest.importorskip("torch_fidelity")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(DataUnavailable, match="weights-inception"):
        module.inception()
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/weights-inception-2015-12-05-6726825d.pth").write_bytes(b"other")
    with pytest.raises(DataUnavailable, match="replace it"):
        module.inception()
