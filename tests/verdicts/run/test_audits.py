"""Kept cells and their audits: nothing forged, cut short, exchanged or stale is shown, nothing
true is refused.
"""

import json
import lzma
import shutil
from functools import partial

import numpy as np
import pytest

from tests.verdicts.toy import ALL, Session, calls, gamma, listed, set_batches, with_study
from verdicts.errors import UserError
from verdicts.records.files import sha256_of
from verdicts.records.ledger import collect
from verdicts.records.run_record import Audit, AuditOptions, RunRecord, most_that_differ, pooled
from verdicts.report.certificate import seen_of
from verdicts.report.findings import Decisions
from verdicts.report.report_texts import Exhibit
from verdicts.report.views import standing
from verdicts.run.audit import ReadCell, audit_group, biased, compared, keep
from verdicts.run.group import loader
from verdicts.studies.agreement import (
    NEAR,
    chance,
    chance_of_signs,
    changed_entries,
    deviations,
    moved,
)
from verdicts.studies.cells import Kept, cell, encoded
from verdicts.studies.kept import SUFFIX, Archive, KeptCell
from verdicts.studies.store import CellFile
from verdicts.studies.study import archive_of, store_of

NAMED = '@cell(kept=Kept("gamma.outcome", 1e-9))\ndef outcome'
OTHER = {"device": "another", "versions": {"torch": "0"}, "instructions": "none", "threads": 64}
SEEDS = 200
SPREAD = 5
"""Standard deviations about a binomial count that a test allows: a false alarm in 1.7e6."""


