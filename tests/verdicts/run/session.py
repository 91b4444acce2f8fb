"""A toy repository with a driver on it, in this process."""

import io

from rich.console import Console

from tests.verdicts.toy import Toy
from verdicts.claims.schema import Profile
from verdicts.run import console, driver, job
from verdicts.run.driver import RunOptions


class Session:
    """`said` is what the last command printed."""

    def __init__(self, toy: Toy, monkeypatch) -> None:
        self.toy = toy
        self.said = ""
        monkeypatch.chdir(toy.root)
        monkeypatch.setattr(console, "BEAT", 3600.0)  # lines that come with time are asked for where they are tested
        monkeypatch.setenv("PYTHONPATH", toy.environment()["PYTHONPATH"])

    def command(self, work, terminal=None, **options):
        screen = Console(file=(stream := io.StringIO()), width=400, force_terminal=terminal, force_interactive=terminal)
        try:
            return work(RunOptions(**{"profile": Profile.QUICK} | options), screen)
        finally:
            self.said = stream.getvalue()

    def run(self, **options):
        return self.command(driver.reproduce, **options)

    def check(self, **options):
        return self.command(driver.check_results, **options)

    def rows(self, profile="quick"):
        return self.toy.rows(profile)

    def computed(self):
        return {name for name, row in self.rows().items() if row["computed"] == "computed"}


def do_job(toy: Toy, work: str, *more: str) -> int:
    """Do a job of the profile `cpu` in this process; return its exit code."""
    return job.main([work, "--root", str(toy.root), "--profile", "cpu", "--out", str(toy.root / "results"), *more])


def reproduce(toy: Toy, monkeypatch, **options) -> tuple[int, str]:
    """Run the driver in this process; return its exit code and what it printed."""
    session = Session(toy, monkeypatch)
    return session.run(**options), session.said
