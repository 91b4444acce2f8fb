"""The simulated cluster: known runs take what they must, and a finished run is read whole."""

import pytest

from verdicts.run.forecast import GroupWork, simulated
from verdicts.studies.store import Cost


def cost(seconds, *asked):
    return Cost(seconds=seconds, started="", asked=asked)


def work(group, seconds, checks=0.0, page=0.0):
    cells = {f"{group}/{number}": cost(each) for number, each in enumerate(seconds)}
    return GroupWork(group, cells, [*cells], checks, page)


@pytest.mark.parametrize(
    ("groups", "nodes", "seconds", "busy"),
    [
        ([work("a", [4.0, 4.0])], 1, 1 + 8, 9),
        ([work("a", [2.0] * 4)], 2, 2 * 3 + 1, 4 * 3 + 1),
        ([work("a", [2.0] * 4, checks=3.0, page=2.0)], 2, 2 * 3 + 1 + 3 + 1 + 2, 4 * 3 + 4 + 3),
        ([work(name, [3.0]) for name in "abcd"], 2, 2 * 4, 4 * 4),
        ([], 4, 0, 0),
    ],
)
def test_a_run_takes_what_its_longest_chain_and_its_nodes_make_it_take(groups, nodes, seconds, busy):
    """A start is a second; a study on two nodes has four shares where it is all there is."""
    run = simulated(groups, 0.0, nodes, start=1.0, most=64)
    assert (run.seconds, run.busy) == (pytest.approx(seconds), pytest.approx(busy))


def test_what_takes_longest_is_begun_first():
    groups = [work(name, [], checks=seconds) for name, seconds in (("a", 1.0), ("b", 1.0), ("c", 2.0))]
    assert simulated(groups, 0.0, 2, start=0.0, most=64).seconds == 2.0


def test_more_nodes_than_studies_are_shared_out_for_bring_nothing():
    groups = [work("a", [1.0] * 64)]
    times = [simulated(groups, 0.0, nodes, start=0.0, most=4).seconds for nodes in (4, 8, 64)]
    assert times == [16.0, 8.0, 8.0], "eight shares for four nodes"


def test_a_share_waits_for_a_cell_that_another_computes():
    cells = {"base": cost(5.0), "one": cost(1.0, "base"), "two": cost(1.0, "base")}
    run = simulated([GroupWork("a", cells, ["one", "two"], 0.0, 0.0)], 0.0, 2, start=0.0, most=64)
    assert run.seconds == pytest.approx(6.0, abs=0.2), "the base once, then both at once"


def test_the_report_comes_last():
    assert simulated([work("a", [4.0])], 3.0, 1, start=1.0, most=64).seconds == 8.0
