"""Figures from functions that draw: a function's name is the figure's, its docstring the caption."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from verdicts import Figure, save_figure
from verdicts.records.charts import save_chart


def save_drawn(drawn: Mapping[Callable[..., Any], tuple[str, ...]], folder: Path, *given: Any) -> list[Figure]:
    """Call each function with `given` and save what it draws, for the claims that it stands for.

    A matplotlib figure stands still. An Altair chart moves; the second paragraph of its docstring says how.
    """
    return [_saved(draw(*given), folder, draw, claims) for draw, claims in drawn.items()]


def _saved(made: Any, folder: Path, draw: Callable[..., Any], claims: tuple[str, ...]) -> Figure:
    texts = [" ".join(text.split()) for text in str(draw.__doc__).split("\n\n")]
    if hasattr(made, "to_dict"):
        return save_chart(made, folder, draw.__name__, texts[0], claims, texts[1])
    return save_figure(made, folder, draw.__name__, " ".join(texts), claims)
