"""A certificate: one page on what a run on an empty folder decided, with the same facts as `codecheck.yml`.

It certifies what the run saw: each number stands beside the kept one, what was not reached is named, and a verdict that
differs from the kept one says so.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from verdicts.claims.schema import Verdict
from verdicts.records.expected import SAME, Moved, compare, judged, kept_runs, read_expected
from verdicts.records.files import sha256_of
from verdicts.records.ledger import Ledger
from verdicts.records.provenance import now
from verdicts.records.record import artefacts_at
from verdicts.records.workspace import Workspace
from verdicts.report.blocks import pieces
from verdicts.report.findings import Decisions, PaperRow, rows_of
from verdicts.report.images import Picture
from verdicts.report.paper import compiled
from verdicts.report.report_texts import load_findings
from verdicts.report.templating import TEMPLATES, render
from verdicts.report.words import duration

PAGE = "certificate.html"
Facts = dict[str, Any]


class Falsified(NamedTuple):
    """A claim and its falsifier, and whether the verdict flipped when the falsifier broke what is claimed."""

    claim: str
    title: str
    falsifier: str
    flipped: bool | None


def facts_of(
    root: Path,
    measured: Sequence[Workspace],
    broken: Sequence[Falsified],
    minutes: float,
    setup: float,
    left_out: Sequence[str],
    failed: bool,
) -> Facts:
    """Return all that the certificate says, from the records of its own run and the kept values. Raises UserError."""
    claims = measured[0].all_claims
    ledgers = {workspace.profile: seen_of(judged(workspace)) for workspace in measured}
    own = Decisions()
    for ledger in ledgers.values():
        own = own.completed(Decisions.of(ledger))
    evidence = Decisions.strongest(kept_runs(root))
    rows = rows_of(claims, load_findings(root, claims), evidence, own)
    origins = [row.provenance for ledger in ledgers.values() for row in ledger.claims if row.provenance]
    flips = {each.claim: each.flipped for each in broken}
    contradicted = [
        name for ledger in ledgers.values() for name in (*ledger.summary.contradictions, *ledger.summary.disproved)
    ]
    return {
        "work": work_under_test(root),
        "subject": claims.outline.subject,
        "made": now()[:16].replace("T", " "),
        "minutes": minutes,
        "setup": duration(setup) if setup else "",
        "rows": [_row(row, own, evidence, measured, ledgers) for row in rows],
        "falsified": [each._asdict() for each in broken if each.flipped is not None],
        "not_broken": [each.claim for each in broken if each.flipped is None],
        "left_out": list(left_out),
        "failed": failed,
        "against": sorted({*contradicted, *(name for name, flipped in flips.items() if flipped is False)}),
        "same": [_same(root, workspace, ledgers[workspace.profile]) for workspace in measured],
        "environment": max(origins, key=lambda each: each.started).model_dump(mode="json") if origins else None,
        "checksums": {
            name: sha256_of((root / name).read_bytes())
            for name in ("paper/findings.toml", *(f"paper/expected/{workspace.profile}.json" for workspace in measured))
            if (root / name).is_file()
        },
    }


def seen_of(ledger: Ledger) -> Ledger:
    """Return a ledger without the claims that rest on kept cells: the run has not seen what decides them."""
    return ledger.model_copy(update={"claims": tuple(row for row in ledger.claims if not row.kept)})


def work_under_test(root: Path) -> Facts:
    """Return title, authors and address of the work under test, as `CITATION.cff` names it first; no file, none."""
    cited = root / "CITATION.cff"
    held = yaml.safe_load(cited.read_text(encoding="utf-8"))["references"][0] if cited.is_file() else {}
    return {"title": held.get("title", ""), "url": held.get("url", ""), "authors": held.get("authors", [])}


def _row(
    row: PaperRow, own: Decisions, evidence: Decisions, measured: Sequence[Workspace], ledgers: dict[Any, Ledger]
) -> Facts:
    """Return a row: what is kept, what this run saw of it, its figure, its command, the seconds of its claims here."""
    seen = {name: own.of_claim(name) for name in row.restating if own.of_claim(name) is not Verdict.NOT_RUN}
    taken = [r.provenance.seconds for each in ledgers.values() for r in each.claims if r.id in seen and r.provenance]
    return {
        "id": row.id,
        "text": row.text,
        "verdict": row.verdict,
        "fact": row.fact,
        "scope": row.scope,
        "number": row.number._asdict() if row.number else None,
        "seen": [{"claim": name, "verdict": v, "alike": v is evidence.of_claim(name)} for name, v in seen.items()],
        "unseen": [name for name in row.restating if name not in seen],
        "figure": _figure(row.figure, measured),
        "command": f"bash reproduce.sh --only {row.id}",
        "seconds": duration(sum(taken)) if taken else "",
    }


def _figure(name: str, measured: Sequence[Workspace]) -> str:
    """Return the place of a figure that this run drew, from the profiles' common folder; empty where it drew none."""
    for workspace in measured:
        for group in workspace.claims.group:
            place = workspace.figures_path(group)
            made = artefacts_at(place, workspace.figures_parts(group))
            if made and any(figure.file.stem == name for figure in made.figures):
                return (place.parent / f"{name}.svg").relative_to(workspace.folder.parent).as_posix()
    return ""


