"""A copy of what `reproduce.sh` needs, on a PATH of its own, with stubs of Python and pip.

A stub Python hands everything to the Python that runs these tests, save what a test replaces: its
`venv`, its `pip`. It runs without site-packages, so that it lacks every requirement, unless a test
asks for a complete one. The Python of an environment that is made has what its "pip" wrote to the
file `installed`. The package `ams_suite` is a stub too: it prints what it was given.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = (
    *("reproduce.sh", "pyproject.toml", "constraints.txt", "constraints.sha256"),
    *("src/ams_suite/environment.py", "src/ams_suite/lock.py"),
)
TOOLS = (
    *(
        "bash",
        "sh",
        "cat",
        "chmod",
        "cksum",
        "cp",
        "cut",
        "dirname",
        "find",
        "flock",
        "grep",
        "ls",
        "mkdir",
    ),
    *("readlink", "rm", "tail", "touch"),
)

AMS = """
import json, os, sys
names = "PYTHONPATH PYTHONDONTWRITEBYTECODE OMP_NUM_THREADS AMS_OFFLINE AMS_SETUP_SECONDS".split()
print(json.dumps({"arguments": sys.argv[1:], "cwd": os.getcwd(), "python": os.environ.get("STUB"),
                  **{name: os.environ.get(name) for name in names}}))
sys.exit(int(os.environ.get("AMS_EXIT", "0")))
"""

STUBS = Path(__file__).with_name("stubs")
# What `python -m venv` makes
VENV_PYTHON = (STUBS / "venv-python").read_text()
PYTHON = (STUBS / "python").read_text()

MAKE_VENV = (
    'mkdir -p "$3/bin" && cp "@TEMPLATE@" "$3/bin/python" && cp "@TEMPLATE@" "$3/bin/python3"'
)
INSTALL = 'cat "$place/requirements.txt" >>"$place/installed"'


@dataclass
class Checkout:
    """A copy of the repository's shell side at `root`, a PATH at `bin`, and the variables that a
    run sees.
    """

    root: Path
    bin: Path
    variables: dict[str, str] = field(default_factory=dict)
    prefix: list[str] = field(default_factory=list)

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def pip_calls(self) -> list[str]:
        """The arguments of every `pip install` so far."""
        calls = self.bin.parent / "pip-calls"
        return calls.read_text().splitlines() if calls.exists() else []

    def stub(self, name: str, body: str, **values: str) -> Path:
        """Put an executable `name` on the PATH; `@KEY@` in its `body` stands for a value."""
        for key, value in values.items():
            body = body.replace(f"@{key}@", value)
        path = self.bin / name
        path.write_text(body if body.startswith("#!") else f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    def python(
        self, name: str = "python3", *, venv: str = MAKE_VENV, complete: bool = False
    ) -> Path:
        """Put a stub Python on the PATH, bare or with every requirement."""
        template, site = str(self.bin.parent / "venv-python"), "" if complete else "-S"
        return self.stub(
            name, PYTHON, VENV=venv, TEMPLATE=template, REAL=f"{self.bin}/remember", SITE=site
        )

    def old_python(self, name: str = "python3") -> None:
        """Put a Python of 3.10 on the PATH, which knows no option -P."""
        self.stub(name, "exit 2")

    def pip(self, body: str = INSTALL) -> None:
        """Say what `pip install` does in environments made from now on."""
        template = VENV_PYTHON.replace("@PIP@", body).replace("@REAL@", f"{self.bin}/remember")
        path = self.bin.parent / "venv-python"
        path.write_text(template.replace("@CALLS@", str(self.bin.parent / "pip-calls")))
        path.chmod(0o755)

    def command(self, *arguments: str) -> list[str]:
        return [*self.prefix, str(self.bin / "bash"), str(self.root / "reproduce.sh"), *arguments]

    def environment(self, **variables: str) -> dict[str, str]:
        return {"PATH": str(self.bin), "LANG": "C.UTF-8", **self.variables, **variables}

    def run(
        self,
        *arguments: str,
        command: list[str] | None = None,
        cwd: Path | None = None,
        **variables: str,
    ) -> Outcome:
        """Run `reproduce.sh` with nothing in its environment but what the test names."""
        done = subprocess.run(
            command or self.command(*arguments),
            env=self.environment(**variables),
            cwd=cwd or self.root.parent,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Outcome:
    """What a run returned and said."""

    code: int
    out: str
    err: str

    @property
    def child(self) -> Mapping[str, Any]:
        """What the stub package was given."""
        return json.loads(self.out)


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[str], Checkout]:
    """Return a function that lays a copy of the checkout at a path below the test's folder."""

    def lay(name: str) -> Checkout:
        root = tmp_path / name
        for file in FILES:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / file, root / file)
        (root / "src/ams_suite/__init__.py").touch()
        (root / "src/ams_suite/__main__.py").write_text(AMS)
        checkout = Checkout(
            root, tmp_path / "bin", {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path)}
        )
        checkout.bin.mkdir(exist_ok=True)
        for tool in TOOLS:
            found = shutil.which(tool)
            if found and not (checkout.bin / tool).exists():
                (checkout.bin / tool).symlink_to(found)
        checkout.stub(
            "remember",
            (STUBS / "remember").read_text(),
            ANSWERS=str(tmp_path.parent),
            REAL=sys.executable,
        )
        checkout.stub("sleep", f'[ "$1" != 0.1 ] || set 0.01; exec {shutil.which("sleep")} "$@"')
        checkout.pip()
        return checkout

    return lay


@pytest.fixture
def checkout(copy_of: Callable[[str], Checkout]) -> Checkout:
    """A copy with a bare Python 3.11 and a pip that works."""
    made = copy_of("checkout")
    made.python()
    return made


@pytest.fixture
def read_only(checkout: Checkout) -> Iterator[Checkout]:
    """The same without write permission; for root, to whom that means nothing, on a read-only
    file system.
    """
    if os.geteuid() == 0:  # in a namespace of the run's own, which ends with it
        mounts = (
            f'mount --bind "{checkout.root}" "{checkout.root}" && mount -o '
            f'remount,ro,bind "{checkout.root}"'
        )
        script = f'PATH=/usr/sbin:/usr/bin:/bin; {mounts} && PATH=$OLD && exec "$@"'
        checkout.prefix = [
            shutil.which("unshare") or "sh",
            "--mount",
            str(checkout.bin / "sh"),
            "-c",
            script,
            "sh",
        ]
        checkout.variables["OLD"] = str(checkout.bin)
        if subprocess.run([*checkout.prefix, "ls"], env=checkout.environment()).returncode != 0:
            pytest.skip("this test needs the right to mount")
    checkout.root.chmod(0o555)
    yield checkout
    checkout.root.chmod(0o755)


@pytest.fixture(scope="session")
def environment_with_pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what `python -m venv` really makes, pip included: that takes seconds."""
    place = tmp_path_factory.mktemp("real") / "venv"
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    return place


@pytest.fixture
def with_real_pip(checkout: Checkout, environment_with_pip: Path) -> Checkout:
    """A bare Python whose environments have a real pip; pip's own configuration on this machine
    is kept out.
    """
    checkout.python(venv=f'mkdir -p "$3" && cp -Rp "{environment_with_pip}/." "$3"')
    checkout.variables |= {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}
    return checkout
