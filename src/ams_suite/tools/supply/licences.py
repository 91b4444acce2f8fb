"""The licences of what is installed, as SPDX expressions, against those that `licences.toml` allows."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from pydantic import BaseModel, ConfigDict, ValidationError

from ams_suite.lock import canonical
from verdicts.errors import UserError

POLICY = Path(__file__).with_name("licences.toml")


class Stated(BaseModel):
    """The licence of one distribution, stated by hand: `excepted` ones are allowed to it alone, for the `reason`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    licence: str
    reason: str
    excepted: frozenset[str] = frozenset()


class Policy(BaseModel):
    """The allowed licences (SPDX), SPDX names for older `words`, and what is stated of single `distributions`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    allowed: frozenset[str]
    words: dict[str, str]
    distributions: dict[str, Stated]

    @classmethod
    def read(cls, path: Path = POLICY) -> "Policy":
        """Return the policy in a TOML file. Raises UserError for one that cannot be read."""
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, ValidationError) as error:
            raise UserError(f"{path}: {' '.join(str(error).split())}") from error

    def allowed_to(self, name: str) -> frozenset[str]:
        """Return the licences that the distribution of canonical name `name` may have."""
        own = self.distributions.get(name)
        return self.allowed | own.excepted if own else self.allowed


class Licensed(NamedTuple):
    """An installed distribution: canonical name, version, licence (SPDX, None if unknown) and what is wrong with it."""

    name: str
    version: str
    licence: str | None
    problem: str = ""


def installed(names: Iterable[str]) -> Iterator[Distribution]:
    """Yield the installed ones of the distributions of these names, sorted by canonical name."""
    for name in sorted(names):
        try:
            yield distribution(name)
        except PackageNotFoundError:
            continue


def judged(distribution: Distribution, policy: Policy) -> Licensed:
    """Return a distribution with its licence, and with a problem in words where that is unknown or not allowed."""
    name, licence = canonical(distribution.metadata["Name"]), licence_of(distribution, policy)
    if licence is None:
        words = "; ".join(word for words in _statements(distribution) for word in words) or "nothing"
        return Licensed(name, distribution.version, None, f"unknown licence: its metadata says {words[:100]}")
    fits = permitted(licence, policy.allowed_to(name))
    return Licensed(name, distribution.version, licence, "" if fits else f"{licence} is not allowed")


def licence_of(distribution: Distribution, policy: Policy) -> str | None:
    """Return a distribution's licence as an SPDX expression: stated by hand, else read off its metadata; else None.

    Of the metadata, `License-Expression` comes first, then the first line of `License`, then the classifiers, all of
    which must be known and are joined by AND: that two of them are a choice is not said there.
    """
    own = policy.distributions.get(canonical(distribution.metadata["Name"]))
    if own:
        return _spdx(own.licence, policy)
    for words in _statements(distribution):
        known = [spdx for word in words if (spdx := _spdx(word, policy))]
        if known and len(known) == len(words):
            return " AND ".join(f"({spdx})" if len(known) > 1 and " OR " in spdx else spdx for spdx in sorted(known))
    return None


def _statements(distribution: Distribution) -> Iterator[list[str]]:
    """Yield what the metadata says of the licence, from the most to the least exact field."""
    metadata = distribution.metadata
    yield [metadata["License-Expression"]] if "License-Expression" in metadata else []
    yield (metadata.get_all("License") or [""])[0].strip().splitlines()[:1]
    classifiers = metadata.get_all("Classifier") or []
    yield [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::") and line.count("::") > 1]


def _spdx(words: str, policy: Policy) -> str | None:
    try:
        return str(canonicalize_license_expression(policy.words.get(words, words)))
    except InvalidLicenseExpression:
        return None


def permitted(expression: str, allowed: frozenset[str]) -> bool:
    """Return whether an SPDX expression can be met by `allowed` licences: all sides of AND, one of OR.

    What follows WITH only adds to what a licence permits.
    """
    tokens = re.findall(r"[()]|[^\s()]+", re.sub(r" WITH \S+?(?=[\s)]|$)", "", expression))
    return _one_of(tokens, allowed)


def _one_of(tokens: list[str], allowed: frozenset[str]) -> bool:
    met = _all_of(tokens, allowed)
    while tokens[:1] == ["OR"]:
        del tokens[0]
        met = _all_of(tokens, allowed) or met
    return met


def _all_of(tokens: list[str], allowed: frozenset[str]) -> bool:
    met = _licence(tokens, allowed)
    while tokens[:1] == ["AND"]:
        del tokens[0]
        met = _licence(tokens, allowed) and met
    return met


def _licence(tokens: list[str], allowed: frozenset[str]) -> bool:
    token = tokens.pop(0)
    if token != "(":
        return token in allowed
    met = _one_of(tokens, allowed)
    del tokens[0]  # the closing one
    return met
