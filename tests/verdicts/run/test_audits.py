"""Kept cells and their audits: nothing forged, cut short, exchanged or stale is shown, nothing true is refused."""

import json
import lzma
import random
import shutil

import numpy as np
import pytest

from tests.verdicts.toy import ALL, Session, calls, gamma, listed, with_study
from verdicts.records.files import sha256_of
from verdicts.records.ledger import collect
from verdicts.records.run_record import Audit, AuditOptions, RunRecord, Stratum, most_that_differ
from verdicts.report.certificate import seen_of
from verdicts.report.findings import Decisions
from verdicts.report.report_texts import Exhibit
from verdicts.report.views import standing
from verdicts.run.audit import agrees, drawn, inputs_last, keep, near, strata_of
from verdicts.studies.cells import KEPT, encoded
from verdicts.studies.kept import SUFFIX, Archive, KeptCell
from verdicts.studies.study import archive_of, sources_of

NAMED = '@cell(kept=Kept("gamma.outcome", 1e-9))\ndef outcome'


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    """Return the toy study, whose six outcomes were computed, kept and removed, and what makes its files so again."""
    toy = with_study(tmp_path_factory.mktemp("toy"))
    toy.replace_in_module("gamma/study", "from verdicts.studies import cell", "from verdicts.studies import Kept, cell")
    toy.replace_in_module("gamma/study", "@cell\ndef outcome", NAMED)
    with pytest.MonkeyPatch.context() as patch:
        own = Session(toy, patch)
        assert own.run() == 0 and calls(toy) == ALL
    keep(toy.workspace(), gamma(toy.workspace()), print)
    forget(own)
    return toy, toy.snapshot()


@pytest.fixture
def session(laid, monkeypatch):
    """Return a session on the toy study, its files as they were laid."""
    toy, restore = laid
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
    """Write the archive again, with `change` made to the list of its cells and its own name true."""
    cells = [json.loads(one.model_dump_json()) for one in kept(session)]
    change(cells)
    (path,) = (session.toy.root / "paper/kept/gamma").glob(f"*{SUFFIX}")
    path.unlink()
    text = "".join(json.dumps(one) + "\n" for one in cells).encode()
    path.with_name(f"{sha256_of(text)[:16]}{SUFFIX}").write_bytes(lzma.compress(text))


def audit(session) -> Audit:
    return Audit.read(session.toy.folder() / "audits/gamma.json")


def test_kept_cells_are_read_and_the_run_says_so_and_which_were_audited(session):
    assert session.run(audit=AuditOptions(short=2, seed=7)) == 0
    assert len(calls(session.toy)) <= 4, "two of six, and the starts that they ask for"
    row = session.rows()["C1"]
    assert row["kept"] >= 1 and row["checks"][0]["value"] == 1.125
    assert "kept cells of gamma: 2 of 6 recomputed, all agree: with 95 % confidence at most" in session.said
    assert "seed 7" in session.said and session.check() == 0
    assert session.run() == 0 and "nothing to compute" in session.said
    assert session.run(audit=AuditOptions(short=6, asked=True)) == 0 and "6 of 6 recomputed" in session.said


def test_a_profile_may_read_no_kept_cells(session):
    session.toy.write("config/quick.toml", "one_process = true\nnotebooks = false\nkept = false\n")
    assert session.run() == 0 and calls(session.toy) == ALL
    assert session.rows()["C1"]["kept"] == 0 and "kept cells" not in session.said and session.check() == 0


def test_a_fresh_run_reads_no_kept_cell_whatever_an_earlier_one_read(session):
    assert session.run(audit=AuditOptions(short=0)) == 0 and calls(session.toy) == []
    assert session.run(fresh=True) == 0 and calls(session.toy) == ALL
    assert session.rows()["C1"]["kept"] == 0 and "--fresh: no kept cell is read" in session.said
    assert session.run(fresh=True) == 0 and calls(session.toy) == [], "what was computed here is not computed again"


def test_a_claim_that_is_forced_alone_reads_no_kept_cell(session):
    assert session.run(only=("C1",), force=("C1",), audit=AuditOptions(short=0)) == 0
    assert calls(session.toy) and session.rows()["C1"]["kept"] == 0


def test_the_page_says_how_to_read_what_is_stored_and_how_to_draw_anew(session):
    assert session.run(audit=AuditOptions(short=0)) == 0
    page = (session.toy.folder() / "report.html").read_text()
    command = "bash reproduce.sh --profile quick --only C1"
    assert f"<code>{command}</code> reads what is stored" in page
    assert f"<code>{command} --force C1</code> draws anew" in page


def test_no_audit_is_said_and_a_number_above_the_stratum_is_all_of_it(session):
    assert session.run(audit=AuditOptions(short=0)) == 0 and calls(session.toy) == []
    assert "6 of 6 kept, not audited" in session.said
    assert session.run(audit=AuditOptions(short=99, asked=True)) == 0 and "6 of 6 recomputed" in session.said


