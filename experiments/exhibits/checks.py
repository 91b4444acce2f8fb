"""E1 to E3: whether the authors' configurations have entries that fit the suite, and whether costs may be scaled."""

from collections.abc import Sequence

from ams.statistics import Interval
from experiments.benchmarks.costs import median_interval
from experiments.exhibits import coverage, study
from experiments.exhibits.configurations import listed
from experiments.exhibits.settings import Settings
from experiments.exhibits.study import Rounds
from verdicts import Measurement


def counted(names: Sequence[str]) -> Measurement:
    """Return how many names there are, with the names."""
    return Measurement(value=len(names), n=len(listed().configuration), detail={"names": ", ".join(names)})


def sets_and_networks_without_an_entry(settings: Settings) -> Measurement:
    """Count the graph sets and the networks of score_sde that the suite knows and the list has not."""
    return counted(coverage.missing(listed(), coverage.all_claims()))


def values_that_differ_from_the_suite(settings: Settings) -> Measurement:
    """Count the values of the list that differ from what the suite runs."""
    return counted(coverage.differing(listed()))


def groups_claims_and_samplers_that_do_not_exist(settings: Settings) -> Measurement:
    """Count the groups, claims and samplers that the list names and the suite lacks."""
    return counted(coverage.named_in_vain(listed(), coverage.all_claims()))


def commands_that_decide_nothing(settings: Settings) -> Measurement:
    """Count the commands that are refused, or whose profile does not decide the claims that they name."""
    return counted(coverage.undecided(listed(), coverage.all_claims()))


def factor(interval: Interval) -> Interval:
    """Return the factor between a ratio and 1, the larger over the smaller, with its interval."""
    ends = [max(end, 1 / end) for end in (interval.low, interval.high)]
    low = 1.0 if interval.low <= 1 <= interval.high else min(ends)
    return Interval(max(interval.value, 1 / interval.value), low, max(ends), interval.n)


def prediction_factor(rounds: Rounds, seed: int) -> Measurement:
    """Return the largest factor between measured and predicted times, over the sizes after the first.

    Each is a median over rounds with its distribution-free interval.
    """
    medians = [median_interval(rounds.ratios(later)) for later in range(1, len(rounds.flops))]
    worst = max(map(factor, medians), key=lambda each: each.value)
    detail = {f"measured over predicted, {n}": round(each.value, 3) for n, each in enumerate(medians, 1)}
    return Measurement(**worst._asdict(), seeds=(seed,), detail=detail)


def prediction_factor_of_the_small_network(settings: Settings) -> Measurement:
    """Measure how far the time of NCSN++ (CIFAR-10) is from that predicted at half the side."""
    return prediction_factor(study.small_rounds(settings), settings.seed)


def prediction_factor_of_graphs(settings: Settings) -> Measurement:
    """Measure how far the time of community_small's networks is from that predicted from fewer graphs."""
    return prediction_factor(study.graph_rounds(settings.batches, settings.pairs), settings.seed)


def prediction_factor_of_the_wide_network(settings: Settings) -> Measurement:
    """Measure how far the time of NCSN++ (256 pixels) is from that predicted at half the side, the worst step."""
    return prediction_factor(study.wide_rounds(settings), settings.seed)