def lay(toy) -> None:
    """Keep the outcomes of the toy study: they are computed, published and removed."""
    toy.replace_in_module(
        "gamma/study",
        "from verdicts.studies import cell",
        "from verdicts.studies import Kept, cell",
    )
    toy.replace_in_module("gamma/study", "@cell\ndef outcome", NAMED)
    with pytest.MonkeyPatch.context() as patch:
        own = Session(toy, patch)
        own.run()
        calls(toy)
    keep(toy.workspace(), gamma(toy.workspace()), print)
    forget(own)


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    """Return the toy study, whose six outcomes are kept, and what makes its files so again."""
    toy = with_study(tmp_path_factory.mktemp("toy"))
    lay(toy)
    return toy, toy.snapshot()


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Return a toy study whose 60 outcomes are kept, and what makes its files so again."""
    toy = with_study(tmp_path_factory.mktemp("many"))
    set_batches(toy, 30)
    lay(toy)
    return toy, toy.snapshot()


@pytest.fixture
def session(laid, monkeypatch):
    """Return a session on the toy study, its files as they were laid."""
    toy, restore = laid
    restore()
    return Session(toy, monkeypatch)


@pytest.fixture
def sixty(many, monkeypatch):
    """Return a session on the study of 60 kept outcomes, its files as they were laid."""
    toy, restore = many
    restore()
    return Session(toy, monkeypatch)


def forget(session) -> None:
    """Remove all results; the archive stays."""
    shutil.rmtree(session.toy.root / "results", ignore_errors=True)
    calls(session.toy)


def archive(session) -> Archive:
    return archive_of(session.toy.workspace())


def kept(session) -> list[KeptCell]:
    return sorted(archive(session).of_group("gamma").values(), key=str)


def forge(session, change) -> None:
    """Write the archive again, with `change` made to the list of its cells and its own name
    true.
    """
    cells = [json.loads(one.model_dump_json()) for one in kept(session)]
    change(cells)
    (path,) = (session.toy.root / "paper/kept/gamma").glob(f"*{SUFFIX}")
    path.unlink()
    text = "".join(json.dumps(one) + "\n" for one in cells).encode()
    path.with_name(f"{sha256_of(text)[:16]}{SUFFIX}").write_bytes(lzma.compress(text))


def audit(session) -> Audit:
    return Audit.read(session.toy.folder() / "audits/gamma.json")


def change_first(cells, **fields) -> None:
    """Forge one cell: its energy, and what the file says of itself."""
    cells[0]["value"][0] *= 1.2
    cells[0].update(fields)


def refusals(session, short: int, seeds: int = SEEDS) -> int:
    """Audit the group with so many seeds, and return how often anything is refused."""
    workspace, count = session.toy.workspace(), 0
    group = gamma(workspace)
    load = loader(workspace, group)
    for seed in range(seeds):
        run = RunRecord.of(workspace, audit=AuditOptions(short=short, seed=seed))
        made = audit_group(workspace, run, group, load)
        assert made and made.drawn == short
        count += bool(made.refused)
        workspace.audit_path(group.id).unlink()
    return count


def test_a_forged_cell_is_caught_as_often_as_it_is_drawn(sixty):
    """Of 60 cells one is forged, in the store too, and declared long and of another processor;
    12 are drawn, 200 times: it is caught 40 times, within 5 standard deviations (28).
    """
    forge(sixty, partial(change_first, computed_on=OTHER, seconds=1e9))
    in_the_store_too(sixty)
    assert abs(refusals(sixty, 12) - SEEDS / 5) < SPREAD * (SEEDS * 0.16) ** 0.5


def in_the_store_too(session) -> None:
    """Lay in `results/cells` what the archive has, sealed as if it had been computed here."""
    workspace = session.toy.workspace()
    cells, store, whole = listed(workspace), store_of(workspace), archive(session)
    for each in cells:
        if (one := whole.kept(each)) is not None:
            key = store._key(each.function)
            CellFile(
                function=each.function.name, arguments=each.labels, key=key, value=one.value
            ).write(store.path(each))


def test_200_audits_of_a_true_archive_refuse_none(sixty):
    """Its numbers are moved as rounding moves them: either way, by up to a fifth of the
    tolerance.
    """
    chance_of = np.random.default_rng(0)

    def change(cells):
        for one in cells:
            one["value"][0] *= 1 + 2e-10 * chance_of.uniform(-1, 1)

    forge(sixty, change)
    assert refusals(sixty, 12) == 0


def test_values_that_are_all_moved_by_less_than_the_tolerance_are_caught_together(sixty):
    """By nine tenths of it, upwards: 20 drawn have one sign with probability 2e-6. Five drawn
    say nothing.
    """
    forge(
        sixty,
        lambda cells: [one["value"].__setitem__(0, one["value"][0] * (1 + 9e-10)) for one in cells],
    )
    assert refusals(sixty, 20) == SEEDS and refusals(sixty, 5) == 0


def test_what_follows_from_kept_cells_is_never_read_from_the_archive(session):
    """A forged value of a function that is not kept is no cell's; nor is one published that
    follows from kept ones.
    """

    def change(cells):
        forged = cells[0] | {
            "function": "gamma.start",
            "arguments": {"sampler": "one"},
            "value": 9.0,
        }
        cells.append(forged)

    forge(session, change)
    assert session.run() == 0 and session.rows()["C1"]["checks"][0]["value"] == 1.125
    session.toy.replace_in_module(
        "gamma/study", "@cell\ndef start", '@cell(kept=Kept("gamma.start"))\ndef start'
    )
    session.toy.replace_in_module(
        "gamma/study", "    for sampler in", '    yield start.cell("one")\n    for sampler in'
    )
    forget(session)
    session.run(force=("gamma",))
    (path,) = (session.toy.root / "paper/kept/gamma").glob(f"*{SUFFIX}")
    path.unlink()
    said = []
    keep(session.toy.workspace(), gamma(session.toy.workspace()), said.append)
    assert {one.function for one in kept(session)} == {"gamma.start", "gamma.outcome"}
    assert sum("follows from kept cells" in line for line in said) == 3, (
        "those of the sampler whose start is kept"
    )


def test_cells_of_functions_that_are_not_kept_any_more_are_dropped(session):
    forge(session, lambda cells: cells.append(cells[0] | {"function": "gamma.gone"}))
    assert len(kept(session)) == 7
    keep(session.toy.workspace(), gamma(session.toy.workspace()), print)
    assert len(kept(session)) == 6


def test_kept_cells_are_read_and_the_run_says_so_before_the_rows(session):
    assert session.run(audit=AuditOptions(short=2, seed=7)) == 0
    assert len(calls(session.toy)) <= 4, "two of six, and the starts that they ask for"
    row = session.rows()["C1"]
    assert row["kept"] >= 1 and row["checks"][0]["value"] == 1.125
    assert "2 of 6 stored cells computed anew, all agree (seed 7).\n" in session.said, (
        "of so few nothing follows"
    )
    assert session.said.index("stored cells computed") < session.said.index("The paper's")
    assert session.check() == 0
    assert session.run() == 0 and "nothing to compute" in session.said
    assert session.run(audit=AuditOptions(short=6, asked=True)) == 0
    assert (
        "6 of 6 stored cells computed anew, all agree: with 95 % confidence at most 0 % differ"
        in session.said
    )


def test_a_profile_may_read_no_kept_cells(session):
    session.toy.write("config/quick.toml", "one_process = true\nnotebooks = false\nkept = false\n")
    assert session.run() == 0 and calls(session.toy) == ALL
    assert (
        session.rows()["C1"]["kept"] == 0
        and "stored cells" not in session.said
        and session.check() == 0
    )


def test_a_fresh_run_reads_no_kept_cell_whatever_an_earlier_one_read(session):
    assert session.run(audit=AuditOptions(short=0)) == 0 and calls(session.toy) == []
    assert session.run(fresh=True) == 0 and calls(session.toy) == ALL
    assert session.rows()["C1"]["kept"] == 0 and "--fresh: no kept cell is read" in session.said
    assert session.run(fresh=True) == 0 and calls(session.toy) == [], (
        "what was computed here is not computed again"
    )
    forget(session)
    assert session.run(only=("C1",), force=("C1",), audit=AuditOptions(short=0)) == 0
    assert calls(session.toy) and session.rows()["C1"]["kept"] == 0, (
        "one that is forced reads none either"
    )


def test_what_rests_on_kept_cells_is_never_taken_for_computed(session):
    assert session.run(audit=AuditOptions(short=0)) == 0
    ledger = collect(session.toy.workspace())
    assert {name for name, each in Decisions.of(ledger).claims.items() if each.kept} == {"C1", "C2"}
    assert not {"C1", "C2"} & {row.id for row in seen_of(ledger).claims}
    page = (session.toy.folder() / "report.html").read_text()
    assert "It rests on 3 stored cells, not computed in this run" in page
    assert page.index("6 stored cells, not audited here") < page.index('<ol class="paper">')
    command = "bash reproduce.sh --profile quick --only C1"
    assert f"<code>{command}</code> reads what is stored" in page
    assert f"<code>{command} --force C1</code> draws anew" in page


def test_a_forged_value_is_caught_where_it_is_drawn_and_what_rests_on_it_is_computed(session):
    forge(session, lambda cells: cells[0]["value"].__setitem__(0, 9.0))
    forged = kept(session)[0]
    assert session.run(audit=AuditOptions(short=6)) == 0, "the value computed here is shown"
    found = audit(session)
    assert len(found.differing) == 1 and found.differing[0].startswith(f"{forged} differs by")
    assert found.differ == 1 and list(found.refused) == [forged.identity]
    assert (
        session.rows()["C1"]["checks"][0]["value"] == 1.125
        and "6 stored cells computed anew, 1 differ" in session.said
    )
    forget(session)
    assert session.run(audit=AuditOptions(short=0)) == 1, (
        "not drawn it is shown, and said not to be audited"
    )


def test_a_damaged_archive_is_named_and_counts_as_absent(session):
    (path,) = (session.toy.root / "paper/kept/gamma").glob(f"*{SUFFIX}")
    edited = lzma.decompress(path.read_bytes()).replace(b"1.0", b"9.0")
    path.write_bytes(lzma.compress(edited))
    assert session.run() == 0 and calls(session.toy) == ALL
    assert "is damaged" in audit(session).said and audit(session).cells == 0
    with pytest.raises(UserError, match="put it back"):
        keep(session.toy.workspace(), gamma(session.toy.workspace()), print)
    assert path.is_file(), "its cells are not lost"


def test_an_exchanged_cell_is_of_no_call_and_is_not_audited(session):
    """Values under other arguments are other identities: no study reads them, what was asked for
    is not found.
    """
    forge(
        session,
        lambda cells: [
            one["arguments"].update(batch=one["arguments"]["batch"] + 5) for one in cells
        ],
    )
    assert session.run() == 0 and calls(session.toy) == ALL
    assert (
        not (session.toy.folder() / "audits/gamma.json").exists()
        and "stored cells" not in session.said
    )


def test_sources_that_give_other_values_are_found_by_one_draw(session):
    """What a kept file or a record of old says of the sources decides nothing: each run computes
    some anew.
    """
    session.toy.replace_in_module("gamma/study", "batch / 8", "batch / (8 - 1)")
    session.toy.write("paper/kept/audited.json", '{"gamma.outcome": "whatever"}')
    session.run(audit=AuditOptions(short=6))
    assert audit(session).differ == 4 and len(audit(session).refused) == 4, (
        "batch 0 has no such part"
    )


def long(session, seconds: float) -> None:
    """Let the toy's function say that a batch above 0 takes so long."""
    how = f'Kept("gamma.outcome", 1e-9, seconds=lambda sampler, batch: {seconds} * (batch > 0))'
    session.toy.replace_in_module("gamma/study", 'Kept("gamma.outcome", 1e-9)', how)


