"""Features, scores and rows: what is compared with what; and torch-fidelity's numbers."""

import hashlib
import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from ams.data import images as load
from ams.errors import DataUnavailable
from ams.metrics import (
    frechet_distance,
    frechet_of_moments,
    inception_score,
    kernel_distance,
    moments,
    support,
)
from ams.statistics import Interval, mean_interval
from experiments import weights
from experiments.images.features import extractors, extractors as module, pooled
from experiments.images.features.extractors import digit_features, efficientnet
from experiments.images.features.scores import HEADER, Conditions, Judge, row
from experiments.images.networks.classifier import SHA256
from experiments.images.networks.small import WEIGHTS
from experiments.images.shared_figures import pooled_tables
from experiments.images.tasks import accuracy, split_digits
from tests.ams.tools import found_or_skipped

HAS_EFFICIENTNET = (Path(os.environ.get("AMS_DATA", "/missing")) / "efficientnet_lite0").is_dir()


@pytest.fixture(scope="module")
def judge():
    return Judge(digit_features(), "digits held out", digit_features()(split_digits().test.x))


def test_the_committed_classifier_is_as_accurate_as_its_file_says():
    extractor, about = digit_features(), weights.about(WEIGHTS / "digits-classifier.safetensors")
    assert accuracy(module.classifier("digits-classifier"), split_digits().test) == pytest.approx(
        about["accuracy"]
    )
    assert about["accuracy"] > 0.97
    assert extractor.sha256 == SHA256["digits-classifier"]
    found = extractor(split_digits().test.x)
    assert found.shape == (360, 64) and found.dtype == torch.float64
    classes = extractor.logits(found.float()).argmax(1)
    assert float((classes == split_digits().test.y).double().mean()) == pytest.approx(
        about["accuracy"]
    )
    assert extractor.shares(found).tolist() == pytest.approx(
        [float((classes == k).sum()) / 360 for k in range(10)]
    )


def test_scores_are_the_librarys(judge):
    x = split_digits().train.x[:100]
    found, features = judge.scores(x), digit_features()(x)
    assert found.frechet == pytest.approx(frechet_distance(features, judge.reference))
    assert found.kernel == pytest.approx(kernel_distance(features, judge.reference))
    assert found[2:6] == pytest.approx(support(features, judge.reference))
    assert 0 <= found.classes <= 1
    conditions = Conditions(
        100, "digits held out", 360, "digits-classifier", SHA256["digits-classifier"], True
    )
    assert judge.conditions(100) == conditions
    cells = row("s", 20, "kernel", Interval(1.0, 0.9, 1.1, 4), conditions)
    assert len(cells) == len(HEADER) and cells[:8] == ("s", 20, "kernel", 1.0, 0.9, 1.1, 4, 100)


def test_the_bootstrap_interval_holds_the_value_and_knows_the_reference(judge):
    sets = [judge.extractor(x) for x in split_digits().train.x.split(100)[:8]]
    both = judge.kernel_interval(sets, 0.95, seed=1)
    assert both.value == pytest.approx(kernel_distance(torch.cat(sets), judge.reference))
    assert both.low < both.value < both.high
    smaller = Judge(judge.extractor, "fewer", judge.reference[:90]).kernel_interval(
        sets, 0.95, seed=1
    )
    assert smaller.high - smaller.low > both.high - both.low


def test_batches_are_judged_as_one_set_with_the_jackknifes_half_width(judge):
    """Value: the whole set's number, its bias kept; width: Student's over the pseudo-values of
    batches left out.
    """
    sets = [judge.extractor(x) for x in split_digits().train.x.split(40)[:5]]
    found = pooled.pooled(judge, pooled.Entry("s", "defaults", 20, sets), 0.99)
    whole = judge.scores_of(torch.cat(sets))
    without = [judge.scores_of(torch.cat(sets[:k] + sets[k + 1 :])).frechet for k in range(5)]
    pseudo = mean_interval([5 * whole.frechet - 4 * one for one in without], 0.99)
    value, low, high, n = found.numbers["frechet"]
    assert (value, n, found.conditions.n) == (whole.frechet, 5, 200)
    assert high - low == pytest.approx(pseudo.high - pseudo.low) and high + low == pytest.approx(
        2 * value
    )
    assert found.numbers["classes"].value == whole.classes and float(
        found.shares.sum()
    ) == pytest.approx(1)


