"""The claims N4 to N4k: the change that flips each."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from related.mri.data import Split
from related.mri.forward import measure
from related.mri.reconstruction import checks, study
from related.mri.reconstruction.checks import ADAPTIVE, CORRECTED, KINETIC, LANGEVIN
from related.mri.reconstruction.settings import Settings
from related.mri.reconstruction.study import FLAIR, GUIDED, MODULE, SENSED, UNGUIDED, Reconstruction, ScannedSubject
from tests.claims import refuted, verdict_of
from tests.related.mri.made import by_subject, heads, outcome

SMALL = Settings(budgets=(30, 100))
EVEN = dict.fromkeys((LANGEVIN, ADAPTIVE, CORRECTED, KINETIC), 0.02)


@pytest.mark.parametrize(
    ("check", "sampler"),
    [("N4.error", ADAPTIVE), ("N4a.error", ADAPTIVE), ("N4b.kinetic", KINETIC)],
)
def test_a_sampler_with_the_larger_error_refutes(monkeypatch: pytest.MonkeyPatch, check: str, sampler: str) -> None:
    """Falsifier of N4, N4a and N4b: a sampler whose error is a tenth larger, or smaller, than Langevin's."""
    for factor, verdict in ((0.9, "holds"), (1.1, "refuted")):
        monkeypatch.setattr(study, "sampled", by_subject({**EVEN, sampler: 0.02 * factor}))
        assert verdict_of(check.split(".")[0], check, settings=SMALL) == verdict


