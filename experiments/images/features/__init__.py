"""Images compared in a space of features: extractors, scores, and rows that refuse what cannot be compared."""

from experiments.images.features.extractors import Extractor, digit_features, efficientnet, inception
from experiments.images.features.rows import Conditions, Row, ahead, comparable
from experiments.images.features.scores import Judge, Scores

__all__ = [
    "Conditions",
    "Extractor",
    "Judge",
    "Row",
    "Scores",
    "ahead",
    "comparable",
    "digit_features",
    "efficientnet",
    "inception",
]