def test_too_few_batches_are_not_judged(judge):
    small = judge.extractor(split_digits().train.x[:3])
    entries = [
        pooled.Entry("one", "", 0, [small.repeat(9, 1)]),
        pooled.Entry("small", "", 0, [small, small]),
    ]
    assert pooled.judged(judge, entries, 0.99) == []
    assert all(table.rows == () for table in pooled_tables([], "none", 0.99, ()))


@pytest.mark.skipif(not HAS_EFFICIENTNET, reason="AMS_DATA lacks efficientnet_lite0")
def test_efficientnet_knows_cifars_classes():
    """1280 features; images of one class lie nearer to each other than to another's: a loss of the
    normalisation or of the weights would show. Two classes, 16 images each.
    """
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


needs_fidelity = pytest.mark.skipif(
    find_spec("torch_fidelity") is None, reason="torch-fidelity is not installed"
)


def features(n: int, d: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    """Correlated features far from zero, as Inception's are."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(d, d, generator=torch.Generator().manual_seed(9)) / d**0.5
    return torch.randn(n, d, generator=generator) @ mixing + 3 + shift


@needs_fidelity
@pytest.mark.parametrize(("n", "d"), [(600, 64), (50, 64)])
def test_the_frechet_distance_by_moments_is_torch_fidelitys(n: int, d: int) -> None:
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    x, y = features(n, d, 1), features(700, d, 2, 0.1)
    stated = [fid_features_to_statistics(one) for one in (x, y)]
    expected = fid_statistics_to_metric(*stated, False)["frechet_inception_distance"]
    ours = frechet_of_moments(moments(x.split(37)), moments(y.split(64)))
    assert ours == pytest.approx(float(expected), rel=1e-4)


@needs_fidelity
@pytest.mark.parametrize("n", [500, 507])
def test_the_inception_score_in_blocks_is_torch_fidelitys(n: int) -> None:
    from torch_fidelity.metric_isc import isc_features_to_metric

    logits = 2 * features(n, 20, 3)
    expected = isc_features_to_metric(logits, 10, shuffle=False)["inception_score_mean"]
    assert inception_score(logits.split(33), n) == pytest.approx(float(expected), rel=1e-6)
    with pytest.raises(ValueError, match="expected"):
        inception_score(logits.split(33), n + 1)
    with pytest.raises(ValueError, match="fewer than"):
        inception_score([logits[:5]], 5)


@pytest.fixture
def inception(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> extractors.Extractor:
    """Inception with random weights in torch's cache, where the published ones lie."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3 as Network

    monkeypatch.setattr(Network, "load_state_dict", lambda *_, **__: None)
    file = tmp_path / "weights.pth"
    torch.manual_seed(0)
    torch.save({}, file)
    made = Network("inception", ["2048"], feature_extractor_weights_path=str(file))
    monkeypatch.undo()
    torch.save(made.state_dict(), file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setattr(extractors, "_inception_weights", lambda: (file, digest))
    return extractors.inception()


@needs_fidelity
def test_inceptions_features_and_score_are_torch_fidelitys(inception: extractors.Extractor) -> None:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3 as Network
    from torch_fidelity.metric_isc import isc_features_to_metric

    pixels = np.random.default_rng(1).integers(0, 256, (12, 3, 32, 32), np.uint8)
    file, _ = extractors._inception_weights()
    theirs = Network(
        "inception", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(file)
    )
    expected, logits = theirs(torch.from_numpy(pixels))
    seen = inception(torch.from_numpy(pixels).float() / 255)
    torch.testing.assert_close(seen.float(), expected, rtol=1e-4, atol=1e-5)
    assert inception.logits is not None
    score = inception_score([inception.logits(seen.float())], 12, 2)
    stated = isc_features_to_metric(logits, 2, shuffle=False)["inception_score_mean"]
    assert score == pytest.approx(float(stated), rel=1e-4)
