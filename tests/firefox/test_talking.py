"""Stories of people who talk in Firefox: first visits, reconnects, several rooms."""

from __future__ import annotations

from tests.firefox.bidi import Firefox
from tests.firefox.conftest import (
    Visit,
    come_in,
    delivered,
    go,
    hidden,
    receives_focus,
    say,
    settled,
    shown,
    texts,
)
from tests.running import RunningServer
from tests.talking import WireClient


def test_a_first_visitor_gives_a_name_and_says_something_that_is_in_the_log(
    server: RunningServer, visit: Visit
) -> None:
    tab = visit(server.page)
    come_in(tab, "Anna")
    receives_focus(tab, "#say-text")
    tab.type("hello, **world**")
    tab.press("Enter")
    delivered(tab, "hello, world")
    assert server.lines[-1].endswith("] Anna: hello, **world**")
    assert tab.call("() => document.getElementById('say-text').value") == ""
    assert tab.call("() => document.querySelector('.own .text strong, .own .text b').textContent") == "world"


def test_two_people_talk(server: RunningServer, visit: Visit) -> None:
    anna, boris = visit(server.page), visit(server.page)
    come_in(anna, "Anna")
    come_in(boris, "Boris")
    say(anna, "good morning")
    delivered(boris, "good morning")
    boris.click("#say-text")
    boris.type("And ")
    shown(anna, "#hint", "Boris")
    boris.type("to you")
    boris.press("Enter")
    delivered(anna, "And to you")
    assert texts(anna) == texts(boris) == ["good morning", "And to you"]
    assert texts(anna, ".message:not(.own) .name") == ["Boris"]
    shown(anna, "#people", "2")


def test_a_reload_keeps_the_visitor_in_and_what_they_were_writing(
    server: RunningServer, visit: Visit
) -> None:
    tab = visit(f"{server.page}#dev")
    come_in(tab, "Anna")
    say(tab, "before")
    delivered(tab, "before")
    tab.type("half a thought")
    tab.reload()
    settled(tab)
    delivered(tab, "before")
    assert tab.call("() => document.getElementById('say-text').value") == "half a thought"
    shown(tab, "#me", "Anna")
    shown(tab, "#room", "dev")


def test_messages_written_while_the_server_restarts_are_sent_once_and_in_order(
    server: RunningServer, visit: Visit
) -> None:
    tab = visit(server.page)
    come_in(tab, "Anna")
    say(tab, "before")
    delivered(tab, "before")
    server.stop()
    written = [f"written offline {number}" for number in range(3)]
    for text in written:
        say(tab, text)
        shown(tab, ".waiting .text", text)
    server.start()
    tab.call("() => void dispatchEvent(new Event('online'))")
    delivered(tab, written[-1])
    hidden(tab, ".waiting")
    assert texts(tab) == ["before", *written]
    assert [line.rsplit(": ", 1)[1] for line in server.lines] == ["before", *written]


def test_a_known_visitor_opens_the_page_without_a_server_and_what_they_write_is_sent_later(
    server: RunningServer, visit: Visit
) -> None:
    tab = visit(server.page)
    come_in(tab, "Anna")
    tab.call("async () => void (await navigator.serviceWorker.ready)")
    tab.wait_for("() => Boolean(navigator.serviceWorker.controller)")
    server.stop()
    tab.reload()
    settled(tab)
    say(tab, "written without a server")
    shown(tab, ".waiting .text", "written without a server")
    say(tab, "/help")
    shown(tab, "dialog[open].help")
    tab.press("Escape")
    server.start()
    tab.call("() => void dispatchEvent(new Event('online'))")
    delivered(tab, "written without a server")
    assert [line.rsplit(": ", 1)[1] for line in server.lines] == ["written without a server"]


def test_unread_messages_have_a_badge_and_a_line_above_the_first(server: RunningServer, visit: Visit) -> None:
    tab = visit(server.page)
    come_in(tab, "Anna")
    with WireClient(server) as boris:
        boris.join("Boris")
        boris.send_frame("chat", text="read")
        delivered(tab, "read")
        go(tab, "other")
        for number in range(20):
            boris.send_frame("chat", text=f"unread {number}")
        boris.send_frame("chat", text="@Anna, look here")
        shown(tab, "#rooms [data-room=main] .count", "@ 21")
        tab.wait_for("() => document.title === '(21) # other · Besedka'")
        tab.click("#rooms [data-room=main] a")
        shown(tab, ".fresh + .message .text", "unread 0")
        tab.click("#newer")
        hidden(tab, "#rooms [data-room=main] .count")
        delivered(tab, "look here")


def test_two_tabs_of_one_person_share_their_name_and_what_is_read(
    server: RunningServer, firefox: Firefox, visit: Visit
) -> None:
    person = firefox.person()
    one = visit(server.page, person=person)
    come_in(one, "Anna")
    go(one, "other")
    other = visit(f"{server.page}#other", person=person)
    settled(other)
    with WireClient(server) as boris:
        boris.join("Boris")
        boris.send_frame("chat", text="for both")
        for tab in (one, other):
            shown(tab, "#rooms [data-room=main] .count", "1")
        one.click("#rooms [data-room=main] a")
        for tab in (one, other):
            hidden(tab, "#rooms [data-room=main] .count")
    shown(other, "#me", "Anna")
    firefox.forget(person)
