"""The repository that is checked, the profile, and the places of its results."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ams.ledger.claims import Claim, Claims, Group, Profile
from ams.ledger.config import Device, ProfileConfig
from ams.ledger.files import canonical_json, sha256_of
from ams.ledger.keys import KeyParts
from ams.ledger.loading import CLAIMS, load_claims, load_config
from ams.ledger.problems import InputProblem, unknown
from ams.ledger.provenance import cuda_works
from ams.ledger.sources import Sources

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
STYLE = "paper/style.mplstyle"
FIGURE_MAKERS = ("ams/ledger/booktabs.py", "ams/runner/drawing.py")
PAGE_MAKERS = (
    "paper/notebooks.py",
    "paper/typeset.py",
    "paper/templating.py",
    "paper/templates/notebook.html.j2",
    "paper/templates/style.css",
)


def find_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds the claims file, else the package's own repository.

    Raises InputProblem if there is none.
    """
    for folder in (start, *start.parents, PACKAGE_ROOT.parent):
        if (folder / CLAIMS).is_file():
            return folder
    raise InputProblem(f"no {CLAIMS} at or above {start}: run from inside a clone of the repository")


@dataclass(frozen=True)
class Workspace:
    """One profile of one repository. `folder` is where its results lie: `<out>/<profile>`."""

    root: Path
    profile: Profile
    folder: Path
    claims: Claims
    config: ProfileConfig
    device: Device
    sources: Sources
    data: Mapping[str, str]

    @classmethod
    def open(cls, root: Path, profile: Profile, out: Path | None, data: Mapping[str, str] | None = None) -> Workspace:
        """Read the repository's files and put it on Python's path; `data` gives the sha256 of registered files.

        Raises InputProblem.
        """
        claims = load_claims(root).seen_by(profile)
        config = load_config(root, profile, claims)
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))
        named = {name: claim for claim in claims.claim for name in claim.data}
        if data is None:
            data = _registered() if any("/" not in name for name in named) else {}
        data = {**data, **{name: _of_repository(root, name, claim) for name, claim in named.items() if "/" in name}}
        for name, claim in named.items():
            if name not in data:
                raise InputProblem(f"{CLAIMS}: claim[{claim.id}].data: {unknown('data set', name, data)}")
        device = Device.CUDA if config.device is Device.CUDA and cuda_works() else Device.CPU
        folder = (out or root / "results").resolve() / profile
        return cls(root, profile, folder, claims, config, device, Sources(PACKAGE_ROOT, root), data)

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

    def log_path(self, name: str) -> Path:
        """Return the place of a log."""
        return self.folder / "logs" / f"{name}.log"

    def config_digest(self, group: Group) -> str:
        """Return the digest of a group's part of the configuration."""
        return sha256_of(canonical_json(self.config.settings_of(group.id)))

    def record_parts(self, claim: Claim) -> KeyParts:
        """Return what a claim's record depends on."""
        return self._parts(claim.model_dump(mode="json"), self.claims.group_of(claim), {}, claim.data)

    def figures_parts(self, group: Group) -> KeyParts:
        """Return what figures and tables depend on: their module, data, style, makers and kinds of files."""
        parts = self._parts(group.id, group, self._extra(STYLE, *FIGURE_MAKERS), self._data_of(group))
        return parts.model_copy(update={"config": sha256_of(f"{parts.config} {self.config.every_picture}")})

    def page_parts(self, group: Group) -> KeyParts:
        """Return what a group's notebook page depends on: notebook, maker, what is said of the group's checks."""
        notebook = self.root / (group.notebook or "")
        extra = self.sources.closure_of_script(notebook) | self._extra(STYLE, *PAGE_MAKERS)
        # Its title, and each check's bound, tolerance and verdict are printed on it
        checks = [check.model_dump(mode="json") for claim in self.claims.of_group(group.id) for check in claim.check]
        return self._parts([group.id, group.title, checks], group, extra, self._data_of(group))

    def _extra(self, *names: str) -> dict[str, str]:
        """Return the digests of files of the package or the repository that no module imports."""
        places = [(name, root / name) for root in self.sources.roots for name in names]
        return {name: sha256_of(path.read_bytes()) for name, path in places if path.is_file()}

    def _data_of(self, group: Group) -> tuple[str, ...]:
        return tuple(sorted({name for claim in self.claims.of_group(group.id) for name in claim.data}))

    def _parts(self, entry: object, group: Group, extra: dict[str, str], data: tuple[str, ...]) -> KeyParts:
        return KeyParts(
            entry=sha256_of(canonical_json(entry)),
            config=self.config_digest(group),
            sources=self.sources.closure(group.module) | extra,
            data={name: self.data[name] for name in data},
            device=self.device,
        )


def _registered() -> Mapping[str, str]:
    from ams.data import registered

    return registered()


def _of_repository(root: Path, pattern: str, claim: Claim) -> str:
    """Return the digest of the repository's own files that a claim names by a pattern with a slash.

    Raises InputProblem where it matches none.
    """
    files = sorted(path for path in root.glob(pattern) if path.is_file())
    if not files:
        raise InputProblem(f"{CLAIMS}: claim[{claim.id}].data = {pattern!r}: no such file in the repository")
    return sha256_of(canonical_json({str(path.relative_to(root)): sha256_of(path.read_bytes()) for path in files}))
