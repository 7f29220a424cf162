"""The page's pure modules, run in the browser: what Python and JavaScript must agree on, and the state's steps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit
from tests.running import RunningServer

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "lines.json").read_text(encoding="utf-8"))


@pytest.fixture
def page(server: RunningServer, visit: Visit) -> Page:
    """A page whose modules can be imported."""
    return visit(server.page)


def test_log_lines_are_read_as_python_reads_them(page: Page) -> None:
    read = (
        "async raws => { const { readLine } = await import('/chat/protocol.js'); return raws.map(readLine); }"
    )
    lines = page.evaluate(read, [vector["raw"] for vector in VECTORS])
    expected = [{key: vector[key] for key in ("user", "text", "day", "time")} for vector in VECTORS]
    assert lines == expected


def test_both_languages_have_the_same_words(page: Page) -> None:
    names = """async () => {
        const { en } = await import('/chat/language/en.js');
        const { ru } = await import('/chat/language/ru.js');
        const shape = (words) => Object.entries(words).map(([key, value]) => [key, typeof value]).sort();
        return [shape(en), shape(ru), shape(en.refusals), shape(ru.refusals)];
    }"""
    english, russian, english_refusals, russian_refusals = page.evaluate(names)
    assert english == russian
    assert english_refusals == russian_refusals


@pytest.mark.parametrize(
    ("location", "urls"),
    [
        ("http://localhost:8765/", ["ws://localhost:8765/ws", "ws://localhost:8765/ws"]),
        ("http://lab:8080/#dev", ["ws://lab:8080/ws", "ws://lab:8765/ws"]),
        ("https://chat.example/talk/", ["wss://chat.example/talk/ws", "wss://chat.example:8765/ws"]),
    ],
)
def test_the_chat_is_looked_for_beside_the_page_then_on_its_own_port(
    page: Page, location: str, urls: list[str]
) -> None:
    find = "async href => (await import('/chat/protocol.js')).socketUrls(new URL(href))"
    assert page.evaluate(find, location) == urls


STEPS = """async events => {
    const { begin, step } = await import('/chat/state.js');
    const welcome = { type: 'welcome', room: 'main', user: 'Anna', head: 0, epoch: '', clients_count: 1,
        users: ['Anna'], limits: { name: 32, room: 32, text: 5000, frame: 65536 }, utc_offset: 0 };
    const all = [
        { type: 'start', name: '' }, { type: 'enter', name: 'Anna', secret: 's' }, { type: 'open' },
        { type: 'frame', frame: welcome, now: 0 }, ...events,
    ];
    let state = begin();
    const sent = [];
    const later = [];
    for (const event of all) {
        const [next, effects] = step(state, event);
        state = next;
        sent.push(...effects.filter((effect) => effect.do === 'send').map((effect) => effect.frame));
        later.push(...effects.filter((effect) => effect.do === 'later'));
    }
    const rows = state.rows.map(({ kind, id, text, status, old }) => ({ kind, id, text, status, old }));
    const { lastId, users, count } = state;
    return { rows, sent, later, lastId, users, count, waiting: state.outbox.length };
}"""


def chat(number: int, text: str, key: str = "", user: str = "Boris") -> dict[str, object]:
    frame = {
        "type": "chat",
        "room": "main",
        "id": number,
        "user": user,
        "text": text,
        "timestamp": "12:00:00",
    }
    return {"type": "frame", "frame": {**frame, "at": 1_700_000_000, "key": key}, "now": 0}


def test_a_message_is_shown_once_whether_it_comes_live_or_by_history(page: Page) -> None:
    history = {
        "type": "history",
        "room": "main",
        "first": 1,
        "messages": ["[2025-01-01 10:00:00] Boris: a"] * 3,
    }
    events = [
        chat(1, "a"),
        chat(2, "a"),
        {"type": "frame", "frame": history, "now": 0},
        chat(3, "a"),
        chat(4, "b"),
    ]
    state = page.evaluate(STEPS, events)
    assert [row["id"] for row in state["rows"]] == [1, 2, 3, 4]


def test_what_waits_stays_behind_what_was_told_and_is_said_again_after_a_reconnect(page: Page) -> None:
    welcome = {"type": "welcome", "room": "main", "user": "Anna", "head": 1, "epoch": "e", "clients_count": 1}
    again = {**welcome, "users": ["Anna"], "limits": {"name": 32, "text": 5000}, "utc_offset": 0}
    events = [
        {"type": "say", "text": "mine", "key": "k1"},
        chat(1, "theirs"),
        {"type": "closed", "retryIn": 1},
        {"type": "say", "text": "mine too", "key": "k2"},
        {"type": "open"},
        {"type": "say", "text": "before the welcome", "key": "k3"},
        {"type": "frame", "frame": again, "now": 0},
    ]
    state = page.evaluate(STEPS, events)
    assert [row["text"] for row in state["rows"]] == ["theirs", "mine", "mine too", "before the welcome"]
    joins = [frame for frame in state["sent"] if frame["type"] == "join"]
    assert "since" not in joins[0]
    assert joins[1]["since"] == 1
    said = [(frame["key"], frame.get("after")) for frame in state["sent"] if frame["type"] == "chat"]
    # Only what was on its way may have been stored.
    assert said == [("k1", None), ("k1", 0), ("k2", None), ("k3", None)]


def test_hearing_ones_own_message_clears_it_from_the_outbox(page: Page) -> None:
    events = [{"type": "say", "text": "mine", "key": "k1"}, chat(1, "mine", key="k1", user="Anna")]
    state = page.evaluate(STEPS, events)
    assert [(row["id"], row["status"]) for row in state["rows"]] == [(1, "told")]
    assert state["waiting"] == 0


def test_hearing_it_by_a_page_clears_it_too(page: Page) -> None:
    lines = ["[2025-01-01 10:00:00] Anna: mine"]
    history = {"type": "history", "room": "main", "first": 1, "messages": lines, "keys": {"1": "k1"}}
    events = [{"type": "say", "text": "mine", "key": "k1"}, {"type": "frame", "frame": history, "now": 0}]
    state = page.evaluate(STEPS, events)
    assert [(row["id"], row["status"]) for row in state["rows"]] == [(1, "told")]
    assert state["waiting"] == 0


def test_a_refused_message_stays_visible_as_failed(page: Page) -> None:
    error = {"type": "error", "code": "storage_full", "text": "full", "timestamp": "12:00:00", "key": "k1"}
    events = [{"type": "say", "text": "mine", "key": "k1"}, {"type": "frame", "frame": error, "now": 0}]
    state = page.evaluate(STEPS, events)
    assert [(row["text"], row["status"]) for row in state["rows"]] == [("mine", "failed")]
    assert state["waiting"] == 0


def test_what_was_said_too_fast_waits_and_is_said_again_in_order(page: Page) -> None:
    def too_fast(key: str) -> dict[str, object]:
        error = {
            "type": "error",
            "code": "too_fast",
            "text": "",
            "timestamp": "",
            "key": key,
            "retry_after": 1.5,
        }
        return {"type": "frame", "frame": error, "now": 0}

    events = [
        {"type": "say", "text": "one", "key": "k1"},
        {"type": "say", "text": "two", "key": "k2"},
        too_fast("k1"),
        {"type": "say", "text": "three", "key": "k3"},
        too_fast("k2"),
        {"type": "sayAgain"},
        {"type": "sayAgain"},
    ]
    state = page.evaluate(STEPS, events)
    said = [frame["key"] for frame in state["sent"] if frame["type"] == "chat"]
    assert said == ["k1", "k2", "k1", "k2", "k3"]
    assert [effect["seconds"] for effect in state["later"]] == [1.5]
    assert [row["status"] for row in state["rows"]] == ["waiting"] * 3


def test_who_is_here_is_known_after_a_time_of_reading_on(page: Page) -> None:
    system = {
        "type": "system",
        "room": "main",
        "user": "System",
        "text": "In the chat now: 2",
        "timestamp": "",
    }
    frame = {**system, "clients_count": 2, "joined": [], "left": [], "users": ["Anna", "Clara"]}
    state = page.evaluate(STEPS, [{"type": "frame", "frame": frame, "now": 0}])
    assert (state["users"], state["count"], state["rows"]) == (["Anna", "Clara"], 2, [])


def test_a_very_long_talk_keeps_a_bounded_number_of_rows(page: Page) -> None:
    state = page.evaluate(STEPS, [chat(number, "x") for number in range(1, 3001)])
    assert len(state["rows"]) <= 1000
    assert state["rows"][-1]["id"] == 3000
