"""Real digits with their exact score, D1 to D7a: errors of samplers at equal evaluations."""

from collections.abc import Iterable

from ams.statistics.tuning import optima_on_edge
from ams_suite import measures
from experiments.images.comparison import CONFIDENCE, column, error_curve, farthest
from experiments.images.digits import study
from experiments.images.digits.settings import BASELINE, PAPER, Settings
from verdicts import Measurement


def variance_ratio(settings: Settings, sampler: str) -> Measurement:
    """Return a sampler's variance ratio at the largest budget that the three samplers of D2 share."""
    return mean(settings, sampler, max(settings.budgets + settings.long), "variance_ratio")


def mean(settings: Settings, sampler: str, budget: int, quantity: str) -> Measurement:
    """Return the mean over batches of an error of a sampler at a budget."""
    values = column(study.errors(settings, sampler, budget), quantity)
    return measures.mean_of(values, CONFIDENCE, settings.seed, settings.batch)


def kl_excess(
    settings: Settings, sampler: str, other: str, budget: int, quantity: str = "kl", tuned: bool = False
) -> Measurement:
    """Return a sampler's quantity less another's, paired by batch; at the defaults, or both `tuned`."""
    errors = study.tuned_errors if tuned else study.errors
    ours, theirs = (column(errors(settings, name, budget), quantity) for name in (sampler, other))
    return measures.mean_difference(ours, theirs, CONFIDENCE, settings.seed, settings.batch, budget=budget)


def speed_up(settings: Settings, baseline: str, on_more: bool = False) -> Measurement:
    """Return a baseline's evaluations over adaptive momentum's, at the KL that it has at the largest small budget.

    `on_more`: on D3's further batches too.
    """
    more = settings.more if on_more else 0
    return _ratio(settings, baseline, settings.budgets_of(baseline), max(settings.small), more)


def factor(settings: Settings, budget: int) -> Measurement:
    """Return annealed Langevin's evaluations over adaptive momentum's `budget`, at equal KL."""
    return _ratio(settings, BASELINE, settings.baseline_budgets, budget, settings.more)


def _ratio(
    settings: Settings,
    baseline: str,
    theirs: Iterable[int],
    ours: int,
    more: int,
) -> Measurement:
    """Return a baseline's evaluations, read between `theirs`, over adaptive momentum's `ours`.

    Both have equal KL per pixel, on all batches and on so many `more`.
    """
    errors = column(study.errors(settings, PAPER, ours, more), "kl")
    runs = {budget: study.errors(settings, baseline, budget, more) for budget in theirs}
    curve = error_curve(runs, "kl")
    known = (CONFIDENCE, settings.seed, settings.batch)
    return measures.speed_up(errors, curve, ours, *known, baseline=baseline)


def least_kl_gain_over_annealed_langevin(settings: Settings) -> Measurement:
    """Measure annealed Langevin's KL per pixel less adaptive momentum's, at the small budget where that is least."""
    gains = [kl_excess(settings, BASELINE, PAPER, budget) for budget in settings.small]
    return min(gains, key=lambda gain: gain.interval[0])


def kl_of_annealed_langevin_where_the_gain_is_least(settings: Settings) -> Measurement:
    """Measure annealed Langevin's KL per pixel at the small budget where adaptive momentum gains least on it."""
    budget = least_kl_gain_over_annealed_langevin(settings).detail["budget"]
    return mean(settings, BASELINE, int(str(budget)), "kl")


def kl_of_annealed_langevin_at_twice_the_evaluations(settings: Settings) -> Measurement:
    """Measure annealed Langevin's KL per pixel at 120 evaluations less adaptive momentum's at 60 (fresh, paired)."""
    budget = max(settings.small)
    pair = (study.fresh_errors(settings, *run) for run in ((BASELINE, 2 * budget), (PAPER, budget)))
    theirs, ours = (column(each, "kl") for each in pair)
    return measures.mean_difference(theirs, ours, CONFIDENCE, settings.seed, settings.batch)


def largest_energy_difference_to_annealed_langevin(settings: Settings) -> Measurement:
    """Measure annealed Langevin's energy distance less adaptive momentum's, farthest from 0 at 20 to 60 evaluations."""
    return farthest(kl_excess(settings, BASELINE, PAPER, budget, "energy") for budget in settings.small)


def relative_share(settings: Settings, sampler: str) -> Measurement:
    """Return the share of the under-weighted mode among samples over its share in the target."""
    truth = study.target_share()
    ratios = [share / truth for share in study.rare_shares(settings, sampler)]
    detail = {"share in the target": truth, "evaluations": settings.rare}
    return measures.mean_of(ratios, CONFIDENCE, settings.seed, settings.rare_batch, "", **detail)


def kl_excess_over_annealed_langevin_at_many_evaluations(settings: Settings) -> Measurement:
    """Measure adaptive momentum's KL per pixel less annealed Langevin's at the largest budget of all (paired)."""
    return kl_excess(settings, PAPER, BASELINE, settings.past)


def tuned_hyperparameters_on_an_edge(settings: Settings) -> Measurement:
    """Count the chosen hyperparameters at an end of their grid, natural bounds aside, over samplers and budgets."""
    edges = list[str]()
    for budget in settings.tuned:
        best = {f"{name}, {budget} NFE": study.chosen(settings, name, budget) for name in settings.tuned_samplers}
        axes = {"factor": settings.factors, "repeats": settings.repeats_at(budget)}
        natural = {("repeats", 1), ("repeats", budget // 2)}
        edges += optima_on_edge(axes, {case: h._asdict() for case, h in best.items()}, natural)
    return Measurement(
        value=len(edges), n=len(settings.tuned) * len(settings.tuned_samplers), detail={"edges": [*edges]}
    )


def late_excess(settings: Settings, other: str) -> Measurement:
    """Return the largest excess of KL per pixel over another sampler at budgets from 100 to 300."""
    budgets = sorted({*settings.budgets, *settings.long} & {*range(100, 301)})
    return max((kl_excess(settings, PAPER, other, each) for each in budgets), key=lambda excess: excess.interval[1])