def test_refused_cells_that_take_long_are_not_computed_unasked(session):
    """How long they take their function says: seconds that a file declares change nothing."""
    forge(
        session,
        lambda cells: [
            (one.update(seconds=1e-9), one["value"].__setitem__(0, 9.0)) for one in cells
        ],
    )
    long(session, 2000.0)
    assert session.run(audit=AuditOptions(short=2, long=4)) == 0
    assert (
        session.rows()["C1"]["verdict"] == "not run"
        and "computed here" in session.rows()["C1"]["reason"]
    )
    calls(session.toy)
    assert session.run(force=("gamma",)) == 0 and calls(session.toy) == ALL


def test_long_cells_are_audited_on_request(session):
    long(session, 3600.0)
    assert session.run() == 0
    assert (audit(session).cells, audit(session).long) == (2, 4) and audit(session).long_drawn == 0
    assert "4 long ones stored, not audited here" in session.said
    assert (
        session.run(audit=AuditOptions(short=0, long=3, asked=True)) == 0
        and audit(session).long_drawn == 3
    )


def test_five_cells_of_each_number_that_a_row_shows_are_computed_anew(sixty):
    """Beside the draw: C1's number is of one sampler's 30 outcomes, most of them too long for
    the uniform draw.
    """
    long(sixty, 30.0)
    text = (
        '[[finding]]\npaper = "C1"\nneeds = { C1 = "holds" }\nnumber = { check = '
        '"C1.energy", label = "energy" }\n'
    )
    sixty.toy.write("paper/findings.toml", text)
    sixty.run(audit=AuditOptions(short=1, seed=3))
    assert (
        audit(sixty).numbers == {"C1.energy": 5} and "5 computed anew for C1.energy" in sixty.said
    )


