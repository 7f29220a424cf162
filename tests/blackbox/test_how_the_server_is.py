"""/healthz, /readyz and /metrics, as a monitor sees them."""

from __future__ import annotations

import json
import urllib.request
from urllib.error import HTTPError

from prometheus_client.parser import text_string_to_metric_families

from tests.commanding import ASK_SECONDS, wait_until
from tests.conftest import ClientMaker, ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient
from tests.torture.holding import FAULTY, Hold


def get(server: RunningServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"{server.page}{path}") as response:  # noqa: S310 - our own server
            return response.status, response.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def figures(server: RunningServer) -> dict[str, float]:
    """All samples, a label's value behind the name."""
    _, text = get(server, "metrics")
    return {
        ":".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_server_that_runs_is_alive_and_ready(server: RunningServer) -> None:
    assert get(server, "healthz") == (200, "alive\n")
    assert get(server, "readyz") == (200, "ready\n")


def test_a_server_whose_disk_is_full_is_alive_but_not_ready(make_server: ServerMaker) -> None:
    plan = {"call": "write", "at": 1, "times": 1, "errno": "ENOSPC"}
    server = make_server(module="tests.torture.faulty_server", FAULTS=json.dumps(plan)).start()
    with WireClient(server) as anna:
        anna.join("Anna")
        anna.send_frame("chat", text="no room")
        assert anna.receive("error")["code"] == "storage_full"
        assert get(server, "readyz") == (503, "disk full\n")
        assert get(server, "healthz")[0] == 200


def test_a_server_whose_disk_does_not_answer_a_sync_is_alive_but_not_ready(
    make_server: ServerMaker, hold: Hold
) -> None:
    constants = json.dumps({"besedka.serve.chat.chat.READY_SECONDS": 0.1})
    server = make_server(module=FAULTY, FAULTS=json.dumps(hold.faults), CONSTANTS=constants).start()
    with WireClient(server) as anna:
        anna.join("Anna")
        hold.hold()
        anna.send_frame("chat", text="on its way", key="a1")
        wait_until(lambda: get(server, "readyz") == (503, "disk does not answer\n"))
        assert get(server, "healthz")[0] == 200
        hold.let_go()
        assert anna.receive("chat")["key"] == "a1"
        assert get(server, "readyz") == (200, "ready\n")


def test_the_metrics_count_what_has_happened(server: RunningServer, make_client: ClientMaker) -> None:
    anna, boris = make_client(), make_client()
    anna.join("Anna")
    boris.join("Boris")
    for number in range(10):
        anna.send_frame("chat", text=f"{number}")
    boris.receive_to(10)
    anna.send_frame("chat", text="")
    anna.receive("error")
    late = make_client()
    late.join("Late", since=4)
    late.receive_to(10)
    seen = figures(server)
    assert seen["besedka_connections_total"] == seen["besedka_connections_open"] == 3
    assert seen["besedka_members_live"] == 3
    assert seen["besedka_members_behind"] == 0
    assert seen["besedka_messages_total"] == seen["besedka_batch_messages_sum"] == 10
    assert seen["besedka_deliveries_total"] == 26
    assert seen["besedka_pages_total"] == 1
    assert seen["besedka_sync_seconds_count"] == seen["besedka_batch_messages_count"] >= 1
    assert seen["besedka_sync_seconds_sum"] > 0
    assert seen["besedka_refusals_total:empty_text"] == 1
    assert seen["besedka_bytes_told_total"] > 26 * 50
    assert seen["besedka_bytes_received_total"] > 10 * 25
    assert seen["process_resident_memory_bytes"] > 1_000_000
    late.close()
    wait_until(lambda: figures(server)["besedka_connections_open"] == 2, ASK_SECONDS)


def test_the_figures_name_nobody(server: RunningServer, make_client: ClientMaker) -> None:
    anna = make_client()
    anna.join("Somebody", "secret-room")
    anna.send_frame("chat", room="secret-room", text="a secret word")
    anna.receive("chat")
    text = get(server, "metrics")[1]
    assert not any(word in text for word in ("Somebody", "secret"))
