"""The servers of a cluster, for all modules whose tests share some."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clustering import NatsServers


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServers]:
    """The servers of all tests of a module."""
    with NatsServers(tmp_path_factory.mktemp("nats")) as servers:
        yield servers


@pytest.fixture
def nats(servers: NatsServers) -> Iterator[NatsServers]:
    """The servers, without a stream."""
    yield servers
    servers.delete_stream()
