"""Rooms that one is not in, watched by the client library over all ways."""

from __future__ import annotations

import asyncio

from besedka.remote import connect
from besedka.remote.address import address
from besedka.remote.watch import Stir, Watch
from tests.remote.test_client_library import run
from tests.running import RunningServer

ANNA, BORIS = "a" * 64, "b" * 64


def test_what_is_new_in_ones_rooms_is_told_without_being_seen_there(
    chat_server: RunningServer, url: str
) -> None:
    async def scenario() -> None:
        watch = Watch(address(url).url, ANNA)
        stirs = watch.stirs()
        async with connect(url, "Anna", secret=ANNA), connect(url, "Boris", secret=BORIS) as boris:
            room = await boris.direct("Anna")
            async with connect(url, "Boris", room, secret=BORIS) as his:
                await his.say("one")
                _, epoch = his.cursor
                watch.begin(room, (1, epoch))
                waiting = asyncio.ensure_future(anext(stirs))
                watch.begin("main")  # where nothing was ever said
                await asyncio.sleep(0.3)
                assert not waiting.done()
                await his.say("two")
                assert await waiting == Stir(room, "Boris")
                assert (his.people, his.clients_count) == (["Boris"], 1)
                watch.end(room)
                await his.say("three")
                watch.begin(room, (2, epoch))
                assert await anext(stirs) == Stir(room)
            # What is said while it cannot be heard is told when it can again.
            await asyncio.to_thread(chat_server.stop)
            waiting = asyncio.ensure_future(anext(stirs))
            await asyncio.to_thread(chat_server.start)
            async with connect(url, "Boris", room, secret=BORIS) as his:
                await his.say("four")
                assert (await waiting).room == room
        await stirs.aclose()

    run(scenario)


def test_another_log_is_new_from_its_first_message_on(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", secret=ANNA) as anna:
            await anna.say("one")
            for cursor, is_new in (((1, "another"), True), ((1, anna.cursor[1]), False), ((0, ""), True)):
                watch = Watch(address(url).url, ANNA)
                watch.begin("main", cursor)
                stirs = watch.stirs()
                waiting = asyncio.ensure_future(anext(stirs))
                done, _ = await asyncio.wait([waiting], timeout=5 if is_new else 0.3)
                assert bool(done) is is_new
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
                await stirs.aclose()

    run(scenario)


def test_a_room_that_is_not_ours_is_not_told_of_and_hinders_no_other(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Boris", secret=BORIS) as boris:
            room = await boris.private("plans")
            async with connect(url, "Boris", room, secret=BORIS) as his:
                await his.say("not for Anna")
                await boris.say("for all")
            watch = Watch(address(url).url, ANNA)
            watch.begin(room)
            watch.begin("main")
            stirs = watch.stirs()
            assert await anext(stirs) == Stir("main")
            await boris.say("and more")
            assert await anext(stirs) == Stir("main", "Boris")
            await stirs.aclose()

    run(scenario)
