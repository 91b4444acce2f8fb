"""Whether tuning chose inside of what it tried: an optimum at an end of a grid may lie beyond
it.
"""

from collections.abc import Iterable, Mapping, Sequence


def optima_on_edge(
    grids: Mapping[str, Sequence[float]],
    best: Mapping[str, Mapping[str, float]],
    natural: Iterable[tuple[str, float]] = (),
) -> list[str]:
    """Return the chosen hyperparameters that are the first or the last of their grid, as `case:
    name = value`.

    `grids` has the values that tuning tried, in order, by hyperparameter, and `best` the chosen
    hyperparameters of each case, which may have others besides. Bounds in `natural` are none of the
    grid's making, such as `("repeats", 1)`; nor is that of a grid of one value, which was not
    tuned.
    """
    ends = {
        (name, end) for name, grid in grids.items() if len(grid) > 1 for end in (grid[0], grid[-1])
    }
    return [
        f"{case}: {name} = {value:g}"
        for case, chosen in best.items()
        for name, value in chosen.items()
        if (name, value) in ends - {*natural}
    ]
