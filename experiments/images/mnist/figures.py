"""The group's figures and tables."""

from pathlib import Path

from experiments.images.comparison import CONFIDENCE
from experiments.images.features import pooled
from experiments.images.features.extractors import digit_features
from experiments.images.features.pooled import Pooled
from experiments.images.features.scores import Judge
from experiments.images.mnist import study
from experiments.images.mnist.settings import Settings
from experiments.images.shared_figures import exact_figures, exact_tables, pooled_tables, shown
from verdicts import Figure, Table

CLAIMS = ("M1",)
COMPARED = 1000
"""Images of the target that are the reference in features."""


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the errors and the speed-ups against the budget."""
    return exact_figures(
        settings, study.results(settings), folder, "mnist", "MNIST test images", CLAIMS
    )


def tables(settings: Settings) -> list[Table]:
    """Return every error in pixels and in features, and the evaluations to thresholds."""
    note = (
        " Denoised by their exact score, samples are copies of the target's "
        "images: they differ in which."
    )
    in_words = [
        one._replace(entry=one.entry._replace(sampler=shown(one.entry.sampler)))
        for one in in_features(settings)
    ]
    return [
        *exact_tables(settings, study.results(settings), "mnist", CLAIMS),
        *pooled_tables(in_words, "mnist", CONFIDENCE, CLAIMS, note),
    ]


def in_features(settings: Settings) -> list[Pooled]:
    """Return every run, the target's own draws first, in the classifier's features against the
    target's images.
    """
    reference, features = study.target().images[:COMPARED], digit_features("mnist-classifier")
    judge = Judge(features, f"first {len(reference)} MNIST test images", features(reference))
    return pooled.judged(judge, study.entries(settings), CONFIDENCE)
