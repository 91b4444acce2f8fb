"""Figures from functions that draw: a function's name is the figure's, its docstring the caption."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verdicts import Figure, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing


def save_drawn(drawn: "Mapping[Callable[..., Drawing], tuple[str, ...]]", folder: Path, *given: Any) -> list[Figure]:
    """Call each function with `given` and save what it draws, for the claims that it stands for."""
    return [
        save_figure(draw(*given), folder, draw.__name__, " ".join(str(draw.__doc__).split()), claims)
        for draw, claims in drawn.items()
    ]
