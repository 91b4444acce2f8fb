"""A certificate: one page on what a run on an empty folder decided, with the same facts as
`codecheck.yml`.

It certifies what the run saw. A row of the paper is decided where each claim that it needs is, here
and as it is stored; claims that rest on kept cells, which cost hours, are named as stored and count
for nothing. Values are compared with stored ones at equal sizes alone.
"""

import json
import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import isclose
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from verdicts.claims.loading import CLAIMS
from verdicts.claims.schema import OUTLINE, Claim, Verdict
from verdicts.records.expected import (
    FOLDER,
    SAME,
    Moved,
    against_stored,
    compare,
    kept_runs,
    read_expected,
)
from verdicts.records.files import sha256_of
from verdicts.records.ledger import Ledger, collect
from verdicts.records.provenance import now
from verdicts.records.workspace import Workspace
from verdicts.report.findings import Decisions, PaperRow, of_instrument, rows_of
from verdicts.report.paper import compiled, markup_of
from verdicts.report.report_texts import FINDINGS, Finding, Findings
from verdicts.report.templating import TEMPLATES, render
from verdicts.report.views import plain_data
from verdicts.report.words import duration

PAGE, SUMS = "certificate.html", "checksums.txt"
Facts = dict[str, Any]


class Falsified(NamedTuple):
    """A claim and its falsifier, and whether the verdict flipped when the falsifier broke what
    is claimed.
    """

    claim: str
    title: str
    falsifier: str
    flipped: bool | None


class State(StrEnum):
    """How a claim that a row needs stands after the run."""

    DECIDED = "decided here"
    CONTRADICTED = "contradicted"
    UNDECIDED = "not decided"
    UNREACHED = "not reached"
    STORED = "stored"


class Seen(NamedTuple):
    """What the run saw: each claim at the largest sizes that were reached.

    `smaller` has, by claim, the sizes in words where these are smaller than those of the stored
    values.
    """

    ledger: Ledger
    reached: list[Claim]
    smaller: Mapping[str, str]


def stored(workspace: Workspace, claim: Claim) -> bool:
    """Return whether a claim costs hours: it rests on kept cells, or the profile does not run
    it.
    """
    return workspace.profile not in claim.profiles or bool(workspace.kept_files(claim.group))


def needed(workspace: Workspace, findings: Findings) -> dict[str, list[str]]:
    """Return, by row, the claims that it needs and that can be computed here."""
    by_id = {claim.id: claim for claim in workspace.all_claims.claim}
    return {
        each.paper: [name for name in each.needs if not stored(workspace, by_id[name])]
        for each in findings.finding
    }


def seen(own: Workspace, larger: Workspace) -> Seen:
    """Return what lies on disk at a certificate's `own` sizes, and at the `larger` ones of the
    stored values.
    """
    ledger = seen_of(collect(own))
    enlarged = {
        row.id: row for row in seen_of(collect(larger)).claims if row.verdict is not Verdict.NOT_RUN
    }
    rows = tuple(enlarged.get(row.id, row) for row in ledger.claims)
    reached = {row.id for row in rows if row.verdict is not Verdict.NOT_RUN}
    here = [claim for claim in own.claims.claim if claim.id in reached]
    sizes = {
        claim.id: _smaller(own, larger, claim.group) for claim in here if claim.id not in enlarged
    }
    smaller = {name: text for name, text in sizes.items() if text}
    return Seen(ledger.model_copy(update={"claims": rows}), here, smaller)


def seen_of(ledger: Ledger) -> Ledger:
    """Return a ledger without the claims that rest on kept cells: the run has not seen what
    decides them.
    """
    return ledger.model_copy(update={"claims": tuple(row for row in ledger.claims if not row.kept)})


def _smaller(own: Workspace, larger: Workspace, group: str) -> str:
    """Say which settings of a group are others at a certificate's own sizes; of a list its
    largest; empty for none.
    """
    before, after = (each.config.settings_of(group) for each in (larger, own))
    said = []
    for name, value in after.items():
        numbers = (
            [each for each in value if isinstance(each, int | float)]
            if isinstance(value, list)
            else []
        )
        if value != before.get(name):
            said.append(f"{name} to {max(numbers)}" if numbers else f"{name} {value}")
    return ", ".join(said)