def test_what_rests_on_kept_cells_is_never_taken_for_computed(session):
    assert session.run(audit=AuditOptions(short=0)) == 0
    ledger = collect(session.toy.workspace())
    assert {name for name, each in Decisions.of(ledger).claims.items() if each.kept} == {"C1", "C2"}
    assert not {"C1", "C2"} & {row.id for row in seen_of(ledger).claims}
    page = (session.toy.folder() / "report.html").read_text()
    assert "It rests on 3 kept cells, not computed in this run; kept cells of gamma: 6 of 6 kept, not audited" in page


def test_a_forged_value_is_caught_where_it_is_drawn_and_what_rests_on_it_is_computed(session):
    forge(session, lambda cells: cells[0]["value"].__setitem__(0, 9.0))
    forged = kept(session)[0]
    assert session.run(audit=AuditOptions(short=6)) == 0, "the value computed here is shown"
    found = audit(session)
    assert found.differing == (str(forged),) and found.short.agreed == 5 and list(found.refused) == [forged.identity]
    assert session.rows()["C1"]["checks"][0]["value"] == 1.125 and "differs: gamma.outcome" in session.said
    forget(session)
    assert session.run(audit=AuditOptions(short=0)) == 1, "not drawn it is shown, and said not to be audited"


def test_what_was_computed_from_a_cell_that_differs_is_not_shown_either(session):
    def change(cells):
        cells[0]["value"][0] = 9.0
        cells[1]["asked"] = [KeptCell.model_validate(cells[0]).identity]

    forge(session, change)
    first, second = kept(session)[:2]
    session.run(audit=AuditOptions(short=6))
    assert set(audit(session).refused) == {first.identity, second.identity}


@pytest.mark.parametrize(
    "spoil", [lambda raw: raw[:-9], lambda raw: raw[:40] + b"x" + raw[41:], lambda raw: lzma.compress(b"{}")]
)
def test_a_damaged_archive_is_named_and_counts_as_absent(session, spoil):
    (path,) = (session.toy.root / "paper/kept/gamma").glob(f"*{SUFFIX}")
    path.write_bytes(spoil(path.read_bytes()))
    assert session.run() == 0 and calls(session.toy) == ALL
    assert "is damaged" in audit(session).said and audit(session).short.cells == 0


def test_an_exchanged_cell_is_of_no_call_and_is_not_audited(session):
    """Values under other arguments are other identities: no study reads them, what was asked for is not found."""
    forge(session, lambda cells: [one["arguments"].update(batch=one["arguments"]["batch"] + 5) for one in cells])
    assert session.run() == 0 and calls(session.toy) == ALL
    assert not (session.toy.folder() / "audits/gamma.json").exists() and "kept cells" not in session.said


def test_older_cells_are_shown_only_where_five_agree_now_or_did_for_the_present_sources(session):
    session.toy.replace_in_module("gamma/study", "batch / 8", "batch / 8 + 0")
    assert session.run(audit=AuditOptions(short=0)) == 0 and len(calls(session.toy)) == len(ALL), "short ones: computed"
    forget(session)
    assert session.run(audit=AuditOptions(short=1)) == 0 and audit(session).short.drawn == 5
    session.toy.write("paper/kept/audited.json", '{"delta.outcome": "of another group"}')
    keep(session.toy.workspace(), gamma(session.toy.workspace()), print)
    assert archive(session).audited().keys() == {"delta.outcome", "gamma.outcome"}
    forget(session)
    calls(session.toy)
    assert session.run(audit=AuditOptions(short=0)) == 0 and calls(session.toy) == [], "the audit was recorded"
    session.toy.replace_in_module("gamma/study", "batch / 8 + 0", "batch / (8 - 1) + 0 * 1")
    forget(session)
    assert session.run() == 1
    assert audit(session).short.agreed < 5 and len(audit(session).refused) == 6


def test_refused_cells_that_take_long_are_not_computed_unasked(session):
    forge(session, lambda cells: [one.update(seconds=200.0, sources="other") for one in cells])
    assert session.run() == 0 and calls(session.toy) == []
    assert session.rows()["C1"]["verdict"] == "not run" and "not proved by an audit" in session.rows()["C1"]["reason"]
    assert session.run(force=("gamma",)) == 0 and calls(session.toy) == ALL


def test_long_cells_are_a_stratum_of_their_own_audited_on_request(session):
    forge(session, lambda cells: [one.update(seconds=3600.0) for one in cells[:4]])
    assert session.run() == 0
    assert audit(session).long == Stratum(cells=4, seconds=14400.0) and audit(session).short.drawn == 2
    assert "4 of 4 kept, not audited (4.0 core-hours, each of more than a minute)" in session.said
    assert session.run(audit=AuditOptions(short=0, long=3, asked=True)) == 0 and audit(session).long.agreed == 3