def test_a_smaller_error_with_corrected_noise_refutes_n4j(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N4j: with corrected noise too the error is a fifth smaller than Langevin's."""
    for factor, verdict in ((0.8, "refuted"), (1.0, "holds")):
        monkeypatch.setattr(study, "sampled", by_subject({**EVEN, CORRECTED: 0.02 * factor}))
        assert verdict_of("N4j", settings=SMALL) == verdict


def test_runs_that_vary_alike_refute_n4k(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N4k: two runs of adaptive momentum that differ as much as Langevin's."""
    for factor, verdict in ((1.0, "refuted"), (0.8, "holds")):

        def made(
            case: ScannedSubject, sampler: str, budget: int, given: object, number: int = 0, factor: float = factor
        ) -> Reconstruction:
            size = factor if sampler == ADAPTIVE else 1.0
            apart = (size * (1 + 0.01 * (case.subject % 3))) ** 0.5
            return outcome(20.0)._replace(images=np.full((2, 64, 64), number * apart))

        monkeypatch.setattr(study, "sampled", made)
        assert verdict_of("N4k", settings=SMALL) == verdict


def with_outcomes(
    monkeypatch: pytest.MonkeyPatch, values: Callable[[str, ScannedSubject], tuple[float, float]]
) -> None:
    """Make up PSNR and undetermined error by method ("PGI": the sampler's) and case, with differences by subject."""

    def made(method: str, case: ScannedSubject) -> Reconstruction:
        psnr, undetermined = values(method, case)
        return outcome(psnr + 0.01 * (case.subject % 3), undetermined=undetermined * (1 + 0.01 * (case.subject % 3)))

    monkeypatch.setattr(study, "sampled", lambda case, sampler, budget, given: made("PGI", case))
    monkeypatch.setattr(study, "reconstructed", lambda case, method: made(method, case))


def of_methods(**values: float) -> Callable[[str, ScannedSubject], tuple[float, float]]:
    """Return PSNR by method, whatever the case."""
    return lambda method, case: (values[method.replace("-", "_").replace(" ", "_")], 0.01)


def test_a_network_no_better_than_compressed_sensing_refutes_n4c(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N4c: networks that gain half a decibel, or two."""
    for gain, verdict in ((0.5, "refuted"), (2.0, "holds")):
        psnr = {SENSED.replace(" ", "_"): 25.0, GUIDED: 25.0 + gain, UNGUIDED: 25.0 + gain}
        with_outcomes(monkeypatch, of_methods(**psnr))
        assert verdict_of("N4c", settings=SMALL) == verdict


def test_a_module_that_changes_nothing_refutes_n4d(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N4d: a denoising module that returns what it is given."""
    for gain, verdict in ((0.0, "refuted"), (2.5, "holds")):
        with_outcomes(monkeypatch, of_methods(PGI=25.0, module=25.0 + gain))
        assert verdict_of("N4d", settings=SMALL) == verdict


def test_guidance_that_adds_nothing_refutes_n4e(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N4e: a guided network that is no better than the unguided one."""
    for gain, verdict in ((0.0, "refuted"), (0.5, "holds")):
        with_outcomes(monkeypatch, of_methods(guided=27.0 + gain, unguided=27.0))
        assert verdict_of("N4e", settings=SMALL) == verdict


def test_an_advantage_that_shrinks_refutes_n4f(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N4f: with a quarter of the subjects guidance adds nothing."""
    for quarter, verdict in ((26.0, "refuted"), (27.0, "holds")):
        psnr = {"guided": 27.5, "unguided": 27.0, "guided_quarter": quarter, "unguided_quarter": 26.0}
        with_outcomes(monkeypatch, of_methods(**psnr))
        assert verdict_of("N4f", settings=SMALL) == verdict


def test_a_network_that_loses_more_out_of_distribution_refutes_n4g(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N4g: on FLAIR the guided network loses more than the prior's samples."""
    for lost, verdict in ((4.0, "refuted"), (1.0, "holds")):

        def values(method: str, case: ScannedSubject, lost: float = lost) -> tuple[float, float]:
            whole = {"PGI": 25.0, GUIDED: 28.0}[method]
            return (whole - (case.sequence == FLAIR) * {"PGI": 2.0, GUIDED: lost}[method], 0.01)

        with_outcomes(monkeypatch, values)
        assert verdict_of("N4g", settings=SMALL) == verdict


def test_a_module_that_invents_refutes_n4h(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N4h: a module after which the error in undetermined directions is larger."""
    for factor, verdict in ((1.2, "refuted"), (0.7, "holds")):
        with_outcomes(monkeypatch, lambda method, case, f=factor: (25.0, 0.01 * f if method == MODULE else 0.01))
        assert verdict_of("N4h", settings=SMALL) == verdict


def test_an_operator_that_is_not_the_adjoint_refutes_n4i(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N4i: sensitivities without their conjugates, a subject on two sides, an optimum on an edge."""
    whole = checks.adjoint
    monkeypatch.setattr(checks, "adjoint", lambda y, mask, coils: whole(y, mask, coils.conj()))
    assert refuted("N4i", "adjoint", settings=SMALL)
    monkeypatch.setattr(checks, "split", lambda: Split(tuple(range(1, 17)), (16, 17, 18), tuple(range(19, 24))))
    assert refuted("N4i", "split", settings=SMALL)


def test_an_optimum_on_an_edge_refutes_n4i(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    edge = {"chosen": {LANGEVIN: {"30": {"2": {"factor": checks.GRIDS["factor"][-1], "repeats": 2}}}}}
    (tmp_path / "tuned.json").write_text(json.dumps(edge))
    monkeypatch.setattr(checks, "TUNED", tmp_path / "tuned.json")
    assert refuted("N4i", "tuned", settings=SMALL)


def test_undetermined_error_is_that_of_small_eigenvalues() -> None:
    """An error along eigenvectors counts where the data hardly determine it, and nowhere else."""
    x = heads(2)
    scan = measure(x, 4, 0, torch.Generator().manual_seed(0))
    for keep, share in ((scan.encoding.values < study.UNDETERMINED, 1.0), (scan.encoding.values > 0.5, 0.0)):
        off = study.spectral(torch.randn(2, 64, 64), scan.encoding, keep.float())
        counted = study.judged(x, scan, x + 0.01 * off).undetermined
        whole = (0.0001 * off.square().sum((1, 2)) / x.square().sum((1, 2))).numpy()
        assert np.allclose(counted, share * whole, atol=1e-9)


def test_the_truth_has_the_best_quality() -> None:
    x = heads(2)
    scan = measure(x, 4, 0, torch.Generator().manual_seed(0))
    best, worse = study.judged(x, scan, x + 1e-4), study.judged(x, scan, scan.b)
    assert (best.quality.psnr > 70).all() and (best.quality.ssim > 0.99).all() and (best.quality.nmse < 1e-5).all()
    assert (worse.quality.psnr < 30).all() and (worse.quality.ssim < 0.9).all()