ARRAY = np.array([1.0, 200.0, np.inf, np.nan])
FLOOR = {"floor": {".0.0": 1e-5}}


@pytest.mark.parametrize(
    ("one", "other", "how", "differ"),
    [
        ([0.0076], [0.0086], Kept("", 1e-3), True),
        ([0.0076], [0.0076001], Kept("", 1e-4), False),
        ([[0.0, 1.0]], [[1e-6, 1.0]], Kept("", 0.0, **FLOOR), False),
        ([[0.0, 1.0]], [[1e-6, 1.0 + 1e-6]], Kept("", 0.0, **FLOOR), True),
        ([1.0], [1.0, 2.0], Kept("", 1.0), True),
        ({"a": "x"}, {"a": "y"}, Kept("", 1.0), True),
        ([True], [1.5], Kept("", 1.0), True),
        (encoded(ARRAY), encoded(ARRAY * (1 + 1e-9)), Kept("", 1e-6), False),
        (encoded(ARRAY), encoded(ARRAY * 1.1), Kept("", 1e-6), True),
        (encoded(ARRAY), encoded(np.full(4, np.inf)), Kept("", 1e-6), True),
        (encoded(ARRAY), encoded(ARRAY[:3]), Kept("", 1e-6), True),
        (encoded(ARRAY), encoded(ARRAY.astype("f4")), Kept("", 1e-6), True),
    ],
)
def test_a_tolerance_is_relative_to_the_number_or_to_the_array_but_where_a_floor_is(
    one, other, how, differ
):
    assert any(each.size > 1 for _, each in deviations(one, other, how)) is differ


def test_changed_entries_are_counted_and_judged_by_the_binomial_distribution():
    assert changed_entries([[True, False], ["a", "b"]], [[True, True], ["a", "b"]]) == (1, 2)
    assert changed_entries([["a", "b"]], [["a"]]) == (2, 2)
    assert (
        chance(0, 9, 0.1) == 1.0
        and chance(30, 40_000, 1e-3) > 0.9
        and chance(80, 40_000, 1e-3) < 1e-7
    )


@cell(kept=Kept("here.graphs", changed=1e-3))
def graphs(number: int) -> list[list[str]]:
    """Two hundred names, of which the kept ones below have others."""
    return [[f"{number} {place}" for place in range(200)]]


@pytest.mark.parametrize(
    ("others", "alone", "together"), [(0, False, False), (1, False, True), (9, True, True)]
)
def test_changed_entries_are_pooled_over_the_cells_of_a_function(others, alone, together):
    """Of 200 entries rounding changes .2; one in each of 20 cells, 20 for 4, has a chance of
    1e-8.
    """
    anew, own = [], []
    for number in range(20):
        value = [["other"] * others + graphs.wrapped(number)[0][others:]]
        own.append(ReadCell(graphs.cell(number), _cell("here.graphs", number, value)))
        anew.append(compared(own[-1], graphs.wrapped(number), 2.5e-5))
    assert any(each.why for each in anew) is alone
    assert bool(biased(anew, own)) is (together and not alone)


