"""The repository that is checked, the profile, and the places of its results."""

import os
import pkgutil
import platform
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Self

from verdicts.claims.loading import CLAIMS, Device, ProfileConfig, load_claims, load_config
from verdicts.claims.schema import OUTLINE, Claim, Claims, Group, Profile
from verdicts.errors import UserError, unknown
from verdicts.records.figures import draws_stills
from verdicts.records.files import canonical_json, sha256_of, shown_json
from verdicts.records.keys import KeyParts, Sources
from verdicts.records.provenance import ComputedOn, Environment, computed_on_here, environment_of

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
STYLE = "paper/style.mplstyle"
KEPT, SUFFIX = "paper/kept", ".jsonl.xz"
"""The folder of kept cells, and how its files' names end."""
OUTCOME = ("id", "verdict", "value", "low", "high", "reason")
"""What a notebook page shows of a check's result."""
# What a notebook finds in its environment: the profile, the folder above the profile's results
PROFILE, OUT = "VERDICTS_PROFILE", "VERDICTS_OUT"
FIGURE_MAKERS = ("verdicts/records/figures.py", "verdicts/run/drawing.py")
PAGE_MAKERS = (
    "verdicts/report/notebooks.py",
    "verdicts/report/typeset.py",
    "verdicts/report/templating.py",
    "verdicts/report/words.py",
    "verdicts/report/templates/notebook.html.j2",
    "verdicts/report/templates/style.css",
    "verdicts/run/group_page.py",
)


@dataclass(frozen=True)
class Project:
    """What the engine is told of the suite that it runs for.

    `registered` gives the sha256 of each data set by its name. `accelerator` gives the name of the
    device of class `cuda` that computations can use (None: there is none), `threads` how many
    threads they use, and `use_threads` sets that; `instructions` gives the instruction set of the
    processor in use. `packages` are the distributions whose versions a record tells, `numerics`
    those of them whose releases no study mixes. `place` is `module:name` of this object, for the
    processes that a run starts; `command` is what a user types.
    """

    registered: Callable[[], Mapping[str, str]] = dict
    accelerator: Callable[[], str | None] = lambda: None
    threads: Callable[[], int] = lambda: os.cpu_count() or 1
    instructions: Callable[[], str] = str
    use_threads: Callable[[int], None] = lambda count: None
    packages: tuple[str, ...] = ()
    numerics: tuple[str, ...] = ()
    place: str = ""
    command: str = "python -m verdicts"


def project_at(place: str) -> Project:
    """Return the project object at `module:name`; for an empty text one that knows nothing."""
    project: Project = pkgutil.resolve_name(place) if place else Project()
    return project


