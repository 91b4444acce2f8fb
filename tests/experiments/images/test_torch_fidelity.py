"""FID, Inception score, precision and recall, batch by batch, against torch-fidelity's, and its Inception network."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from ams.metrics import frechet_of_moments, inception_score, moments, support
from experiments.images.features import extractors

fidelity = pytest.importorskip("torch_fidelity", reason="torch-fidelity is not installed (the extra paper)")


def features(n: int, d: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    """Correlated features far from zero, as Inception's are."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(d, d, generator=torch.Generator().manual_seed(9)) / d**0.5
    return torch.randn(n, d, generator=generator) @ mixing + 3 + shift


@pytest.mark.parametrize(("n", "d"), [(600, 64), (50, 64)])
def test_the_frechet_distance_by_moments_is_torch_fidelitys(n: int, d: int) -> None:
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    x, y = features(n, d, 1), features(700, d, 2, 0.1)
    stated = [fid_features_to_statistics(one) for one in (x, y)]
    expected = fid_statistics_to_metric(*stated, False)["frechet_inception_distance"]
    ours = frechet_of_moments(moments(x.split(37)), moments(y.split(64)))
    assert ours == pytest.approx(float(expected), rel=1e-4)


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


def test_precision_and_recall_are_torch_fidelitys() -> None:
    from torch_fidelity.metric_prc import prc_features_to_metric

    x, y = features(200, 8, 4), features(150, 8, 5, 0.3)
    expected = prc_features_to_metric(x, y, prc_neighborhood=3, prc_batch_size=64, verbose=False)
    ours = support(x, y, 3)
    assert [ours.precision, ours.recall] == pytest.approx([expected["precision"], expected["recall"]], abs=1e-6)


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


def test_inceptions_features_and_score_are_torch_fidelitys(inception: extractors.Extractor) -> None:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3 as Network
    from torch_fidelity.metric_isc import isc_features_to_metric

    pixels = np.random.default_rng(1).integers(0, 256, (12, 3, 32, 32), np.uint8)
    file, _ = extractors._inception_weights()
    theirs = Network("inception", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(file))
    expected, logits = theirs(torch.from_numpy(pixels))
    seen = inception(torch.from_numpy(pixels).float() / 255)
    torch.testing.assert_close(seen.float(), expected, rtol=1e-4, atol=1e-5)
    assert inception.logits is not None
    score = inception_score([inception.logits(seen.float())], 12, 2)
    stated = isc_features_to_metric(logits, 2, shuffle=False)["inception_score_mean"]
    assert score == pytest.approx(float(stated), rel=1e-4)
    published = moments([expected + torch.randn(12, 2048, generator=torch.Generator().manual_seed(3))])
    ours, whole = (frechet_of_moments(moments(blocks), published) for blocks in (seen.split(5), [expected]))
    assert ours == pytest.approx(whole, rel=1e-4)
