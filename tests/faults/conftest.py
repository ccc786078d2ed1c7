"""One cluster for the tests of this folder, one journal for each of them."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.faults.cluster import Cluster, cluster_of
from tests.faults.scene import Scene, next_scene
from tests.support.databases import Background
from tests.support.servers import TestRun


@pytest.fixture(scope="package")
def running_cluster(test_run: TestRun, background: Background) -> Iterator[Cluster]:
    """The processes; started once for all tests of the folder (in each worker of pytest-xdist)."""
    with cluster_of(test_run, background) as cluster:
        yield cluster


@pytest.fixture
def cluster(running_cluster: Cluster) -> Iterator[Cluster]:
    """The cluster, all of it running before and after."""
    running_cluster.mend()
    yield running_cluster
    running_cluster.mend()


@pytest.fixture
async def scene(cluster: Cluster) -> AsyncIterator[Scene]:
    """A journal of the test's own, known to both relays and both projectors, and its tenant.

    The seed of its dice is printed, and so shown when the test fails; RAPPORT_TEST_SEED sets it.
    """
    made = await next_scene(cluster, int(os.environ.get("RAPPORT_TEST_SEED", 0)) or None)
    print(f"RAPPORT_TEST_SEED={made.seed}")
    async with made.client:
        yield made
