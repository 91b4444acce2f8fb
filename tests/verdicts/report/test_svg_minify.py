"""A figure made lean: the same picture, the same bytes in any process, nothing that refers to what is gone."""

import io
import re
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
import typst
from hypothesis import given, settings, strategies as st
from matplotlib import pyplot
from PIL import Image

from ams.samplers.looks import LOOKS
from tests.verdicts.toy import Toy
from verdicts import save_figure
from verdicts.report import svg_minify as module
from verdicts.report.svg_minify import lean, path, pixels


def drawn(folder: Path) -> Path:
    """Return the SVG of a figure with what the suite's figures hold: markers, bands, formulas, clips, pixels."""
    figure, (curves, grid) = pyplot.subplots(1, 2, figsize=(6, 2.6))
    x = np.geomspace(1, 100, 30)
    for n, sampler in enumerate(("annealed Langevin", "adaptive momentum", "DPM-Solver++")):
        curves.plot(x, np.exp(-n) * np.cos(0.1 * n * x), **LOOKS[sampler].style())
        curves.fill_between(x, np.exp(-n) - 0.2, np.exp(-n) + 0.2, alpha=0.2)
    curves.set(xscale="log", ylim=(-0.7, 0.9), title=r"$W_2(\pi_a, \pi) \leq 10^{-3}$", ylabel="distance (s.d.)")
    curves.legend()
    grid.imshow(np.arange(64).reshape(8, 8), cmap="gray")
    grid.contour(np.add.outer(np.arange(8) ** 2, np.arange(8)), levels=5)
    return save_figure(figure, folder, "all", "A caption with $x^2$ & <signs>.").file


@pytest.fixture(scope="module")
def figure(tmp_path_factory) -> str:
    return drawn(tmp_path_factory.mktemp("figure")).read_text(encoding="utf-8")


def raster(svg: str) -> np.ndarray:
    """Return the grey levels of an SVG, drawn by Typst at three pixels a point."""
    source = b'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg")'
    page = typst.Compiler(source, sys_inputs={"svg": svg}).compile(format="png", ppi=216)
    assert isinstance(page, bytes)
    return np.asarray(Image.open(io.BytesIO(page)).convert("L"), dtype=float)


def changed(one: np.ndarray, other: np.ndarray) -> float:
    """Return which part of the pixels differs by more than an edge that moved by a hundredth of a point can explain."""
    return float((np.abs(one - other) > 64).mean())


def test_it_is_the_same_picture_in_less_than_half_of_the_bytes(figure, monkeypatch):
    short, before = lean(figure), raster(figure)
    assert len(short) < 0.5 * len(figure)
    assert before.std() > 20, "something is drawn"
    assert changed(before, raster(short)) < 1e-5
    path.cache_clear()
    monkeypatch.setattr(module, "DECIMALS", 0)
    assert changed(before, raster(lean(figure))) > 1e-3, "whole points would be seen"
    path.cache_clear()


def test_names_are_referred_to_and_references_are_there(figure):
    short = lean(figure)
    named = re.findall(r'\bid="([^"]+)"', short)
    used = re.findall(r'href="#([^"]+)"', short) + re.findall(r"url\(#([^)]+)\)", short)
    assert len(named) == len(set(named)) and set(named) == set(used)
    classes, styles = set(re.findall(r'class="([^"]+)"', short)), set(re.findall(r"\.(\w+)\{", short))
    assert classes == styles and classes


def test_it_keeps_no_word_of_the_file_s_metadata(figure):
    short = lean(figure)
    assert "A caption" in figure and "A caption" not in short
    assert "<metadata" not in short and "<!--" not in short and "rdf" not in short


def test_the_same_bytes_whatever_the_process(figure, tmp_path):
    code = "from verdicts.report.svg_minify import lean; print(lean(open('a.svg', encoding='utf-8').read()), end='')"
    (tmp_path / "a.svg").write_text(figure, encoding="utf-8")
    for seed in ("1", "2"):
        assert Toy(tmp_path, "").python("-c", code, PYTHONHASHSEED=seed).stdout == lean(figure)


COORDINATE = st.floats(-2000, 2000, allow_nan=False, width=32)
POINT = st.tuples(COORDINATE, COORDINATE)
SEGMENT = st.one_of(
    st.tuples(st.sampled_from("ML"), st.tuples(POINT)),
    st.tuples(st.just("Q"), st.tuples(POINT, POINT)),
    st.tuples(st.just("C"), st.tuples(POINT, POINT, POINT)),
    st.just(("Z", ())),
)


def absolute(d: str) -> list[tuple[str, np.ndarray]]:
    """Return a path's commands with their points, by the rules of SVG 1.1, section 8.3."""
    tokens = re.findall(r"[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)", d)
    found: list[tuple[str, np.ndarray]] = []
    here, start, command, at = np.zeros(2), np.zeros(2), "", 0
    while at < len(tokens):
        if tokens[at].isalpha():
            command, at = tokens[at], at + 1
        kind, base = command.upper(), here if command.islower() else np.zeros(2)
        if kind == "Z":
            here = start
            found.append(("Z", np.zeros((0, 2))))
            continue
        count = {"H": 1, "V": 1, "M": 2, "L": 2, "Q": 4, "C": 6}[kind]
        values, at = np.array([float(each) for each in tokens[at : at + count]]), at + count
        if kind in "HV":
            axis = "HV".index(kind)
            point = here.copy()
            point[axis] = values[0] + base[axis]
            points, kind = point[None], "L"
        else:
            points = values.reshape(-1, 2) + base
        here = points[-1]
        found.append((kind, points))
        if kind == "M":
            start, command = here, {"M": "L", "m": "l"}[command]
    return found


@settings(max_examples=200, deadline=None)
@given(st.lists(SEGMENT, max_size=30), st.sampled_from([0, 1, 2]))
def test_every_point_of_a_path_stays_where_it_was(segments, decimals):
    whole = [("M", ((0.0, 0.0),)), *segments]
    d = " ".join(f"{kind} " + " \n".join(f"{x:.6f} {y:.6f}" for x, y in points) for kind, points in whole)
    for (kind, points), (other, found) in zip(whole, absolute(path(d, decimals)), strict=True):
        assert kind == other
        assert np.abs(np.array(points).reshape(-1, 2) - found).max(initial=0) <= 0.5 * 10**-decimals + 2e-6


def test_a_long_path_does_not_wander():
    steps = np.cumsum(np.full((3000, 2), 0.0149), axis=0)
    d = "M 0 0 " + " ".join(f"L {x:.6f} {y:.6f}" for x, y in steps)
    assert np.abs(absolute(path(d, 2))[-1][1] - steps[-1]).max() < 0.0051


@pytest.mark.parametrize("d", ["M 0 0 A 5 5 0 0 1 10 10", "m 1 1 l 2 2", "M 0 0 T 3 3"])
def test_what_matplotlib_does_not_write_is_left_as_it_is(d):
    assert path(d, 2) == d


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_embedded_pixels_keep_their_values(mode):
    shape = (9, 7) if mode == "L" else (9, 7, len(mode))
    kept = Image.fromarray(np.random.default_rng(3).integers(0, 255, shape, dtype=np.uint8))
    stream = io.BytesIO()
    kept.convert("RGBA").save(stream, "PNG")
    address = module.EMBEDDED + module.b64encode(stream.getvalue()).decode()
    short = pixels(address)
    assert len(short) <= len(address)
    found = Image.open(io.BytesIO(b64decode(short.removeprefix(module.EMBEDDED))))
    assert found.mode == mode and found.convert("RGBA").tobytes() == kept.convert("RGBA").tobytes()