def find_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds an outline, else the package's own
    repository.

    Raises UserError if there is none.
    """
    for folder in (start, *start.parents, PACKAGE_ROOT.parent):
        if (folder / OUTLINE).is_file():
            return folder
    raise UserError(f"no {OUTLINE} at or above {start}: run from inside a clone of the repository")


@dataclass(frozen=True)
class Workspace:
    """One profile of one repository. `folder` is where its results lie: `<out>/<profile>`.

    `claims` are those that the profile tells of (`Claims.seen_by`), `all_claims` those of every
    profile. The class of device is the profile's, whichever machine reads its results.
    """

    root: Path
    profile: Profile
    folder: Path
    claims: Claims
    all_claims: Claims
    config: ProfileConfig
    sources: Sources
    data: Mapping[str, str]
    project: Project = field(default_factory=Project)

    @classmethod
    def open(
        cls, root: Path, profile: Profile, out: Path | None, project: Project | None = None
    ) -> Self:
        """Read the repository's files and put it on Python's path. Raises UserError."""
        sources, project = Sources(PACKAGE_ROOT, root), project or Project()
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))
        return cls._of(
            root, profile, (out or root / "results").resolve(), load_claims(root), sources, project
        )

    def beside(self, profile: Profile) -> Self:
        """Return the workspace of another profile of the repository; its results lie beside. Raises
        UserError.
        """
        return self._of(
            self.root, profile, self.folder.parent, self.all_claims, self.sources, self.project
        )

    @classmethod
    def _of(
        cls,
        root: Path,
        profile: Profile,
        out: Path,
        all_claims: Claims,
        sources: Sources,
        project: Project,
    ) -> Self:
        claims = all_claims.seen_by(profile)
        config, data = load_config(root, profile, claims), _data(root, claims, project)
        return cls(root, profile, out / profile, claims, all_claims, config, sources, data, project)

    @property
    def device(self) -> Device:
        """Return the class of device on which the profile computes."""
        return self.config.device

    def require_device(self) -> None:
        """Refuse to compute on a machine without the profile's class of device. Raises
        UserError.
        """
        if self.device is Device.CUDA and not self.project.accelerator():
            where = (
                f"the {self.profile} profile computes on a CUDA device, and {platform.node()} "
                "has none to use"
            )
            raise UserError(
                f"{where}; --profile full needs none, and --cluster finds one where a "
                "cluster has it"
            )

    @cached_property
    def environment(self) -> Environment:
        """Return the environment of what this process computes."""
        project = self.project
        device = self._accelerator or "cpu"
        return environment_of(self.root, device, project.threads(), project.packages)

    def computed_on(self) -> ComputedOn:
        """Tell what computes the cells of this process."""
        project = self.project
        return computed_on_here(
            self._accelerator, project.numerics, project.instructions(), project.threads()
        )

    @property
    def _accelerator(self) -> str | None:
        return self.project.accelerator() if self.device is Device.CUDA else None

    def claims_here(self, group: Group) -> list[Claim]:
        """Return the claims of a group that this profile runs."""
        return [claim for claim in self.claims.of_group(group.id) if self.profile in claim.profiles]

    def record_path(self, claim: Claim) -> Path:
        """Return the place of a claim's record."""
        return self.folder / "records" / f"{claim.id}.json"

    def figures_path(self, group: Group) -> Path:
        """Return the place of the record of a group's figures and tables."""
        return self.folder / "figures" / group.id / "artefacts.json"

    def page_path(self, group: Group) -> Path:
        """Return the place of the record of a group's notebook page; the page lies beside it."""
        return self.folder / "notebooks" / f"{group.id}.json"

    def study_path(self, group: Group) -> Path:
        """Return the place of the record of a group's study; its labelled table lies beside it."""
        return self.folder / "studies" / f"{group.id}.json"

    def audit_path(self, group: str) -> Path:
        """Return the place of the record of the audit of a group's kept cells."""
        return self.folder / "audits" / f"{group}.json"

    @property
    def kept_folder(self) -> Path:
        """Return the folder of the kept cells."""
        return self.root / KEPT

    def kept_files(self, group: str) -> list[str]:
        """Return the names of the files of a group's kept cells; a name follows from the
        content.
        """
        return sorted(path.name for path in (self.kept_folder / group).glob(f"*{SUFFIX}"))

    def log_path(self, name: str) -> Path:
        """Return the place of a log."""
        return self.folder / "logs" / f"{name}.log"

    def config_digest(self, group: Group) -> str:
        """Return the digest of a group's part of the configuration."""
        return sha256_of(canonical_json(self.config.settings_of(group.id)))

    def record_parts(self, claim: Claim) -> KeyParts:
        """Return what a claim's record depends on: its entry, the modules that measure it, settings
        and data.
        """
        group = self.claims.group_of(claim)
        sources = self._closures(group, {"settings", *claim.modules})
        if group.queries and any(check.is_query for check in claim.check):
            sources |= self.sources.closure(group.queries)
        return self._parts(claim.model_dump(mode="json"), group, sources, [claim])

    def figures_parts(self, group: Group) -> KeyParts:
        """Return what figures and tables depend on: their module, data, style, kinds of files, what
        draws them.
        """
        sources = self._closures(group, ["figures", "settings"])
        sources |= self._extra(STYLE, *FIGURE_MAKERS)
        parts = self._parts(
            [group.id, self.claims.outline.subject], group, sources, self.claims_here(group)
        )
        pictures = f"{self.config.every_picture}{'' if draws_stills() else ' without stills'}"
        return parts.model_copy(update={"config": sha256_of(f"{parts.config} {pictures}")})

    def study_parts(self, group: Group) -> KeyParts | None:
        """Return what a group's study depends on: its module, settings and data; None where the
        group has no study.
        """
        if self.sources.find(f"{group.module}.study") is None:
            return None
        return self._parts(
            group.id, group, self._closures(group, ["study", "settings"]), self.claims_here(group)
        )

    def page_parts(self, group: Group) -> KeyParts:
        """Return what a group's notebook page depends on.

        That is the notebook, figures, checks and their entries, what renders it, and the outcomes
        and figures shown.
        """
        modules = {"settings", "figures"}.union(
            *(claim.modules for claim in self.all_claims.of_group(group.id))
        )
        sources = self.sources.closure_of_script(self.root / (group.notebook or ""))
        sources |= self._closures(group, modules) | self._extra(STYLE, *PAGE_MAKERS)
        # Its title, and each check's bound, tolerance and verdict are printed on it
        checks = [
            check.model_dump(mode="json")
            for claim in self.claims.of_group(group.id)
            for check in claim.check
        ]
        parts = self._parts(
            [group.id, group.title, checks], group, sources, self.claims_here(group)
        )
        return parts.model_copy(update={"data": parts.data | self._shown(group)})

    def _shown(self, group: Group) -> dict[str, str]:
        """Return the digests of what a notebook page shows: the checks' outcomes, the figures and
        tables.
        """
        records = [shown_json(self.record_path(claim)) for claim in self.claims_here(group)]
        outcomes = [
            [check.get(name) for name in OUTCOME]
            for each in records
            for check in each.get("checks", ())
        ]
        drawn = shown_json(self.figures_path(group))
        return {
            "outcomes": sha256_of(canonical_json(outcomes)),
            "figures": sha256_of(canonical_json([drawn.get("files"), drawn.get("reason")])),
        }

    def _kept(self, group: Group) -> dict[str, str]:
        """Return the digest of a group's kept cells: of their files' names, and of those that are
        not shown.
        """
        names = self.kept_files(group.id)
        refused = sorted(shown_json(self.audit_path(group.id)).get("refused", ()))
        return {"kept cells": sha256_of(canonical_json([names, refused]))} if names else {}

    def changed(self, parts: KeyParts) -> str:
        """Say which source file has changed since its digest was taken: what was made meanwhile is
        of no known code.

        Empty where none has.
        """
        for name, digest in parts.sources.items():
            if self.digest_of(name) not in ("", digest):
                return f"{name} changed while this was computed: run again"
        return ""

    def digest_of(self, name: str) -> str:
        """Return the present digest of a file, named from a root of Python's path; empty where it
        is gone.
        """
        places = (root / name for root in self.sources.roots)
        return next((sha256_of(place.read_bytes()) for place in places if place.is_file()), "")

    def _closures(self, group: Group, modules: Iterable[str]) -> dict[str, str]:
        """Return the digests of the files that any of these modules of a group imports."""
        closures = [self.sources.closure(f"{group.module}.{module}") for module in modules]
        return {name: digest for closure in closures for name, digest in closure.items()}

    def _extra(self, *names: str) -> dict[str, str]:
        """Return the digests of files of the package or the repository that no module imports."""
        return {name: digest for name in names if (digest := self.digest_of(name))}

    def _parts(
        self, entry: object, group: Group, sources: dict[str, str], claims: Sequence[Claim]
    ) -> KeyParts:
        data = {name: self.data[name] for claim in claims for name in claim.data}
        releases = {
            f"package {name}": _release(name) for claim in claims for name in claim.packages
        }
        releases |= self._kept(group)
        return KeyParts(
            entry=sha256_of(canonical_json(entry)),
            config=self.config_digest(group),
            sources=sources,
            data=data | releases,
            device=self.device,
        )


