"""What people write for the report must fit the claims; sections of tools are shown whole, with what changed since."""

import pytest

from verdicts import Table
from verdicts.claims.loading import load_claims
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.records.files import sha256_of
from verdicts.report.report_texts import KEPT_SECTIONS, SECTIONS, Section, refuse_bad_texts, sections_of

TABLE = Table(id="t", caption="c", header=("a",), rows=((1,),))
WORK = """
[[work]]
id = "others"
title = "Work of others"
paper = "Someone, arXiv 0000.00000"
claims = ["That $x = 1$."]
scaled = ["One dimension."]
[[work.finding]]
needs = { A1 = "holds", A2 = "refuted" }
text = "It is {A1.one} (A1)."
[[work.finding]]
needs = { B1 = "refuted" }
text = "Never shown (B1)."
"""
FINDING = '[[finding]]\npaper = "P1"\nneeds = { A2 = "holds" }\nsentence = "{A2.two}"\n'


def made(identifier="reseed", **changes):
    fields = {"id": identifier, "title": "Title", "text": "found", "table": TABLE, "command": f"ams {identifier}"}
    return Section(**fields | {"started": "2026-01-01T00:00:00.000000+00:00", "sources": {}} | changes)


def views(toy):
    return sections_of(toy.workspace())


@pytest.mark.parametrize("place", ["results/quick", "results"])
def test_a_section_of_the_profile_or_of_all_is_shown(toy, place):
    made().write(toy.root / place / SECTIONS / "reseed.json")
    (view,) = views(toy)
    assert view.section == made() and not view.kept and view.changed == 0
    assert sections_of(toy.workspace("cpu")) == ([] if place == "results/quick" else [view])


def test_the_profile_s_own_comes_before_that_of_all_and_this_before_the_one_kept(toy):
    for place, text in ((KEPT_SECTIONS, "kept"), (f"results/{SECTIONS}", "all"), (f"results/quick/{SECTIONS}", "own")):
        made(text=text).write(toy.root / place / "reseed.json")
        (view,) = views(toy)
        assert (view.section.text, view.kept) == (text, text == "kept")


def test_sections_of_several_tools_stand_side_by_side(toy):
    made("mutation").write(toy.root / "results" / SECTIONS / "mutation.json")
    made("reseed").write(toy.root / KEPT_SECTIONS / "reseed.json")
    assert {view.section.id: view.kept for view in views(toy)} == {"mutation": False, "reseed": True}


@pytest.mark.parametrize(("started", "word"), [("2026", b'"lost"'), ("", b'"found"')], ids=["damaged", "nothing tried"])
def test_where_a_section_is_damaged_or_nothing_was_tried_the_one_that_was_kept_is_shown(toy, started, word):
    path = toy.root / "results" / SECTIONS / "reseed.json"
    made(started=started).write(path)
    path.write_bytes(path.read_bytes().replace(b'"found"', word))
    assert views(toy) == []
    made(text="kept").write(toy.root / KEPT_SECTIONS / "reseed.json")
    assert views(toy)[0].section.text == "kept"


def test_changed_and_lost_files_are_counted(toy):
    names = ["Snakefile", f"{toy.package}/common.py", "verdicts/errors.py", "no/such/file.py"]
    workspace = toy.workspace()
    roots = (toy.root, *workspace.sources.roots)
    paths = [next((root / name for root in roots if (root / name).is_file()), None) for name in names]
    sources = {name: sha256_of(path.read_bytes()) if path else "gone" for name, path in zip(names, paths, strict=True)}
    made(sources=sources).write(toy.root / "results" / SECTIONS / "reseed.json")
    assert views(toy)[0].changed == 1, "one that is nowhere"
    toy.replace(f"{toy.package}/common.py", "1.0", "1.5")
    (toy.root / "Snakefile").unlink()
    assert views(toy)[0].changed == 3


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("related_work", '"others"', '"other"', "group.own_page"),
        ("related_work", "A2 =", "A9 =", "A9"),
        ("related_work", "{A1.one}", "{A1.two}", "A1.two"),
        ("deviations", "A2.two", "A2.tow", r"paper/deviations.toml: deviation\[one\].checks.*did you mean A2.two"),
        ("findings", "{A2.two}", "{A9.two}", r"paper/findings.toml: finding\[P1\]: unknown check"),
    ],
)
def test_what_texts_name_must_exist(toy, name, old, new, message):
    toy.lay("texts")
    toy.replace_in_claims("beta", 'part = "suite"', 'part = "suite"\nown_page = "others"')
    toy.write("paper/related_work.toml", WORK)
    toy.write("paper/findings.toml", FINDING)
    toy.replace(f"paper/{name}.toml", old, new)
    with pytest.raises(UserError, match=message):
        refuse_bad_texts(toy.root, Profile.QUICK, load_claims(toy.root))