def _cell(function: str, number: int, value) -> KeptCell:
    about = {
        "data": {},
        "sources": "",
        "commit": None,
        "computed_on": {},
        "started": "",
        "seconds": 1.0,
    }
    return KeptCell(function=function, arguments={"number": number}, value=value, **about)


def test_signs_count_where_they_are_clear():
    assert chance_of_signs([NEAR / 2] * 99) == 1.0, (
        "rounding may have one sign, as long as it is small"
    )
    assert chance_of_signs([0.9] * 11) < 1e-3 < chance_of_signs([0.9] * 10)
    assert chance_of_signs([0.9, -0.9] * 20) == 1.0


def test_values_are_moved_by_their_tolerance_and_whole_numbers_stay():
    how = Kept("", 0.5, {".0": 1.0})
    assert moved([2.0, 3, True, "x", {"a": 4.0}], 1, how) == [4.0, 3, True, "x", {"a": 6.0}]
    array = np.array([1.0, -2.0], "f4")
    assert moved(encoded(array), -1, how) == encoded(array / 2) and moved(
        encoded(array.astype("i4")), 1, how
    ) == encoded(array.astype("i4"))


@pytest.mark.parametrize(
    ("tolerance", "changed", "auditable"),
    [(1e-9, None, True), (0.3, None, False), (0.0, 0.1, False)],
)
def test_a_check_whose_margin_is_within_ten_tolerances_is_not_auditable(
    session, tolerance, changed, auditable
):
    """The margin is that to the nearest edge: of a bound of 1.25 the mean energy 1.125 has 1/8."""
    how = f'Kept("gamma.outcome", {tolerance}, changed={changed})'
    session.toy.replace_in_module("gamma/study", 'Kept("gamma.outcome", 1e-9)', how)
    session.toy.replace_in_claims(
        "gamma", 'relation = "="\n  bound = 1.125', 'relation = "<="\n  bound = 1.25'
    )
    session.run(audit=AuditOptions(short=0))
    unaudited = session.rows()["C1"]["unaudited"]
    assert unaudited == ([] if auditable else ["C1.energy"])
    page = (session.toy.folder() / "report.html").read_text()
    assert ("Not auditable (C1.energy)" in page) is not auditable


def test_the_bound_on_what_differs_is_that_of_the_distribution():
    assert (
        most_that_differ(3200, 41) == 224
        and most_that_differ(6, 6) == 0
        and most_that_differ(20, 1) == 19
    )
    about = {"group": "g", "run": "r", "seed": 3, "state": ""}
    (said,) = pooled(
        [
            Audit(**about, cells=3000, drawn=41),
            Audit(**about | {"group": "h"}, cells=1000, drawn=19),
        ]
    )
    assert said == (
        "60 of 4,000 stored cells computed anew, all agree: with 95 % confidence at "
        "most 4.8 % differ (seed 3)."
    )
    assert pooled([Audit(**about, cells=20, drawn=1)]) == [
        "1 of 20 stored cells computed anew, all agree (seed 3)."
    ]


def test_an_exhibit_of_published_size_says_where_its_values_are_from(session):
    one = {"id": "T", "title": "t", "what": "w", "here": ("C1",), "status": "published size"}
    exhibit = Exhibit.model_validate(one)

    def said() -> str:
        return standing(exhibit, collect(session.toy.workspace()))

    assert said().startswith("needs: ")
    smaller = Exhibit.model_validate(one | {"status": "smaller"})
    assert standing(smaller, collect(session.toy.workspace())) == "smaller"
    session.run(audit=AuditOptions(short=0))
    assert said() == "kept, not audited"
    session.run(audit=AuditOptions(short=3, asked=True))
    assert said() == "kept and audited"
    session.run(force=("gamma",))
    assert said() == "computed at its size"


def test_without_files_kept_cells_are_shown_and_said_not_to_be_audited(session):
    """As of a reviewer without the data: no cell can be computed anew, and the run says so."""
    absent = 'raise CellUnavailable("graphs.pkl is not here", False, "graphs.pkl", "")'
    session.toy.replace_in_module("gamma/study", '    log(f"{sampler} {batch}")', f"    {absent}")
    session.toy.replace_in_module("gamma/study", "import Kept,", "import CellUnavailable, Kept,")
    assert (
        session.run() == 0
        and session.rows()["C1"]["verdict"] == "holds"
        and session.rows()["C1"]["kept"] == 3
    )
    assert (
        "some could not be computed: graphs.pkl is not here" in session.said
        and not audit(session).passed
    )
    assert "6 stored cells, not audited here" in session.said
