"""A whole run's results and kept values, without running anything; and reading a page as a
browser would.
"""

from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import pyplot

from ams.samplers.looks import LOOKS
from ams.samplers.presets import SPECS
from ams_suite.project import PROJECT
from tests.verdicts.records.test_record import ENVIRONMENT
from tests.verdicts.toy import REPOSITORY, kept_run
from verdicts import Figure, Measurement, Table, save_figure
from verdicts.claims.measurement import claim_verdict
from verdicts.claims.schema import Claim, Claims, Group, Profile
from verdicts.records.expected import Expected
from verdicts.records.files import sha256_of
from verdicts.records.ledger import collect
from verdicts.records.provenance import Stopwatch
from verdicts.records.record import Artefacts, CheckResult, Record
from verdicts.records.workspace import Workspace
from verdicts.report import page as report
from verdicts.report.report_texts import load_findings

FIGURES = 63  # a whole cpu run has 62


def kept_values(
    profile: str,
    claims: Claims,
    verdicts: Mapping[str, str],
    value: float = 1.0,
    seconds: float = 1.0,
    **more: object,
) -> Expected:
    """Return the kept values of a run that gave these verdicts and `value` for every check, in
    `seconds` a claim.
    """
    check = {"value": value, "low": value, "high": value}
    rows = {
        claim.id: {
            "verdict": verdicts[claim.id],
            "seconds": seconds,
            "peak_mib": 2048.0,
            "checks": {each.id: {**check, "verdict": verdicts[claim.id]} for each in claim.check},
            "made": {"started": "2031-02-03T04:05", "processor": "Abacus", "commit": None},
        }
        for claim in claims.claim
        if claim.id in verdicts
    }
    return kept_run(profile, claims=rows, **more)


def whole_page(out: Path) -> Path:
    """Return the page of such results, made below `out`."""
    workspace = whole(out)
    pages = report.build(workspace, collect(workspace))
    for name, text in pages.items():
        (workspace.folder / name).write_text(text, encoding="utf-8")
    return workspace.folder / report.REPORT


def whole(out: Path) -> Workspace:
    """Return this repository's cpu profile with a record for every claim, and figures and a
    table for each group.
    """
    workspace = Workspace.open(REPOSITORY, Profile.CPU, out, PROJECT)
    drawn = _drawn(out / "drawn", "drawn")
    for claim in workspace.claims.claim:
        if workspace.profile in claim.profiles:
            _record(workspace, claim)
    groups = [group for group in workspace.claims.group if workspace.claims_here(group)]
    shown = {
        each.figure: tuple(each.needs)
        for each in load_findings(REPOSITORY, workspace.all_claims).finding
    }
    for n, group in enumerate(groups):
        _artefacts(workspace, group, drawn, len(range(n, FIGURES, len(groups))), shown)
    return workspace


def _record(workspace: Workspace, claim: Claim) -> None:
    watch = Stopwatch()
    detail = {"another number": 0.12345678901234567}
    checks = tuple(
        CheckResult.of(
            each,
            Measurement(
                value=each.bound,
                low=each.bound - 0.0123,
                high=each.bound + 0.0123,
                seeds=(1,),
                detail=detail,
            ),
            seconds=1.0,
            where="src/ams_suite/queries.py:25",
        )
        for each in claim.check
    )
    parts = workspace.record_parts(claim)
    verdict = claim_verdict(each.verdict for each in checks)
    provenance = watch.provenance(ENVIRONMENT, workspace.profile, parts.config)
    Record.of(claim.id, parts, provenance, checks=checks, verdict=verdict).write(
        workspace.record_path(claim)
    )


def _drawn(folder: Path, name: str) -> Figure:
    """Return a figure of more than the usual size: four panels of five samplers with bands and
    markers.
    """
    drawing, panels = pyplot.subplots(2, 2, figsize=(7.4, 5))
    x = np.geomspace(10, 500, 9)
    for panel, axes in enumerate(panels.flat):
        for n, look in enumerate([LOOKS[name] for name in SPECS if name in LOOKS][:5]):
            y = (1 + n) / x ** (0.2 * panel) + 0.3 * np.sin(n * x)
            axes.plot(x, y, **look.style())
            axes.fill_between(x, 0.9 * y - 0.1, 1.1 * y + 0.1, alpha=0.15)
        axes.set(
            xscale="log",
            title=f"{panel} of $10^{{-3}}$",
            xlabel="evaluations of the score",
            ylabel="distance",
        )
    panels[0, 0].legend(ncols=2)
    return save_figure(
        drawing, folder, name, "A caption of usual length, with $\\sigma$ and 99.9% intervals. " * 4
    )


def _artefacts(
    workspace: Workspace, group: Group, drawn: Figure, count: int, shown: dict[str, tuple[str, ...]]
) -> None:
    """Write `count` figures: those that findings show of the group's claims, and others."""
    members = {claim.id for claim in workspace.claims.of_group(group.id)}
    names = [name for name, needs in shown.items() if needs[0] in members]
    names += [f"{group.id}_{n}" for n in range(count - len(names))]
    watch, path = Stopwatch(), workspace.figures_path(group)
    path.parent.mkdir(parents=True)
    figures, files = [], {}
    for name in names:
        figure = drawn.model_copy(
            update={"file": Path(f"{name}.svg"), "claims": shown.get(name, ())}
        )
        figures.append(figure)
        for kind in (".svg", ".png", ".pdf"):
            content = drawn.file.with_suffix(kind).read_bytes()
            path.with_name(figure.file.stem + kind).write_bytes(content)
            files[figure.file.stem + kind] = sha256_of(content)
    table = Table(
        id=f"{group.id}_table",
        caption="Every run",
        header=tuple(f"a head of column {letter}" for letter in "abcdefghijklmnop"),
        rows=(
            (
                "a sampler",
                "data/a/file/with_a_long_name.pth",
                *(0.123456789 * n for n in range(14)),
            ),
        )
        * 500,
    )
    parts = workspace.figures_parts(group)
    provenance = watch.provenance(ENVIRONMENT, workspace.profile, parts.config)
    Artefacts.of(
        group.id, parts, provenance, files=files, figures=tuple(figures), tables=(table,)
    ).write(path)


VOID = frozenset({"meta", "img", "br", "link", "input", "hr", "source"})
ADDRESSES = frozenset({"src", "href", "srcset", "action", "poster", "data"})


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str | None]


class Page(HTMLParser):
    """The elements of a page; raises AssertionError where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1] == tag, (
            f"</{tag}> closes {self._open[-1:]} at {self.getpos()}"
        )
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def addresses(self) -> list[str]:
        return [
            value or ""
            for e in self.elements
            for name, value in e.attributes.items()
            if name in ADDRESSES
        ]

    def ids(self) -> list[str]:
        return [str(e.attributes["id"]) for e in self.elements if "id" in e.attributes]

    def with_class(self, name: str) -> list[Element]:
        return [e for e in self.elements if name in (e.attributes.get("class") or "").split()]