def _data(root: Path, claims: Claims, project: Project) -> dict[str, str]:
    """Return the digests of the registered data sets, and of the repository's own files that claims
    name.

    Raises UserError for the name of no data set, and for a pattern (it has a slash) that matches no
    file.
    """
    named = {name: claim for claim in claims.claim for name in claim.data}
    data = dict(project.registered()) if any("/" not in name for name in named) else {}
    for name, claim in named.items():
        place = f"{claims.group_of(claim).folder}/{CLAIMS}: claim[{claim.id}].data"
        if "/" in name:
            data[name] = _digest_of_files(root, name, place)
        elif name not in data:
            raise UserError(f"{place}: {unknown('data set', name, data)}")
    return data


def _release(package: str) -> str:
    """Return the digest of the version of a package that is installed; of nothing where it is
    not.
    """
    try:
        return sha256_of(version(package))
    except PackageNotFoundError:
        return sha256_of("")


def _digest_of_files(root: Path, pattern: str, place: str) -> str:
    """Return the digest of the repository's files that match a pattern. Raises UserError where
    there is none, and for what is no pattern of files below it.
    """
    try:
        files = {
            path.relative_to(root).as_posix(): sha256_of(path.read_bytes())
            for path in root.glob(pattern)
            if path.is_file()
        }
    except (ValueError, NotImplementedError) as error:
        raise UserError(f"{place} = {pattern!r}: {error}") from error
    if not files:
        raise UserError(f"{place} = {pattern!r}: no such file in the repository")
    return sha256_of(canonical_json(files))
