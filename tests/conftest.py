"""What all tests share: checks of shapes, seeds, and the false-alarm budget of stochastic tests."""

import functools
import gc
import gzip
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import jaxtyping
import pytest
import vl_convert
from hypothesis import Phase, settings

# The modules with shapes in their signatures; a sampler's steps are closures, which would be
# checked anew in each run.
SHAPED = [
    "ams.grid_function",
    "ams.laws",
    "ams.metrics",
    "ams.samplers.particles",
    "ams.statistics",
    "ams.targets",
]
if importlib.util.find_spec("beartype"):  # of the extra `test`
    import tests.shapes  # noqa: F401 - the hook only names it

    jaxtyping.install_import_hook(SHAPED, "tests.shapes.checked")

from ams.statistics import SUITE_FALSE_ALARM  # noqa: E402
from tests.claims import BOTH_SIDES, claims, one_sided  # noqa: E402
from tests.monte_carlo import MARK, MonteCarlo, overspent, share_of, spent_by_claims  # noqa: E402
from tests.verdicts.run.slurm_cluster import SlurmCluster, lacking  # noqa: E402
from verdicts.claims.schema import Profile  # noqa: E402
from verdicts.errors import UserError  # noqa: E402
from verdicts.records import figures  # noqa: E402
from verdicts.studies import Memory, using  # noqa: E402

HERE = Path(__file__).resolve().parent
collect_ignore = ["samplercheck/example_repo"]  # run as a repository of its own
DECIDES = "test_claims_come_out_as_expected"

# For `python -m tools.mutation`: that an example fails is enough, the smallest one is not looked
# for
settings.register_profile("unshrunk", phases=[Phase.explicit, Phase.generate], database=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=2405, help="seed of the tests marked monte_carlo")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", f"{MARK}(share): stochastic; spends that share of the false-alarm budget"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what a quick run decides, and put slow tests first, so that none runs last and alone.

    A collection that spends more than the budget is refused before any test runs.
    """
    quick = [
        f"::{DECIDES}[{claim.id}]" for claim in claims().claim if Profile.QUICK in claim.profiles
    ]
    for item in items:
        if item.nodeid.endswith(tuple(quick)):
            item.add_marker("quick")
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    try:
        spent = _spent(items)
    except (ValueError, UserError) as error:
        raise pytest.UsageError(str(error)) from error
    if complaint := overspent(spent):
        raise pytest.UsageError(complaint)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what collection made: it lives to the end. Write no bytecode from
    here on.

    A module that a test edits twice in a second would be taken for the old one.
    """
    gc.freeze()
    sys.dont_write_bytecode = True


@pytest.fixture(scope="session", autouse=True)
def one_library_of_charts() -> Iterator[None]:
    """Bundle the library that moves charts, and draw each of the pages' charts, once for all
    tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("javascript_bundle", "vegalite_to_svg"):
            patch.setattr(vl_convert, name, functools.cache(getattr(vl_convert, name)))
        patch.setattr(figures, "gzip", SimpleNamespace(compress=functools.cache(gzip.compress)))
        yield


@pytest.fixture(scope="session")
def slurm() -> Iterator[SlurmCluster]:
    """One SLURM cluster for all tests that need one."""
    if reason := lacking():
        pytest.skip(reason)
    cluster = SlurmCluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def fresh_cells() -> Iterator[None]:
    """Compute cells anew, with what the test changes, and apart from those that other tests
    share.
    """
    with using(Memory()):
        yield


@pytest.fixture
def needs_git() -> None:
    """Skip the test where git is not installed."""
    if shutil.which("git") is None:
        pytest.skip("no git here")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Check the shapes of arrays in tests/ams alone: elsewhere the checks would add half to the
    time.
    """
    jaxtyping.config.update("jaxtyping_disable", item.path.relative_to(HERE).parts[0] != "ams")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail the falsifier of a claim expected to be refuted that sees one side alone
    (`tests.claims.upheld`).
    """
    BOTH_SIDES.clear()
    yield
    assert not (missing := one_sided(item.nodeid)), (
        f"not refuted as it is and upheld when altered: {missing}"
    )


def pytest_report_collectionfinish(items: list[pytest.Item]) -> str:
    """Tell what the tests that are run, and the ledger's checks, spend."""
    of_tests, of_checks = _spent(items)
    return (
        f"false alarms: the tests spend {of_tests:.2g}, the checks {of_checks:.2g} of "
        f"{SUITE_FALSE_ALARM:g}"
    )


def _spent(items: list[pytest.Item]) -> tuple[float, float]:
    """Return the shares of tests and of checks, summed."""
    return sum(map(share_of, items)), sum(spent_by_claims(claims()).values())


@pytest.fixture
def monte_carlo(request: pytest.FixtureRequest) -> MonteCarlo:
    """Return the test's share and seed. A test without the mark has none to spend."""
    share = share_of(request.node)
    assert share, f"mark the test monte_carlo(share=...): {request.node.nodeid}"
    return MonteCarlo(share, request.config.getoption("--seed"))
