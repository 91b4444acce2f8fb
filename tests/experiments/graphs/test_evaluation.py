"""`evaluate` as a user runs it: files in, a table or JSON out, exit code 2 for what cannot be read."""

import json

import pytest

from ams.data import Graph
from ams_suite.__main__ import main
from experiments.graphs.data import community_small
from experiments.graphs.discrepancy import estimates
from experiments.graphs.statistics import STATISTICS
from tests.experiments.graphs.strategies import random_graph

REAL = community_small(20, seed=0)
NOISE = [random_graph(16, 0.4, seed) for seed in range(12)]


@pytest.fixture
def written(tmp_path):
    """Return a function that writes graphs to a file."""

    def write(name: str, listed: list[Graph]) -> str:
        path = tmp_path / name
        path.write_text(json.dumps(listed))
        return str(path)

    return write


def test_json_holds_the_published_estimates_and_their_intervals(written, capsys):
    assert main(["evaluate-graphs", written("real", REAL), written("noise", NOISE), "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert list(output["mmd"]) == ["degree", "cluster", "orbit", "spectral"]
    for statistic in STATISTICS:
        expected = estimates(statistic, REAL, NOISE, seed=0)
        assert output["mmd"][statistic.name]["value"] == pytest.approx(expected.value, rel=1e-12)
        assert output["mmd"][statistic.name]["interval"] == pytest.approx(list(expected.published[1:3]), rel=1e-9)
        assert output["unbiased"][statistic.name]["value"] == pytest.approx(expected.unbiased.value, rel=1e-9)
    assert (output["reference"], output["generated"]) == (20, 12)


def test_very_few_graphs_have_values_alone(written, capsys):
    one, two = written("real", REAL), written("noise", NOISE[:2])
    assert main(["evaluate-graphs", one, two, "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert output["mmd"]["degree"]["value"] > 0
    assert output["mmd"]["degree"]["interval"] is None is output["unbiased"]["degree"]["value"]
    assert main(["evaluate-graphs", one, two]) == 0
    assert "[" not in "".join(capsys.readouterr().out.splitlines()[2:])


@pytest.mark.parametrize("content", ["[]", "[[2, [[0, 5]]]]", "not graphs"])
def test_what_is_no_set_of_graphs_ends_in_one_line_and_exit_code_2(content, written, tmp_path, capsys):
    bad = tmp_path / "bad"
    bad.write_text(content)
    for order in ([str(bad), written("real", REAL)], [written("real", REAL), str(bad)]):
        assert main(["evaluate-graphs", *order]) == 2
        output = capsys.readouterr()
        assert output.out == "" and output.err.count("\n") == 1 and str(bad) in output.err
