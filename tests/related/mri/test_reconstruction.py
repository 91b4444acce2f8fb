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
from related.mri.reconstruction.checks import ADAPTIVE, CORRECTED, KINETIC, LANGEVIN, PGI
from related.mri.reconstruction.settings import Settings
from related.mri.reconstruction.study import FLAIR, GUIDED, MODULE, SENSED, UNGUIDED, Reconstruction, ScannedSubject
from tests.claims import refuted, verdict_of
from tests.related.mri.made import by_subject, heads, outcome

SMALL = Settings(budgets=(30, 100))
FEW_GUIDED, FEW_UNGUIDED = "guided-quarter", "unguided-quarter"
EVEN = dict.fromkeys((LANGEVIN, ADAPTIVE, CORRECTED, KINETIC), 0.02)


@pytest.mark.parametrize(
    ("check", "sampler", "ends"),
    [
        ("N4.error", ADAPTIVE, {0.9: "holds", 1.1: "refuted"}),
        ("N4a.error", ADAPTIVE, {0.9: "holds", 1.1: "refuted"}),
        ("N4b.kinetic", KINETIC, {0.9: "holds", 1.1: "refuted"}),
        ("N4j.corrected", CORRECTED, {1.0: "holds", 0.8: "refuted"}),
    ],
)
def test_a_sampler_with_another_error_refutes(
    monkeypatch: pytest.MonkeyPatch, check: str, sampler: str, ends: dict[float, str]
) -> None:
    """Falsifier of N4, N4a, N4b and N4j: a sampler whose error over Langevin's is another."""
    for factor, verdict in ends.items():
        monkeypatch.setattr(study, "sampled_quality", by_subject({**EVEN, sampler: 0.02 * factor}))
        assert verdict_of(check.split(".")[0], check, settings=SMALL) == verdict


def test_runs_that_vary_alike_refute_n4k(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N4k: two runs of adaptive momentum that differ as much as Langevin's."""
    for factor, verdict in ((1.0, "refuted"), (0.8, "holds")):

        def between(case: ScannedSubject, sampler: str, *_: object, factor: float = factor) -> float:
            return (factor if sampler == ADAPTIVE else 1.0) * (1 + 0.01 * (case.subject % 3))

        monkeypatch.setattr(study, "between", between)
        assert verdict_of("N4k", settings=SMALL) == verdict


def with_outcomes(
    monkeypatch: pytest.MonkeyPatch, values: Callable[[str, ScannedSubject], tuple[float, float]]
) -> None:
    """Make up PSNR and undetermined error by method (`PGI`: the sampler's) and case, with differences by subject."""

    def made(method: str, case: ScannedSubject) -> Reconstruction:
        psnr, undetermined = values(method, case)
        return outcome(psnr + 0.01 * (case.subject % 3), undetermined=undetermined * (1 + 0.01 * (case.subject % 3)))

    monkeypatch.setattr(study, "sampled", lambda case, sampler, budget, given: made(PGI, case))
    monkeypatch.setattr(study, "reconstructed", lambda case, method: made(method, case))


@pytest.mark.parametrize(
    ("claim", "psnr", "worse"),
    [
        # networks that gain half a decibel over compressed sensing, not two
        ("N4c", {SENSED: 25.0, GUIDED: 27.0, UNGUIDED: 27.0}, {GUIDED: 25.5, UNGUIDED: 25.5}),
        # a denoising module that returns what it is given
        ("N4d", {PGI: 25.0, MODULE: 27.5}, {MODULE: 25.0}),
        # a guided network that is no better than the unguided one, with all subjects and with a quarter of them
        ("N4e", {GUIDED: 27.5, UNGUIDED: 27.0}, {GUIDED: 27.0}),
        ("N4f", {GUIDED: 27.5, UNGUIDED: 27.0, FEW_GUIDED: 27.0, FEW_UNGUIDED: 26.0}, {FEW_GUIDED: 26.0}),
        # on FLAIR the guided network loses more than the prior's samples
        ("N4g", {PGI: 25.0, GUIDED: 28.0, (PGI, FLAIR): 23.0, (GUIDED, FLAIR): 27.0}, {(GUIDED, FLAIR): 24.0}),
    ],
)
def test_a_network_that_gains_less_refutes(monkeypatch, claim: str, psnr: dict, worse: dict) -> None:
    """Falsifier of N4c to N4g."""
    for verdict, values in (("holds", psnr), ("refuted", psnr | worse)):
        of_case = lambda method, case, of=values: (of.get((method, case.sequence)) or of[method], 0.01)  # noqa: E731
        with_outcomes(monkeypatch, of_case)
        assert verdict_of(claim, settings=SMALL) == verdict


def test_a_module_that_invents_refutes_n4h(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N4h: a module after which the error in undetermined directions is larger."""
    for factor, verdict in ((1.2, "refuted"), (0.7, "holds")):
        with_outcomes(monkeypatch, lambda method, case, f=factor: (25.0, 0.01 * f if method == MODULE else 0.01))
        assert verdict_of("N4h", settings=SMALL) == verdict


def test_an_operator_that_is_not_the_adjoint_refutes_n4i(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N4i: sensitivities without their conjugates, a subject on two sides, an optimum on an edge."""
    assert verdict_of("N4i", settings=SMALL) == "holds"
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
