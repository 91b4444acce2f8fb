"""One SLURM cluster for all tests that need one."""

from collections.abc import Iterator

import pytest

from tests.verdicts.run.slurm_cluster import SlurmCluster, lacking


@pytest.fixture(scope="session")
def slurm() -> Iterator[SlurmCluster]:
    if reason := lacking():
        pytest.skip(reason)
    cluster = SlurmCluster.start()
    yield cluster
    cluster.stop()
