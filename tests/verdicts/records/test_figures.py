"""Figures and tables: the same bytes for the same data, whole or not at all, and rows that fit."""

import csv

import matplotlib
import numpy as np
import pytest
from pydantic import ValidationError

from verdicts import Table, save_figure
from verdicts.records.booktabs import booktabs
from verdicts.records.figures import Stamp, saved_as, stamped

matplotlib.use("Agg")


def drawn(folder, value):
    from matplotlib import pyplot

    drawing, axes = pyplot.subplots(figsize=(2, 1))
    axes.plot([0, value])
    axes.set_xlabel("$u = a \\lambda$")
    return save_figure(drawing, folder, "name", "caption", ["G1"])


def test_the_same_data_give_the_same_bytes(tmp_path):
    one, two = drawn(tmp_path / "one", 1.0), drawn(tmp_path / "two", 1.0)
    for kind in (".svg", ".png", ".pdf"):
        assert one.file.with_suffix(kind).read_bytes() == two.file.with_suffix(kind).read_bytes()
    other = drawn(tmp_path / "other", 2.0)
    assert other.file.read_bytes() != one.file.read_bytes()
    assert one.claims == ("G1",)


def test_a_figure_is_closed_and_leaves_nothing_half_made(tmp_path):
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    drawn(tmp_path, 1.0)
    assert pyplot.get_fignums() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["name.pdf", "name.png", "name.svg"]


def test_only_the_kinds_that_are_asked_for_are_written(tmp_path):
    with saved_as((".svg",)):
        drawn(tmp_path, 1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["name.svg"]


def test_every_kind_of_file_says_where_it_comes_from(tmp_path):
    with stamped(Stamp("a toy", "quick", "c0ffee", "abcdef", dirty=True)):
        figure = drawn(tmp_path, 1.0)
    for kind in (".svg", ".png", ".pdf"):
        content = figure.file.with_suffix(kind).read_bytes()
        for told in (b"claims G1;", b"profile quick", b"commit abcdef with uncommitted changes", b"c0ffee", b"caption"):
            assert told in content, (kind, told)
    assert b"commit" not in drawn(tmp_path, 1.0).file.read_bytes(), "the stamp ends with its block"


def test_a_table_becomes_latex_that_escapes_what_is_special():
    rows = (("a_1 & 50 %", 0.000012345, 3), ("$x_1$ ≤ `f_1`", 12.0, -4))
    table = Table(id="t", caption="100 % of $u_1$", header=("case", "$W_2$", "n"), rows=rows, claims=("G1",))
    text = booktabs(table, Stamp("a toy", "cpu", "c0ffee", None).text(table.claims))
    assert text.startswith("% a toy verified; claims G1; profile cpu; commit unknown; config sha256 c0ffee\n")
    assert r"\begin{tabular}{lrr}" in text and r"\caption{100 \% of $u_1$}" in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert r"a\_1 \& 50 \% & $1.234 \times 10^{-5}$ & $3$ \\" in lines
    assert r"$x_1$ \ensuremath{\le} \texttt{f\_1} & $12$ & $-4$ \\" in lines
    assert [line for line in lines if line.endswith("rule")] == [r"\toprule", r"\midrule", r"\bottomrule"]
    assert text.count(r"\\") == 3 and text.count("{") == text.count("}")


def test_an_awkward_cell_stays_one_cell_of_latex():
    table = Table(id="t", caption="c", header=("a", "b"), rows=(("two\nlines ~ ^ \\ <x>", "100"), ("", "−1")))
    lines = [" ".join(line.split()) for line in booktabs(table).splitlines()]
    tilde = r"two lines \textasciitilde{} \^{} \textbackslash{} \ensuremath{<}x\ensuremath{>} & 100 \\"
    assert tilde in lines and r"& \ensuremath{-}1 \\" in lines
    assert r"\begin{tabular}{ll}" in lines


def test_a_table_without_rows_has_its_columns():
    text = booktabs(Table(id="t", caption="c", header=("a", "b"), rows=()))
    assert r"\begin{tabular}{rr}" in text and text.count("&") == 2


def test_a_table_reads_back_from_its_csv():
    table = Table(id="t", caption="c", header=("a, b", "c"), rows=((1, 0.1), ("x\ny", np.float64(1 / 3))))
    rows = list(csv.reader(table.csv().splitlines(keepends=True)))
    assert rows == [["a, b", "c"], ["1", "0.1"], ["x\ny", repr(1 / 3)]]


@pytest.mark.parametrize("fields", [{"rows": ((1, 2),)}, {"rows": ((float("nan"),),)}, {"rows": (), "id": "../escape"}])
def test_a_table_that_does_not_fit_is_refused(fields):
    with pytest.raises(ValidationError):
        Table(**{"id": "t", "caption": "c", "header": ("a",)} | fields)
