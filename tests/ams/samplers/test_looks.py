"""How samplers are drawn: a look for each, no two alike, none in what a result depends on; shades
are no sampler's.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from ams.errors import UserError
from ams.plots import shades
from ams.samplers import looks as sampler_looks, presets
from ams.samplers.looks import LOOKS, Looks, looks
from ams.samplers.presets import EXACT, SPECS
from ams_suite.project import PROJECT
from tests.claims import ROOT
from verdicts.claims.schema import Profile
from verdicts.records.workspace import Workspace

LOOKS_FILE = "ams/samplers/looks.py"
COLOUR = re.compile(r"[\"']#[0-9a-fA-F]{6}[\"']")
PAGES = {"samplercheck/page.py"}
"""A page of the kit: the exhibits' claims read the command line, which writes it."""


def test_every_sampler_has_a_look_and_draws_of_the_target_have_none() -> None:
    assert set(SPECS) - set(LOOKS) == {EXACT.name}
    assert set(LOOKS) <= set(SPECS)


def test_no_two_samplers_look_alike() -> None:
    assert len({(look.marker, look.line, look.colour) for look in LOOKS.values()}) == len(LOOKS)


def test_families_have_their_samplers_in_the_order_of_the_records() -> None:
    own = LOOKS | looks({"Own": {"mine": ("#123456", "o", "-")}})
    names = ("mine", "ancestral", "annealed Langevin", "PC, Langevin")
    assert list(own.families(names).items()) == [
        ("Annealed, no momentum", ["annealed Langevin"]),
        ("Predictor, corrector", ["PC, Langevin", "ancestral"]),
        ("Own", ["mine"]),
    ]


def test_a_sampler_of_a_file_of_its_own_is_drawn_with_its_first_letter(monkeypatch) -> None:
    monkeypatch.setattr(presets, "SPECS", presets.SPECS.copy())
    monkeypatch.setattr(sampler_looks, "SPECS", presets.SPECS)
    mine = presets.register(presets.SamplerSpec("mine", presets.Family.ONE_STEP))
    assert presets.SPECS["mine"] is mine and LOOKS["mine"].marker == "$m$"
    assert LOOKS.families(["mine", "ancestral"]) == {
        "Predictor, corrector": ["ancestral"],
        "Other samplers": ["mine"],
    }
    with pytest.raises(ValueError, match="two samplers have the name 'mine'"):
        presets.register(presets.SamplerSpec("mine", presets.Family.ONE_STEP))


@pytest.mark.parametrize("known", [LOOKS, LOOKS | looks({"Own": {"mine": ("#123456", "o", "-")}})])
def test_a_sampler_without_a_look_is_refused_in_one_line(known: Looks) -> None:
    for ask in (lambda: known["new"], lambda: known.families(["annealed Langevin", "new"])):
        with pytest.raises(
            UserError, match=r"^sampler 'new' has no look: add .* in src/ams/samplers/looks\.py.*$"
        ):
            ask()


def test_a_changed_look_makes_figures_stale_and_no_result() -> None:
    """By the imports that keys hash: those of each claim's record, of each study and so of its
    cells, of figures.
    """
    first = Workspace.open(ROOT, Profile.QUICK, None, PROJECT)
    measured, drawn = set[str](), set[str]()
    for workspace in (first.beside(profile) for profile in Profile):
        for group in workspace.claims.group:
            studied = workspace.study_parts(group)
            keys = [workspace.record_parts(claim) for claim in workspace.claims_here(group)]
            for parts in (*keys, *([studied] if studied else [])):
                measured |= parts.sources.keys()
            drawn |= workspace.figures_parts(group).sources.keys()
    assert "ams/samplers/presets.py" in measured and LOOKS_FILE in drawn
    assert LOOKS_FILE not in measured
    assert {name for name in measured if COLOUR.search(_text(first, name))} <= PAGES


def _text(workspace: Workspace, name: str) -> str:
    """Return the text of a file that a key hashes."""
    return next(
        path for root in workspace.sources.roots if (path := Path(root, name)).is_file()
    ).read_text("utf-8")


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_shades_differ_in_lightness_and_are_no_samplers(count: int) -> None:
    colours = shades(count)
    lightness = [sum(np.multiply((0.2126, 0.7152, 0.0722), to_rgb(colour))) for colour in colours]
    assert len(set(colours)) == count and lightness == sorted(lightness)
    assert not set(colours) & {look.colour.lower() for look in LOOKS.values()}
    with pytest.raises(ValueError, match="count = 0"):
        shades(0)
