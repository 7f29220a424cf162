"""Whatever lasts for a time has a row in the table of docs/operating.md that says by which clock, and a test that jumps that clock."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.xdist_group("durations")  # what they all read is parsed once

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")

STAMPS = "times in the log, in `audit.txt` and in frames"
MODERATION = "mutes and bans"
INVITATIONS = "invitations"
NAMES = "names (`--claim-days`)"
DEVICES = "links to another device"
SLOW = "slow rooms"
RATES = "rates of messages, frames and names"
TYPING = "typing"
SERVER = "timeouts and pauses of the server"
CLIENTS = "timeouts and pauses of commands, terminal and library"
THE_PAGE = "timeouts and pauses of the page"
ENDLESS = "access keys, secrets, memberships, moderators, keys of messages"
CERTIFICATES = "certificates for TLS"

PROVED: Final = {
    STAMPS: "tests/blackbox/test_clocks.py: test_messages_keep_their_order_and_are_known_again",
    MODERATION: "tests/blackbox/test_clocks.py: test_mutes_and_bans_are_in_force_again_when_the_clock_is_right",
    INVITATIONS: "tests/blackbox/test_clocks.py: test_invitations_can_be_used_again_when_the_clock_is_right",
    NAMES: "tests/blackbox/test_clocks.py: test_a_start_with_a_wrong_clock_sets_no_name_free",
    DEVICES: "tests/blackbox/test_clocks.py: test_what_goes_by_the_monotonic_clock_does_not_notice",
    SLOW: "tests/blackbox/test_clocks.py: test_what_goes_by_the_monotonic_clock_does_not_notice",
    RATES: "tests/blackbox/test_clocks.py: test_what_goes_by_the_monotonic_clock_does_not_notice",
    TYPING: "tests/blackbox/test_clocks.py: test_what_goes_by_the_monotonic_clock_does_not_notice",
    SERVER: "tests/blackbox/test_clocks.py: test_what_goes_by_the_monotonic_clock_does_not_notice",
    CLIENTS: "tests/test_durations.py: test_the_wall_clock_is_asked_only_where_a_row_says_so",
    THE_PAGE: "tests/page/socket.test.mjs: a set clock breaks nothing",
    ENDLESS: "tests/blackbox/test_clocks.py: test_messages_keep_their_order_and_are_known_again",
    CERTIFICATES: "tests/test_durations.py: test_the_wall_clock_is_asked_only_where_a_row_says_so",
}
"""Where each row is held. Of certificates, and of what the clients wait for, the code asks no wall clock at all."""

DURATIONS: Final = {
    "serve/authentication/key_file.py": {"LOOK_SECONDS": SERVER},
    "serve/chat/chat.py": {"READY_SECONDS": SERVER},
    "serve/chat/committer.py": dict.fromkeys(
        (
            "GATHER_SECONDS",
            "LOOK_SECONDS",
            "COMPARE_SECONDS",
            "AGAIN_SECONDS",
            "FULL_SECONDS",
            "SLOW_SYNC_SECONDS",
        ),
        SERVER,
    ),
    "serve/chat/room_heads.py": {"REACH_SECONDS": SERVER, "RETRY_SECONDS": SERVER},
    "serve/session/unstored.py": {"REMEMBERED_SECONDS": SERVER},
    "serve/tasks.py": {"CANCEL_AGAIN_SECONDS": SERVER},
    "serve/cluster/jetstream/consumer.py": dict.fromkeys(
        ("HEARTBEAT_SECONDS", "SILENCE_SECONDS", "LATE_SECONDS"), SERVER
    ),
    "serve/cluster/presence/gossip.py": {
        "PACE_SECONDS": SERVER,
        "ASK_SECONDS": SERVER,
        "_Node.asked_at": SERVER,
    },
    "serve/cluster/presence/liveness.py": dict.fromkeys(
        ("BEAT_SECONDS", "DEAF_SECONDS", "LEASE_SECONDS", "AWAY_SECONDS", "LEAVING_SECONDS"), SERVER
    ),
    "serve/cluster/presence/device_links.py": {"ANSWER_SECONDS": SERVER},
    "serve/cluster/presence/read_marks.py": {"SEND_SECONDS": SERVER, "AGAIN_SECONDS": SERVER},
    "serve/cluster/jetstream/connection.py": dict.fromkeys(
        (
            "ANSWER_SECONDS",
            "START_SECONDS",
            "RETRY_SECONDS",
            "ELSEWHERE_SECONDS",
            "FOLLOWED_SECONDS",
        ),
        SERVER,
    ),
    "serve/cluster/presence/leases.py": {"RESERVED_SECONDS": SERVER, "Held.at": SERVER},
    "serve/cluster/presence/names_in_use.py": dict.fromkeys(
        (
            "FORGOTTEN_SECONDS",
            "RENEW_SECONDS",
            "CHECK_SECONDS",
            "DOUBT_SECONDS",
            "DOUBT_AT_MOST_SECONDS",
            "ALONE_SECONDS",
        ),
        SERVER,
    ),
    "serve/cluster/node.py": {"COMING_SECONDS": SERVER, "CHECKPOINT_SECONDS": SERVER},
    "serve/cluster/order/sequencer.py": {
        **dict.fromkeys(("AGAIN_SECONDS", "BEHIND_SECONDS"), SERVER),
        "CLOCK_SECONDS": STAMPS,
        "_Arrived.at": SERVER,
    },
    "serve/cluster/order/reach.py": dict.fromkeys(
        ("PROBE_SECONDS", "IDLE_SECONDS", "OUT_OF_REACH_SECONDS", "RETRY_SECONDS", "FINISH_SECONDS"), SERVER
    ),
    "serve/cluster/order/redaction/replacing.py": {
        "PAUSE_SECONDS": SERVER,
        "RETRY_SECONDS": SERVER,
        "_Due.at": SERVER,
    },
    "serve/cluster/order/entry.py": {"Head.at": STAMPS},
    "serve/cluster/health.py": {"CONNECT_SECONDS": CLIENTS},
    "serve/cluster/logs/restoring.py": {"BELIEF_SECONDS": SERVER},
    "serve/cluster/people/shared_people.py": {"REWRITE_SECONDS": SERVER},
    "serve/cluster/jetstream/servers.py": {"ANSWER_SECONDS": SERVER},
    "serve/cluster/jetstream/signs.py": {"Acknowledged.at": SERVER},
    "serve/cluster/jetstream/stream.py": {"ELECTION_SECONDS": SERVER},
    "serve/chat/notices.py": {"NOTICE_SECONDS": SERVER, "NOTICE_BURST_SECONDS": SERVER},
    "serve/chat/open_rooms.py": {
        "IDLE_SECONDS": SERVER,
        "GRACE_SECONDS": SERVER,
        "RETURN_SECONDS": SERVER,
        "WARNING_SECONDS": SERVER,
    },
    "serve/chat/room_list.py": {"SCAN_SECONDS": SERVER},
    "serve/files/file_system.py": {"AVOIDED_SECONDS": SERVER, "FIRST_GUESS_SECONDS": SERVER},
    "serve/history/folding.py": {"YIELD_SECONDS": SERVER},
    "serve/history/room_files.py": {"SETTLED_SECONDS": SERVER},
    "serve/chat/workers.py": {"SEARCH_SECONDS": SERVER},
    "serve/chat/unused_rooms.py": {"LOOK_SECONDS": SERVER, "SILENT_SECONDS": SERVER},
    "serve/chat/turns.py": {"RETRY_SECONDS": SERVER},
    "serve/people/direct.py": {"BEGUN_SECONDS": RATES},
    "serve/people/read_marks.py": {"WRITE_SECONDS": SERVER},
    "serve/session/read_marking.py": {"REPORT_SECONDS": SERVER},
    "serve/session/moderation.py": {"SLOWEST_SECONDS": SLOW},
    "serve/shutdown_deadline.py": dict.fromkeys(
        ("SILENT_SECONDS", "END_SECONDS", "LONGEST_SECONDS", "THREAD_SECONDS"), SERVER
    ),
    "serve/doors/admin.py": {"SILENT_SECONDS": SERVER, "ACCEPT_SECONDS": SERVER},
    "serve/doors/grpc/calls.py": {
        "WAIT_SECONDS_AT_MOST": RATES,
        "IMPORT_SECONDS": SERVER,
        "CALL_SECONDS": SERVER,
    },
    "serve/doors/grpc/door.py": {
        "IDLE_SECONDS": SERVER,
        "KEEPALIVE_SECONDS": SERVER,
        "PING_SECONDS_AT_LEAST": SERVER,
        "STREAM_END_SECONDS": SERVER,
        "STOP_SECONDS": SERVER,
    },
    "serve/doors/grpc/connections.py": {
        "END_SECONDS": SERVER,
        "CALLLESS_SECONDS": SERVER,
        "HALF_OPEN_SECONDS": SERVER,
        "HOLD_SECONDS": SERVER,
    },
    "serve/doors/grpc/service.py": {"LAST_WORDS_SECONDS": SERVER},
    "serve/doors/http/door.py": {"STOP_SECONDS": SERVER},
    "serve/doors/tls.py": {"ACCEPT_SECONDS": SERVER},
    "serve/doors/timeouts.py": dict.fromkeys(
        (
            "SWEEP_SECONDS",
            "REQUEST_SECONDS",
            "PING_SECONDS",
            "SILENT_SECONDS",
            "STUCK_SECONDS",
            "FLOOD_SECONDS",
            "CLOSE_SECONDS",
        ),
        SERVER,
    ),
    "serve/limits/token_bucket.py": {"BURST_SECONDS": RATES},
    "serve/limits/rate_limits.py": {
        "REQUESTS_BURST_SECONDS": RATES,
        "REFUSAL_SECONDS": RATES,
        "FRAMES_SECONDS": RATES,
        "CATCH_UP_SECONDS": RATES,
        "NAMES_BURST_SECONDS": RATES,
    },
    "serve/refusal_tally.py": {"TALLY_SECONDS": SERVER},
    "serve/signals.py": {"CLOSING_SECONDS": SERVER},
    "serve/repeated_error.py": {"REPEATED_SECONDS": SERVER, "LASTING_SECONDS": SERVER},
    "serve/server.py": {"LOST_CLOSE_SECONDS": SERVER, "STOP_CLOSE_SECONDS": SERVER},
    "serve/metrics.py": {"SYNC_SECONDS": SERVER},
    "serve/exposition.py": {"FRESH_SECONDS": SERVER},
    "serve/people/audit_entry.py": {"AuditEntry.seconds": SLOW, "AuditEntry.until": MODERATION},
    "serve/people/devices.py": {"LINK_SECONDS": DEVICES, "Handover.until": DEVICES},
    "serve/people/invitations.py": {"SECONDS_AT_MOST": INVITATIONS, "Offer.expires": INVITATIONS},
    "serve/people/restrictions.py": {"Restriction.until": MODERATION},
    "serve/people/uptime.py": dict.fromkeys(
        ("SETTLED_SECONDS", "STEP_SECONDS", "JUMP_SECONDS", "BRIEF_SECONDS", "Stretch.seconds"), NAMES
    ),
    "serve/directory/files.py": dict.fromkeys(("BURST_SECONDS", "GATHER_SECONDS", "CLOSE_SECONDS"), SERVER),
    "serve/directory/table_file.py": {"RETRY_SECONDS": SERVER, "LONGEST_RETRY_SECONDS": SERVER},
    "serve/directory/lapses.py": {"UNUSED_SECONDS": NAMES, "FREE_SECONDS": SERVER, "LAPSE_SECONDS": NAMES},
    "serve/directory/directory.py": {
        "POLL_SECONDS": SERVER,
        "JUMP_SECONDS": MODERATION,
    },
    "serve/room/batch.py": {"Batch.at": STAMPS, "Position.at": STAMPS},
    "serve/room/typists.py": {"TYPING_RELAYED_SECONDS": TYPING},
    "serve/settings.py": {"CLAIM_DAYS": NAMES, "Settings.claim_days": NAMES},
    "wire/message.py": {"Message.at": STAMPS},
    "wire/frames.py": {
        "INVITATION_SECONDS": INVITATIONS,
        "Invite.seconds": INVITATIONS,
        "Invitation.expires": INVITATIONS,
        "Moderate.seconds": MODERATION,
        "Chat.at": STAMPS,
        "DeviceLink.seconds": DEVICES,
    },
    "commands/operator_socket.py": {"TIMEOUT_SECONDS": CLIENTS},
    "commands/doctor_steps.py": {"CLOCK_SECONDS": CLIENTS},
    "commands/doctor_cluster.py": {"BEHIND_SECONDS": CLIENTS},
    "commands/history.py": {"LOOK_AGAIN_SECONDS": CLIENTS},
    "commands/probes.py": {"SECONDS": CLIENTS},
    "remote/backoff.py": dict.fromkeys(
        ("FIRST_WAIT_SECONDS", "LONGEST_WAIT_SECONDS", "LONGEST_HOLD_SECONDS", "SHORTEST_HOLD_SECONDS"),
        CLIENTS,
    ),
    "remote/transport/__init__.py": {"HANDSHAKE_SECONDS": CLIENTS, "CLOSE_SECONDS": CLIENTS},
    "remote/outgoing_requests.py": {"LIST_SECONDS": CLIENTS, "REQUEST_SECONDS": CLIENTS},
    "remote/pending_joins.py": dict.fromkeys(("ANSWER_SECONDS", "LONGEST_ANSWER_SECONDS"), CLIENTS),
    "remote/room/events.py": {"Away.retry_in": CLIENTS},
    "remote/room/read_mark.py": {"SEND_SECONDS": CLIENTS},
    "terminal/ui/input_line.py": {"REDRAW_SECONDS": CLIENTS},
    "terminal/ui/output.py": {"REST_SECONDS": CLIENTS},
    "terminal/room_view.py": {"TYPING_SHOWN_SECONDS": CLIENTS},
    "terminal/session/direct_room_watcher.py": {"JOIN_SECONDS": CLIENTS},
    "terminal/session/session.py": {"SAVE_SECONDS": CLIENTS},
    "terminal/session/typed_lines.py": dict.fromkeys(
        ("ANSWER_SECONDS", "LAST_POSTS_SECONDS", "TYPING_SENT_SECONDS"), CLIENTS
    ),
}
"""Each constant that is a duration, and each field that is one or ends one, by its module."""

WALL: Final = {
    "serve/clock.py": {STAMPS},
    "serve/chat/sequencer.py": {STAMPS},
    "serve/cluster/order/sequencer.py": {STAMPS},
    "serve/chat/room_list.py": {MODERATION, INVITATIONS},
    "serve/chat/subscriptions.py": {MODERATION},
    "serve/people/sessions.py": {STAMPS},
    "serve/session/acts_of_others.py": {MODERATION},
    "serve/session/admission.py": {MODERATION, INVITATIONS},
    "serve/session/chat_session.py": {MODERATION},
    "serve/session/moderation.py": {MODERATION, INVITATIONS},
    "serve/session/post.py": {MODERATION},
    "serve/session/requests.py": {INVITATIONS, MODERATION},
    "serve/banner.py": {STAMPS},
    "serve/directory/lapses.py": {NAMES},
    "serve/directory/directory.py": {NAMES, INVITATIONS, MODERATION},
    "serve/cluster/jetstream/consumer.py": {STAMPS},  # a node shows its clock to `besedka doctor --cluster`
    "serve/cluster/health.py": {STAMPS},  # which compares the clocks
    "commands/doctor_steps.py": {STAMPS},  # `besedka doctor` compares the clocks
}
"""Which modules ask the wall clock, and for what. The history asks it for the names of the files in which it keeps what it cut off."""

PLACES: Final = {"Entry.damaged_at"}
"""Fields that are called like moments, and are places in a file."""

DURATION = re.compile(r"(^|_)(SECONDS|DAYS|HOURS|MINUTES|MS)(_|$)")
FIELD = re.compile(r"(^|_)(seconds|days|until|expires|at|wait|retry_in)$")
ASKS_WALL_CLOCK = re.compile(
    r"(^|\.)(time\.(time|time_ns|strftime|localtime|gmtime)|_?clock|wall|datetime\.(now|utcnow|today)|date\.today)$"
)
WAITS = re.compile(r"(^|\.)(sleep|call_later|timeout|wait_for|settimeout)$")


@cache
def modules() -> list[tuple[str, ast.Module]]:
    return [
        (str(path.relative_to(ROOT / "besedka")), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted((ROOT / "besedka").rglob("*.py"))
        if "v1" not in path.parts
    ]


def assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr | None]]:
    for one in body:
        match one:
            case ast.AnnAssign(target=ast.Name(id=name), value=value):
                yield name, value
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case _:
                pass


def is_number(value: ast.expr | None) -> bool:
    return value is not None and all(
        isinstance(one, ast.Constant | ast.BinOp | ast.operator | ast.Tuple | ast.Load)
        for one in ast.walk(value)
    )


def durations(tree: ast.Module) -> set[str]:
    constants = {name for name, value in assigned(tree.body) if DURATION.search(name) and is_number(value)}
    classes = [one for one in tree.body if isinstance(one, ast.ClassDef)]
    fields = {f"{one.name}.{name}" for one in classes for name, _ in assigned(one.body) if FIELD.search(name)}
    return (constants | fields) - PLACES


def calls(tree: ast.Module) -> Iterator[tuple[str, list[ast.expr]]]:
    for one in ast.walk(tree):
        if isinstance(one, ast.Call):
            yield ast.unparse(one.func), one.args


def rows() -> dict[str, list[str]]:
    table = PAGE.partition("## Clocks")[2].partition("\n## ")[0]
    cells = [line.strip("|").split("|") for line in table.split("\n") if line.startswith("| ")]
    return {what.strip(): [cell.strip() for cell in rest] for what, *rest in cells[1:]}


def test_each_duration_of_the_code_has_a_row_that_says_by_which_clock_it_goes() -> None:
    found = {name: durations(tree) for name, tree in modules()}
    assert {name: those for name, those in found.items() if those} == {
        name: {*those} for name, those in DURATIONS.items()
    }
    named = {row for those in DURATIONS.values() for row in those.values()}
    assert named <= {*rows()}


def test_each_row_says_what_a_jump_does_and_is_proved() -> None:
    assert {*rows()} == {*PROVED}
    for what, said in rows().items():
        assert len(said) == 3, what
        assert all(said), what
        path, _, name = PROVED[what].partition(": ")
        assert name in (ROOT / path).read_text(encoding="utf-8"), what


def test_the_wall_clock_is_asked_only_where_a_row_says_so() -> None:
    asking = {
        name for name, tree in modules() if any(ASKS_WALL_CLOCK.search(call) for call, _ in calls(tree))
    }
    assert {name for name in asking if not name.startswith("serve/history/")} == {*WALL}
    by_wall_clock = {what for what, said in rows().items() if said[0].startswith("wall clock")}
    assert {row for those in WALL.values() for row in those} == by_wall_clock - {CERTIFICATES}


def test_nothing_waits_for_a_number_without_a_name() -> None:
    for name, tree in modules():
        for call, arguments in calls(tree):
            if WAITS.search(call) and arguments:
                assert not (is_number(arguments[0]) and ast.unparse(arguments[0]) != "0"), (name, call)


def test_the_page_asks_the_wall_clock_only_where_no_other_will_do() -> None:
    asking = {
        str(path.relative_to(ROOT / "besedka" / "client")): path.read_text(encoding="utf-8").count(
            "Date.now()"
        )
        for path in (ROOT / "besedka" / "client").rglob("*.js")
    }
    # The day of a notice; the order of what was said in several tabs; which copies are the oldest; whether the machine has slept; a name where there is no better chance.
    assert {name: count for name, count in asking.items() if count} == {
        "chat.js": 1,
        "chat/app/persistence.js": 1,
        "chat/copies/copies.js": 1,
        "chat/socket.js": 3,
        "chat/storage.js": 1,
    }
