"""A server of NATS is cut off from the others, and a node is connected to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from besedka.wire.log_line import read_line
from tests.blackbox.test_cluster import post
from tests.clustering import NatsServers
from tests.conftest import ServerMaker
from tests.talking import WireClient

pytestmark = pytest.mark.xdist_group("cluster")


def test_a_node_whose_server_is_cut_off_from_the_others_goes_to_another_one(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    with NatsServers(tmp_path, can_part=True) as nats:
        node = make_server("--utc", "--names", "open", "--rate", "0", *nats.options).start()
        with WireClient(node) as anna:
            anna.join("Anna")
            # One of them is the one that the node is at, and one leads.
            for number in range(3):
                nats.part(number)
                post(anna, f"without-{number}")
                nats.join(number)
                post(anna, f"with-{number}")
        assert [read_line(line).text for line in node.lines] == [
            f"{way}-{number}" for number in range(3) for way in ("without", "with")
        ]
