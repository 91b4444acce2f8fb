"""A reference sampler with a fault of `faults.toml` in it, and one of the blind trial."""

import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from samplercheck import Sampler
from samplercheck.command import loaded
from survey.conformance import trials

ROOT = Path(__file__).resolve().parents[2]
REFERENCES = "tests/samplercheck/references.py"


class Fault(NamedTuple):
    """`old` becomes `new` in `file`; `valid` says why what then results is a valid scheme, if it
    is.
    """

    reference: str
    old: str
    new: str
    why: str
    file: str = REFERENCES
    valid: str = ""


def faults() -> list[Fault]:
    """Return the faults declared, those first that were written before any was tried."""
    with Path(__file__).with_name("faults.toml").open("rb") as file:
        table = tomllib.load(file)
    return [Fault(**fault) for part in ("before", "after") for fault in table.get(part, [])]


def fault_of(reference: str, why: str) -> Fault:
    """Return the fault of a reference by its reason."""
    return next(each for each in faults() if (each.reference, each.why) == (reference, why))


def blind_sampler(identifier: str) -> Sampler:
    """Return a sampler of the blind trial, asked with its options; a function's convention is
    found.
    """
    row = next(row for row in trials.samplers(trials.FULL) if row["id"] == identifier)
    options = (row.get("order"), row.get("kind"), row.get("network"), None)
    return loaded(f"{trials.BLIND}/{row['file']}:{row['name']}", {}, *options)


def faulty(fault: Fault) -> Sampler:
    """Return the reference sampler with the fault, from changed sources that are executed apart."""
    with pytest.MonkeyPatch.context() as patch:
        if fault.file != REFERENCES:
            name = fault.file.removeprefix("src/").removesuffix(".py").replace("/", ".")
            patch.setitem(sys.modules, name, _module(name, fault.file, fault))
        return (
            _module("faulty_references", REFERENCES, fault)
            .REFERENCES[fault.reference]
            .sampler(fault.why)
        )


def _module(name: str, file: str, fault: Fault) -> ModuleType:
    text, module = (ROOT / file).read_text(), ModuleType(name)
    if file == fault.file:
        assert text.count(fault.old) == 1, f"{file} has this not once: {fault.old}"
        text = text.replace(fault.old, fault.new)
    exec(compile(text, file, "exec"), vars(module))
    return module