def facts_of(
    workspace: Workspace,
    measured: Seen,
    findings: Findings,
    broken: Sequence[Falsified],
    minutes: float,
    setup: float,
    failed: bool,
) -> Facts:
    """Return all that the certificate says, from the records of its own run and the stored
    values. Raises UserError.
    """
    root, claims, ledger = workspace.root, workspace.all_claims, measured.ledger
    by_paper = {each.paper: each for each in findings.finding}
    shown = rows_of(claims, findings, Decisions.strongest(kept_runs(root)), Decisions.of(ledger))
    rows = [_row(row, by_paper[row.id], workspace, measured) for row in shown if row.id in by_paper]
    origins = [row.provenance for row in ledger.claims if row.provenance]
    same, disproved = _same(workspace, measured)
    contradicted = [
        each["claim"]
        for row in rows
        for each in row["claims"]
        if each["state"] is State.CONTRADICTED
    ]
    unflipped = [each.claim for each in broken if each.flipped is False]
    facts: Facts = plain_data(
        {
            "work": work_under_test(root),
            "subject": claims.outline.subject,
            "made": now()[:16].replace("T", " "),
            "minutes": minutes,
            "setup": duration(setup) if setup else "",
            "rows": rows,
            "falsified": [each for each in broken if each.flipped is not None],
            "not_broken": [each.claim for each in broken if each.flipped is None],
            "failed": failed or any(row.failed for row in ledger.claims if row.provenance),
            "against": sorted({*contradicted, *unflipped, *disproved}),
            "same": same,
            "instrument": " ".join(of_instrument(findings, Decisions.of(ledger))),
            "environment": max(origins, key=lambda each: each.started) if origins else None,
            "checksums": checksums(workspace, measured.reached),
        }
    )
    return facts


def work_under_test(root: Path) -> Facts:
    """Return title, authors and address of the work under test, as `CITATION.cff` names it
    first; no file, none.
    """
    cited = root / "CITATION.cff"
    held = (
        yaml.safe_load(cited.read_text(encoding="utf-8"))["references"][0]
        if cited.is_file()
        else {}
    )
    return {"title": "", "url": "", "authors": []} | held


def _row(row: PaperRow, finding: Finding, workspace: Workspace, measured: Seen) -> Facts:
    """Return a row: what is stored, and what this run saw of each claim that it needs."""
    claims = [_claim(workspace, measured, name, verdict) for name, verdict in finding.needs.items()]
    here = [each["state"] for each in claims if each["state"] is not State.STORED]
    return row._asdict() | {
        "number": _number(row, workspace, measured),
        "claims": claims,
        "decided": bool(here) and set(here) == {State.DECIDED},
        "stored": len(claims) - len(here),
        "seconds": duration(sum(each["seconds"] for each in claims)),
    }


def _claim(workspace: Workspace, measured: Seen, name: str, wanted: Verdict) -> Facts:
    """Return a claim that a row needs: the stored verdict, this run's, at which sizes, from how
    many draws.
    """
    claim = next(each for each in workspace.all_claims.claim if each.id == name)
    row = next((each for each in measured.ledger.claims if each.id == name), None)
    verdict = row.verdict if row else Verdict.NOT_RUN
    state = State.STORED if stored(workspace, claim) else state_of(verdict, wanted)
    tried = row is not None and row.provenance is not None
    return {
        "claim": name,
        "stored": wanted,
        "verdict": verdict,
        "state": state,
        "smaller": measured.smaller.get(name, ""),
        "n": claim.n,
        "reason": row.reason if row and tried and state is State.UNREACHED else "",
        "seconds": row.provenance.seconds if row and row.provenance else 0.0,
    }


def state_of(verdict: Verdict, wanted: Verdict) -> State:
    """Return how a claim stands whose verdict here is `verdict`, and stored `wanted`."""
    if verdict is wanted:
        return State.DECIDED
    undecided = {Verdict.NOT_RUN: State.UNREACHED, Verdict.INCONCLUSIVE: State.UNDECIDED}
    return undecided.get(verdict, State.CONTRADICTED)


def _number(row: PaperRow, workspace: Workspace, measured: Seen) -> Facts | None:
    """Return a row's number beside this run's; where they differ, `apart` says why, `equal` that
    sizes are the same.
    """
    if row.number is None:
        return None
    profile, sizes = row.number.profile, measured.smaller.get(row.number.claim, "")
    equal = profile is workspace.profile and not sizes
    why = f"the stored one has the sizes of {profile}"
    if equal:
        why = "at equal sizes: another source or machine"
    elif sizes:
        why = f"smaller sizes here: {sizes}"
    return row.number._asdict() | {
        "apart": why if row.number.agrees is False else "",
        "equal": equal,
    }


