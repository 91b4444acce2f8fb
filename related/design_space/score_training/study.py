"""What the group computes once, for checks and figures."""

from collections.abc import Iterator

from related.design_space.noise_schedules.study import TARGETS
from related.design_space.score_training import linear, networks
from related.design_space.score_training.settings import Settings
from verdicts.studies import Cell


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks and figures read."""
    for target in TARGETS:
        for weight in linear.WEIGHTS:
            yield from (linear.divergences.cell(target, weight, budget) for budget in settings.budgets)
    for trained in networks.TRAINED:
        for points in settings.points:
            for width in settings.widths:
                sizes = points, width, settings.seeds, settings.steps, settings.seed + networks.LATER
                yield networks.log_losses.cell(trained, *sizes)
    for weight, rate in networks.rates_of(settings).items() if settings.networks else ():
        yield networks.parts.cell(weight, settings.networks, settings.updates, rate, settings.seed)