def test_on_another_machine_numbers_may_differ_by_rounding_or_as_their_test_allows(session):
    workspace, one = session.toy.workspace(), kept(session)[0]
    listed(workspace)
    cell = KEPT["gamma.outcome"].cell_of(one.arguments)

    class Other:
        computed_on = one.computed_on.model_copy(update={"instructions": "none"})

        def computed(self, asked):
            return asked.function.wrapped(**asked.arguments)._replace(energy=one.value[0] + self.off)

    here, other = Other(), Other()
    here.computed_on = one.computed_on
    for off, same, elsewhere in ((1e-14, True, True), (1e-10, False, True), (1e-8, False, False)):
        here.off = other.off = off
        assert agrees(one, cell, here, 1e-3) is same and agrees(one, cell, other, 1e-3) is elsewhere
    assert near({"a": [1.0, "x"]}, {"a": [1.0, "x"]}, 0.0) and not near([1.0], [1.0, 2.0], 1.0)


def test_arrays_agree_number_by_number_infinities_too():
    given = np.array([1.0, 200.0, np.inf, np.nan])
    cases = [(given * (1 + 1e-9), True), (given * 1.1, False), (np.full(4, np.inf), False), (given[:3], False)]
    for other, same in (*cases, (given.astype("f4"), False), (np.where(given > 300, 300.0, given), False)):
        assert near([encoded(given)], [encoded(other)], 1e-6) is same


def test_a_sample_is_uniform_and_its_size_is_fixed_before_it_is_drawn():
    """Each of 20 cells is in 4 of 20 at one rate: the chance that a count strays by 5 deviations is below 1e-5."""
    cells = [_cell(number) for number in range(20)]
    counts, trials = dict.fromkeys((one.identity for one in cells), 0), 2000
    for seed in range(trials):
        run = RunRecord(profile="quick", started="", selected=(), forced=(), audit=AuditOptions(short=4, seed=seed))
        sample = drawn(cells, {one.identity: one for one in cells}, run)
        assert len({one.identity for one in sample}) == 4
        for one in sample:
            counts[one.identity] += 1
    assert all(abs(count - trials / 5) < 5 * (trials * 0.16) ** 0.5 for count in counts.values())
    run = run.model_copy(update={"audit": AuditOptions(seed=1)})
    assert len(drawn(cells, {one.identity: one for one in cells}, run)) == 12, "120 s of cells that take 10 s"


def test_forged_archives_are_caught_at_the_rate_of_the_hypergeometric_law():
    """200 archives of 60 cells with 1 to 6 forged, 12 drawn: the count caught is within 4 deviations of its mean."""
    chance, caught, mean, variance = random.Random(0), 0, 0.0, 0.0
    cells = [_cell(number) for number in range(60)]
    for seed in range(200):
        forged = {one.identity for one in chance.sample(cells, 1 + seed % 6)}
        run = RunRecord(profile="quick", started="", selected=(), forced=(), audit=AuditOptions(short=12, seed=seed))
        caught += any(one.identity in forged for one in drawn(cells, {one.identity: one for one in cells}, run))
        missed = 1.0
        for place in range(12):
            missed *= (60 - len(forged) - place) / (60 - place)
        mean, variance = mean + 1 - missed, variance + missed * (1 - missed)
    assert abs(caught - mean) < 4 * variance**0.5


def test_the_bound_on_what_differs_is_that_of_the_law():
    assert most_that_differ(3200, 41) == 224 and most_that_differ(6, 6) == 0 and most_that_differ(20, 1) == 19
    assert most_that_differ(2238, 371) == 16
    assert Stratum(cells=3200, drawn=41, agreed=41).said.endswith("at most 7 % differ")
    short, long = strata_of([_cell(1, 60.0), _cell(2, 61.0)])
    assert (len(short), len(long)) == (1, 1)


def test_a_cell_is_compared_before_those_that_it_was_computed_from():
    first, second, third = (_cell(number) for number in range(3))
    second = second.model_copy(update={"asked": (first.identity, "g/of another draw")})
    third = third.model_copy(update={"asked": (second.identity,)})
    assert inputs_last([first, third, second]) == [third, second, first]


def _cell(number: int, seconds: float = 10.0) -> KeptCell:
    about = {"data": {}, "value": 0, "sources": "", "commit": None, "computed_on": {}, "started": ""}
    return KeptCell(function="g.f", arguments={"number": number}, seconds=seconds, **about)


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
    """As of a reviewer without the data: the audit of the present sources is recorded, and none can be made."""
    absent = 'raise CellUnavailable("graphs.pkl is not here", False, "graphs.pkl", "")'
    session.toy.replace_in_module("gamma/study", '    log(f"{sampler} {batch}")', f"    {absent}")
    session.toy.replace_in_module("gamma/study", "import Kept,", "import CellUnavailable, Kept,")
    workspace = session.toy.workspace()
    listed(workspace)
    present = {"gamma.outcome": sources_of(workspace, KEPT["gamma.outcome"])}
    session.toy.write("paper/kept/audited.json", json.dumps(present))
    assert session.run() == 0 and session.rows()["C1"]["verdict"] == "holds" and session.rows()["C1"]["kept"] == 3
    assert "not audited: graphs.pkl is not here" in session.said and not audit(session).passed
    session.toy.write("paper/kept/audited.json", "{}")
    forget(session)
    assert session.run() == 0 and session.rows()["C1"]["verdict"] == "not run"
