"""Pictures: a figure is the same in fewer bytes, and the chart of all claims tells how far each is from its bound."""

import io
import re

import numpy as np
import pytest
import typst
from matplotlib import pyplot
from PIL import Image

from ams.samplers.looks import LOOKS
from tests.claims import entry
from verdicts import save_figure
from verdicts.claims.measurement import Measurement
from verdicts.records.record import CheckResult
from verdicts.report.images import margin, shortened
from verdicts.report.views import CheckView


def raster(svg: str) -> np.ndarray:
    """Return the grey levels of an SVG, drawn by Typst at three pixels a point."""
    source = b'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg")'
    page = typst.Compiler(source, sys_inputs={"svg": svg}).compile(format="png", ppi=216)
    assert isinstance(page, bytes)
    return np.asarray(Image.open(io.BytesIO(page)).convert("L"), dtype=float)


def test_it_is_the_same_picture_in_three_quarters_of_the_bytes(tmp_path):
    drawing, (curves, grid) = pyplot.subplots(1, 2, figsize=(6, 2.6))
    x = np.geomspace(1, 100, 30)
    for n, sampler in enumerate(("annealed Langevin", "adaptive momentum", "DPM-Solver++")):
        curves.plot(x, np.exp(-n) * np.cos(0.1 * n * x), **LOOKS[sampler].style())
        curves.fill_between(x, np.exp(-n) - 0.2, np.exp(-n) + 0.2, alpha=0.2)
    curves.set(xscale="log", ylim=(-0.7, 0.9), title=r"$W_2(\pi_a, \pi) \leq 10^{-3}$", ylabel="distance (s.d.)")
    curves.legend()
    grid.imshow(np.arange(64).reshape(8, 8), cmap="gray")
    grid.contour(np.add.outer(np.arange(8) ** 2, np.arange(8)), levels=5)
    figure = save_figure(drawing, tmp_path, "all", "A caption with $x^2$ & <signs>.").file.read_text(encoding="utf-8")
    short, before = shortened(figure), raster(figure)
    assert len(short) < 0.75 * len(figure)
    assert before.std() > 20, "something is drawn"
    # More than an edge that moves by a hundredth of a point can explain
    assert (np.abs(before - raster(short)) > 64).mean() < 1e-4
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', short)) == set(
        re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', figure)
    )
    assert "A caption" not in short and "rdf" not in short


@pytest.mark.parametrize(
    ("relation", "bound", "tolerance", "measured", "shares"),
    [
        (">=", 2.0, 0.0, (4.0, 1.0, 8.0), (0.5, -0.25, 1.0)),
        ("<=", 2.0, 0.0, (4.0, 3.0, 5.0), (-0.5, -0.75, -0.25)),
        ("<=", 0.0, 0.5, (0.25, 0.0, 0.5), (0.5, 0.0, 1.0)),
        ("=", 1.0, 0.5, (1.25, 0.75, 1.75), (0.5, -0.5, 1.0)),
        ("=", 1.0, 0.5, (2.0, 2.0, 2.0), (-0.5, -0.5, -0.5)),
        ("=", 1.0, 0.5, (1.0, 0.25, 1.25), (1.0, -0.5, 1.0)),
        ("=", 0.0, 0.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        (">=", 0.0, 0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ],
)
def test_a_margin_is_the_share_by_which_a_requirement_is_met(relation, bound, tolerance, measured, shares):
    check = entry(relation, bound, tolerance)
    value, low, high = measured
    result = CheckResult.of(check, Measurement(value=value, low=low, high=high), seconds=0.0, where="")
    assert margin(CheckView(check, result, "", "")) == pytest.approx(shares)