def _same(root: Path, workspace: Workspace, ledger: Ledger) -> Facts:
    """Count the kept values that came out the same: within rounding, within their intervals; and the verdicts."""
    kept = read_expected(root, workspace.profile)
    compared = compare(workspace.claims, ledger, kept) if kept else []
    pairs = [
        (each.expected.value, each.result.value)
        for each in compared
        if each.expected and each.result and each.result.value is not None
    ]
    verdicts = [
        row.verdict is kept.claims[row.id].verdict
        for row in ledger.claims
        if kept and row.id in kept.claims and row.verdict is not Verdict.NOT_RUN
    ]
    return {
        "profile": workspace.profile,
        "values": len(pairs),
        "equal": sum(abs(one - other) <= SAME * max(abs(one), abs(other)) for one, other in pairs),
        "moved": [each.check for each in compared if each.moved is Moved.MOVED],
        "verdicts": len(verdicts),
        "alike": sum(verdicts),
    }


def summary(facts: Facts) -> str:
    """Return what the certificate says in one line."""
    flipped = sum(each["flipped"] for each in facts["falsified"])
    counts = ", ".join(
        f"{each['equal']} of {each['values']} kept values of {each['profile']} the same, "
        f"{each['alike']} of {each['verdicts']} verdicts"
        for each in facts["same"]
    )
    moved = [name for each in facts["same"] for name in each["moved"]]
    outside = f"; outside their kept intervals: {', '.join(moved)}" if moved else ""
    against = f"; against expectation: {', '.join(facts['against'])}" if facts["against"] else ""
    return f"{counts}; {flipped} of {len(facts['falsified'])} falsifiers flipped their verdict{outside}{against}"


def documents(facts: Facts, folder: Path) -> dict[str, bytes]:
    """Return the certificate as HTML, PDF and `codecheck.yml`, by name. Raises `paper.NotSet`."""
    pictures = {row["id"]: Picture(folder / row["figure"]).address() for row in facts["rows"] if row["figure"]}
    rows = [
        row
        | {
            "fact": pieces(row["fact"]),
            "scope": pieces(row["scope"]),
            "number": row["number"] and row["number"] | {"label": pieces(row["number"]["label"])},
        }
        for row in facts["rows"]
    ]
    return {
        PAGE: render("certificate.html.j2", **facts, pictures=pictures, summary=summary(facts)).encode(),
        "certificate.pdf": compiled(TEMPLATES, "certificate", folder, json.dumps(facts | {"rows": rows}), now()),
        "certificate.json": f"{json.dumps(facts, ensure_ascii=False)}\n".encode(),
        "codecheck.yml": render("codecheck.yml.j2", **facts, summary=summary(facts)).encode(),
    }