def _same(workspace: Workspace, measured: Seen) -> tuple[Facts, list[str]]:
    """Count the values as stored, of claims at equal sizes; name checks whose stored value a
    proof excludes.
    """
    equal = tuple(row for row in measured.ledger.claims if row.id not in measured.smaller)
    ledger = measured.ledger.model_copy(update={"claims": equal})
    kept = read_expected(workspace.root, workspace.profile)
    compared = compare(workspace.claims, ledger, kept) if kept else []
    pairs = [
        (each.expected.value, each.result.value)
        for each in compared
        if each.expected and each.result and each.result.value is not None
    ]
    same = {
        "profile": workspace.profile,
        "values": len(pairs),
        "equal": sum(isclose(one, other, rel_tol=SAME) for one, other in pairs),
        "moved": [each.check for each in compared if each.moved is Moved.MOVED],
    }
    return same, list(against_stored(workspace.claims, ledger, kept).summary.disproved)


def checksums(workspace: Workspace, claims: Sequence[Claim]) -> dict[str, dict[str, str]]:
    """Return the sha256 of each file that these claims rest on, by kind and by its place in the
    repository.
    """
    root, of_module = workspace.root, workspace.sources.closure
    sources = {name for claim in claims for name in workspace.record_parts(claim).sources}
    files = {claim.falsifier.partition("::")[0] for claim in claims}
    tests = {
        name for file in files for name in of_module(".".join(Path(file).with_suffix("").parts))
    }
    kinds = {
        "sources": sources,
        "claims": {f"{workspace.claims.group_of(claim).folder}/{CLAIMS}" for claim in claims},
        "tests": files | (tests - sources),
        "sizes": {path.relative_to(root).as_posix() for path in root.glob("config/*.toml")},
        "texts": {FINDINGS, OUTLINE, f"{FOLDER}/{workspace.profile}.json"},
    }
    roots = (root, *workspace.sources.roots)
    places = {
        kind: [_place(roots, name) for name in sorted(names)] for kind, names in kinds.items()
    }
    return {
        kind: {os.path.relpath(each, root): sha256_of(each.read_bytes()) for each in places[kind]}
        for kind in kinds
    }


def _place(roots: Sequence[Path], name: str) -> Path:
    """Return the file that is named from the repository, or from a root of Python's path."""
    return next(root / name for root in roots if (root / name).is_file())


def sums(files: Mapping[str, str]) -> str:
    """Return digests as `sha256sum -c` reads them."""
    return "".join(f"{digest}  {name}\n" for name, digest in files.items())


def summary(facts: Facts) -> str:
    """Return what the certificate says in one line."""
    decided = [row["id"] for row in facts["rows"] if row["decided"]]
    names = f" ({', '.join(decided)})" if 0 < len(decided) < len(facts["rows"]) else ""
    same, flipped = facts["same"], sum(each["flipped"] for each in facts["falsified"])
    moved = f"; outside their stored intervals: {', '.join(same['moved'])}" if same["moved"] else ""
    against = f"; against expectation: {', '.join(facts['against'])}" if facts["against"] else ""
    return (
        f"{len(decided)} of {len(facts['rows'])} rows decided here{names}; "
        f"{same['equal']} of {same['values']} values at equal sizes as stored; "
        f"{flipped} of {len(facts['falsified'])} falsifiers flipped their verdict{moved}{against}"
    )


def documents(facts: Facts, folder: Path) -> dict[str, bytes]:
    """Return the certificate as HTML, PDF and `codecheck.yml`, and the checksums, by name.
    Raises `paper.NotSet`.
    """
    listed = "".join(sums(files) for files in facts["checksums"].values())
    shown = facts | {
        "digests": {
            kind: (len(files), sha256_of(sums(files))) for kind, files in facts["checksums"].items()
        },
        "listed": sha256_of(listed),
        "summary": summary(facts),
    }
    data = json.dumps(shown | {"markup": markup_of(facts)})
    return {
        PAGE: render("certificate.html.j2", **shown).encode(),
        "certificate.pdf": compiled(TEMPLATES, "certificate", folder, data, now()),
        "certificate.json": f"{json.dumps(facts, ensure_ascii=False)}\n".encode(),
        "codecheck.yml": render("codecheck.yml.j2", **shown).encode(),
        SUMS: listed.encode(),
    }
