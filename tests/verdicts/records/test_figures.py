"""Figures, charts and tables: the same bytes for the same data, whole or not at all; on a page,
in fewer bytes.
"""

import csv
import io
import json
import re

import matplotlib
import numpy as np
import pytest
import typst
from matplotlib import pyplot
from PIL import Image
from pydantic import ValidationError

from ams.samplers.looks import LOOKS
from verdicts import Table, save_figure
from verdicts.records import figures
from verdicts.records.figures import KINDS, SPEC, Stamp, save_chart, saved_as, stamped
from verdicts.report.images import shortened, size_of

matplotlib.use("Agg")


def drawn(folder, value):
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
        for told in (
            b"claims G1;",
            b"profile quick",
            b"commit abcdef with uncommitted changes",
            b"c0ffee",
            b"caption",
        ):
            assert told in content, (kind, told)
    assert b"commit" not in drawn(tmp_path, 1.0).file.read_bytes(), "the stamp ends with its block"
    unknown = Stamp("a toy", "cpu", "c0ffee", None).text(("G1",))
    assert unknown == "a toy verified; claims G1; profile cpu; commit unknown; config sha256 c0ffee"


def test_a_table_reads_back_from_its_csv():
    table = Table(
        id="t", caption="c", header=("a, b", "c"), rows=((1, 0.1), ("x\ny", np.float64(1 / 3)))
    )
    rows = list(csv.reader(table.csv().splitlines(keepends=True)))
    assert rows == [["a, b", "c"], ["1", "0.1"], ["x\ny", repr(1 / 3)]]


@pytest.mark.parametrize(
    "fields", [{"rows": ((1, 2),)}, {"rows": ((float("nan"),),)}, {"rows": (), "id": "../escape"}]
)
def test_a_table_that_does_not_fit_is_refused(fields):
    with pytest.raises(ValidationError):
        Table(**{"id": "t", "caption": "c", "header": ("a",)} | fields)


def test_a_chart_is_saved_with_a_still_picture_and_its_origin(tmp_path):
    altair = pytest.importorskip("altair")
    chart = (
        altair.Chart({"values": [{"x": 1, "y": 2}]}, width=100, height=75)
        .mark_point()
        .encode(x="x:Q", y="y:Q")
    )
    made = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        with saved_as(KINDS), stamped(Stamp("the paper", "quick", "digest", "abc")):
            figure = save_chart(chart, folder, "dots", "two points", ("A1",))
        made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert made[0] == made[1] and set(made[0]) == {"dots.svg", "dots.png", f"dots{SPEC}"}
    assert (figure.file.name, figure.claims, figure.moves) == ("dots.svg", ("A1",), True)
    spec = json.loads(made[0][f"dots{SPEC}"])
    assert "the paper verified; claims A1" in spec["usermeta"][
        "origin"
    ] and "http" not in json.dumps(spec)
    assert size_of(figure.file.read_text()) > (75.0, 56.0), "in points, axes included"


def test_a_chart_without_room_for_its_converter_says_so_in_place_of_a_still_picture(
    tmp_path, monkeypatch
):
    altair = pytest.importorskip("altair")
    chart = altair.Chart({"values": [{"x": 1}]}).mark_point().encode(x="x:Q")
    monkeypatch.setattr(figures.resource, "getrlimit", lambda kind: (12 * 10**9, -1))
    figure = save_chart(chart, tmp_path, "dots", "a point", ("A1",))
    assert {path.name for path in tmp_path.iterdir()} == {"dots.svg", f"dots{SPEC}"}
    assert "No still picture of this chart" in figure.file.read_text() and size_of(
        figure.file.read_text()
    )


def raster(svg: str) -> np.ndarray:
    """Return the grey levels of an SVG, drawn by Typst at three pixels a point."""
    source = (
        b"#set page(width: auto, height: auto, margin: "
        b'0pt)\n#image(bytes(sys.inputs.svg), format: "svg")'
    )
    page = typst.Compiler(source, sys_inputs={"svg": svg}).compile(format="png", ppi=216)
    assert isinstance(page, bytes)
    return np.asarray(Image.open(io.BytesIO(page)).convert("L"), dtype=float)


def test_on_a_page_it_is_the_same_picture_in_three_quarters_of_the_bytes(tmp_path):
    drawing, (curves, grid) = pyplot.subplots(1, 2, figsize=(6, 2.6))
    x = np.geomspace(1, 100, 30)
    for n, sampler in enumerate(("annealed Langevin", "adaptive momentum", "DPM-Solver++")):
        curves.plot(x, np.exp(-n) * np.cos(0.1 * n * x), **LOOKS[sampler].style())
        curves.fill_between(x, np.exp(-n) - 0.2, np.exp(-n) + 0.2, alpha=0.2)
    curves.set(
        xscale="log",
        ylim=(-0.7, 0.9),
        title=r"$W_2(\pi_a, \pi) \leq 10^{-3}$",
        ylabel="distance (s.d.)",
    )
    curves.legend()
    grid.imshow(np.arange(64).reshape(8, 8), cmap="gray")
    grid.contour(np.add.outer(np.arange(8) ** 2, np.arange(8)), levels=5)
    figure = save_figure(
        drawing, tmp_path, "all", "A caption with $x^2$ & <signs>."
    ).file.read_text(encoding="utf-8")
    short, before = shortened(figure), raster(figure)
    assert len(short) < 0.75 * len(figure)
    assert before.std() > 20, "something is drawn"
    # More than an edge that moves by a hundredth of a point can explain
    assert (np.abs(before - raster(short)) > 64).mean() < 1e-4
    used, before = (set(re.findall(r'(?:href="|url\()#([^")]+)', text)) for text in (short, figure))
    assert len(used) == len(before) and used <= set(re.findall(r' id="([^"]+)"', short)), (
        "each name is defined"
    )
    assert "A caption" not in short and "rdf" not in short
