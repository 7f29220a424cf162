"""A talk at a terminal: the rooms that one is in, an input line that stays whole, and what is printed above it."""

from __future__ import annotations

import asyncio
import getpass
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from typing import Final

from prompt_toolkit.application import get_app, get_app_session
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import is_dumb_terminal

from besedka.home import remember_key
from besedka.qr import qr_lines
from besedka.remote.address import Address
from besedka.remote.connection import SAID_AGAIN, Connection
from besedka.remote.errors import ACCESS_ENDINGS, JoinRefused, RemoteError, SayRefused
from besedka.remote.events import Away, Event, Heard, Reset
from besedka.terminal import bar, screen
from besedka.terminal.commands import Mistake, Order, Words, read
from besedka.terminal.completion import Endings
from besedka.terminal.input_line import InputLine
from besedka.terminal.keeping import Keeping
from besedka.terminal.paper import Paper
from besedka.terminal.phrases import Phrases
from besedka.terminal.place import Place, State
from besedka.wire.line import MessageId
from besedka.wire.names import clean_text
from besedka.wire.refusals import Code, Refused
from besedka.wire.words import Error, Kind, Redacted, System, Welcome
from besedka.wire.words import Place as PlaceWord

KEEP_SECONDS: Final = 1.0
"""What waits for longer than this is on disk."""

ANSWER_SECONDS: Final = 30.0
"""How long a command waits for the server."""

LAST_WORDS_SECONDS: Final = 1.0
"""How long one who leaves waits for what was said last to be stored."""

TYPING_SECONDS: Final = 2.0
"""The others are told so often that one types."""

ANOTHER_NAME: Final = frozenset({Code.NAME_TAKEN, Code.NAME_CLAIMED, Code.NAME_RESERVED, Code.BAD_NAME})
"""Refusals that another name helps against."""

OUT: Final = frozenset({*ACCESS_ENDINGS.values(), Code.NAME_CLAIMED})
"""Why one is out of the whole chat, and not of one room only."""


class Bell(Enum):
    """When to ring."""

    OFF = "off"
    ON = "on"
    ALL = "all"


Act = Callable[["Talk", str], Awaitable[None]]
"""What a command does; it is given what was typed behind it."""


class Talk:
    """One terminal, from coming to leaving.

    Args:
        there: the chat, and the room to begin in.
        secret: shows that several programs are the same person; for each name.
        bell: when to ring.
        color_depth: how many colours there may be; None: as many as the terminal has.
        words: the language.
        acts: what the commands do, by their names.

    Attributes:
        there: the chat.
        secret: as it was given.
        places: the rooms that one is in, by name; the last one was looked at last.
        current: the one that is looked at.
        line: where one types.
        paper: what is printed on.
        known_rooms: the names of rooms that were heard of.
        known_talks: the names of the rooms of direct talks that were heard of, by the person they are with.
    """

    def __init__(
        self,
        there: Address,
        *,
        secret: Callable[[str], str],
        bell: Bell,
        color_depth: ColorDepth | None,
        words: Phrases,
        acts: Mapping[str, Act],
    ) -> None:
        self.places: dict[str, Place] = {}
        self.current: Place
        self.known_rooms: set[str] = {there.room}
        self.known_talks: dict[str, str] = {}
        self.there = there
        self.bell = bell
        self.words = words
        self.secret = secret
        self._acts = acts
        self._typing_told_at = 0.0
        self._away: set[Place] = set()
        self._unread_is_due = False
        self._failure: BaseException | None = None
        self._speakers: dict[str, None] = {}
        self._own_names: set[str] = set()
        self._unsettled: set[asyncio.Future[MessageId]] = set()
        self._questions: asyncio.Queue[Order] = asyncio.Queue()
        self._asking = ""
        self._coming: dict[str, asyncio.Task[None]] = {}
        style = Style.from_dict(screen.STYLES)
        is_dumb = is_dumb_terminal()
        self._is_coloured = not is_dumb and color_depth is not ColorDepth.DEPTH_1_BIT
        self.paper = Paper(
            get_app_session().output, style, color_depth, (lambda: self.line.shown) if is_dumb else None
        )
        self._keeping = Keeping(lambda why: self.problem(words.not_kept.format(why=why)))
        self.line = InputLine(
            bar=self._bar,
            completer=Endings(self._names, self._rooms, lambda: self.current.may),
            history=self._keeping.history(),
            style=style,
            color_depth=color_depth,
            changed=self._tell_typing,
            look=self._look,
        )

    # From coming to leaving.

    async def run(self, name: str | None) -> None:
        """Come in, talk, leave."""
        printing = asyncio.ensure_future(self.paper.run())
        try:
            self.go(await self._come(name))
            await self._talk()
        except EOFError:
            pass  # no name was given
        finally:
            printing.cancel()
            await asyncio.gather(printing, return_exceptions=True)
            await self._leave()
        if self._failure:
            raise self._failure

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self._hang_up)
        parts = (self.line.run(), self._obey(), self._ask(), self._keep())
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def enter(
        self, room: str, user: str, *, instead_of: Place | None = None, invite: str = ""
    ) -> Place:
        """Enter a room, perhaps by an invitation; or, under another name, the one that one is in.

        Raises:
            ConnectionFailed: if there is no chat.
            JoinRefused: if one is not let in.
        """
        unsent = self._keeping.unsent(self.there.url, room, user)
        left = unsent.left if unsent else []
        since, epoch = instead_of.connection.cursor if instead_of else (None, "")
        connection = Connection(
            self.there.url,
            user,
            room,
            secret=self.secret(user),
            since=since,
            epoch=epoch,
            invite=invite,
            key=self.there.key,
            unsent=left,
        )
        place = Place(connection, unsent, room, self._tell, self.paper.room)
        is_new_name = user not in self._own_names
        # Others are told of us before we are told that we are in.
        self._own_names.add(user)
        try:
            await place.joined()
        except BaseException:
            if is_new_name:
                self._own_names.discard(user)
            await place.leave()
            raise
        self.know(place.room, place.kind, place.peer)
        self._own_names.add(place.me)
        place.ended.add_done_callback(lambda _: self._lost(place))
        if left:
            self.remark(self.words.kept.format(n=len(left)))
        if unsent and unsent.is_damaged:
            self.problem(self.words.kept_damaged.format(path=unsent.damaged))
        return place

    def go(self, place: Place) -> None:
        """Look at a room; what came meanwhile is shown."""
        is_new = place.room not in self.places
        self.places.pop(place.room, None)
        self.places[place.room] = self.current = place
        self._unread_is_due = False
        if is_new:
            welcome = self._welcome(place)
            self.remark(welcome if len(self.places) > 1 else f"{welcome} {self.words.how}")
        else:
            self.paper.put(screen.rule(place.title))
        gone, missed = place.catch_up()
        if missed and not is_new:
            self.paper.put(screen.rule(self.words.unread))
        if gone:
            self.remark(self.words.missed.format(n=gone))
        self.show(place, missed)
        self.line.refresh()

    async def rename(self, place: Place, name: str) -> None:
        """Be in a room under another name: come in anew, and let the old one go.

        Raises:
            ConnectionFailed: if there is no chat.
            JoinRefused: if one is not let in; one stays under the old name.
        """
        fresh = await self.enter(place.room, name, instead_of=place)
        fresh.take_over(place)
        self.places[place.room] = fresh
        if place is self.current:
            self.current = fresh
            self.show(fresh, fresh.catch_up()[1])
        await place.leave()

    async def forget(self, place: Place) -> None:
        """Leave a room; if it is looked at, go back to the one before."""
        self._let_go(place)
        await place.leave()

    def _let_go(self, place: Place) -> None:
        del self.places[place.room]
        if place is self.current:
            self.go([*self.places.values()][-1])

    async def _come(self, name: str | None) -> Place:
        while True:
            name = name or await self._ask_name()
            try:
                place = await self.enter(self.there.room, name, invite=self.there.invite)
            except JoinRefused as refusal:
                if refusal.code not in ANOTHER_NAME:
                    raise
                self.refused(refusal)
                await self.paper.print_all()
                name = None
            else:
                if self.there.key:
                    remember_key(self.there.url, self.there.key)
                return place

    async def _ask_name(self) -> str:
        while True:
            if name := await self.line.ask(self.words.your_name, _login()):
                return name

    async def _leave(self) -> None:
        # What was typed behind a command that was still at work is said, too.
        while self.places and not self.line.typed.empty():
            line = self.line.typed.get_nowait().rstrip()
            if isinstance(words := read(line), Words):
                self.say(words.text, line)
        if self._unsettled and self.current not in self._away:
            await asyncio.wait(self._unsettled, timeout=LAST_WORDS_SECONDS)
        for coming in self._coming.values():
            coming.cancel()
        await asyncio.gather(*self._coming.values(), return_exceptions=True)
        await asyncio.gather(*(place.leave() for place in self.places.values()))
        if (count := self.waiting) and self._keeping.can_keep:
            self.remark(self.words.waits.format(n=count))
        await self.paper.print_all()

    def _hang_up(self) -> None:
        """The window is closed, or the machine goes down."""
        self._keeping.keep(self.places.values())
        self.line.end()

    def _lost(self, place: Place) -> None:
        """The server does not want us back in a room."""
        error = None if place.ended.cancelled() else place.ended.exception()
        if error is None or self.places.get(place.room) is not place:
            return
        if len(self.places) == 1 or getattr(error, "code", "") in OUT:
            self._failure = self._failure or error
            self.line.end()
            return
        code = getattr(error, "code", "")
        if code == Code.NOT_INVITED:
            self.problem(self.words.put_out.format(room=place.room))
        else:
            self.problem(f"{place.title}: {self.words.refusals.get(code, str(error))}")
        place.close()
        self._let_go(place)

    # What is typed.

    async def _obey(self) -> None:
        while True:
            line = (await self.line.typed.get()).rstrip()
            match read(line):
                case Words(text):
                    self.say(text, line)
                case Order(command) as order if command.asks:
                    self._questions.put_nowait(order)
                case Order() as order:
                    await self._carry_out(order)
                case Mistake() as mistake:
                    self._explain(mistake)
                case None:
                    pass

    async def _ask(self) -> None:
        """Questions are asked one behind the other; what is said meanwhile does not wait for answers."""
        while True:
            await self._carry_out(await self._questions.get())

    async def _carry_out(self, order: Order) -> None:
        self._asking = f"/{order.command.name}"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._acts[order.command.name](self, order.argument)
        except TimeoutError:
            self.problem(self.words.no_answer.format(command=self._asking))
        except RemoteError as error:
            self.refused(error)
        finally:
            self._asking = ""
            self.line.refresh()

    def _explain(self, mistake: Mistake) -> None:
        command = mistake.command
        if command is None:
            phrase = self.words.near_command if mistake.near else self.words.unknown_command
            self.problem(phrase.format(command=mistake.word, near=mistake.near))
        else:
            phrase = self.words.lacks if command.usage else self.words.too_much
            self.problem(phrase.format(command=command.name, usage=self.words.behind(command)))

    def say(self, text: str, typed: str) -> None:
        """Say something in the room that is looked at; what was typed is given back if it is not taken."""
        place = self.current
        try:
            said = place.connection.say(clean_text(text))
        except Refused as refusal:
            self.refuse(refusal)
            self._give_back(typed)
        else:
            self._unsettled.add(said)
            said.add_done_callback(lambda said: self._said(said, typed))
            self.line.refresh()

    def _said(self, said: asyncio.Future[MessageId], typed: str) -> None:
        self._unsettled.discard(said)
        if not said.cancelled() and isinstance(said.exception(), SayRefused):
            self._give_back(typed)

    def _give_back(self, typed: str) -> None:
        """What was not taken is not lost: it is in the line again, or, if something else is, above it."""
        if not self.line.give_back(typed):
            self.problem(self.words.not_sent.format(text=typed))

    def _tell_typing(self, text: str) -> None:
        now = asyncio.get_running_loop().time()
        if not text or text.startswith("/") or now - self._typing_told_at < TYPING_SECONDS:
            return
        self._typing_told_at = now
        get_app().create_background_task(self.current.connection.typing())

    # What happens.

    def _tell(self, place: Place, event: Event) -> None:
        match event:
            case Heard():
                self._hear(place, event)
            case Away():
                self._went_away(place)
            case Welcome() if place in self._away:
                self._came_back(place)
            case System() if self._is_looked_at(place):
                if notice := screen.notice(event, self._own_names, self.words):
                    self.paper.put(notice)
            case Error() if event.code not in SAID_AGAIN:
                self.problem(self.words.refusals.get(event.code, event.text))
            case Redacted():
                self._redacted(place, event)
            case PlaceWord() if event.room not in self.places and event.room not in self._coming:
                self._coming[event.room] = asyncio.ensure_future(self._come_to(event))
            case Reset() if self._is_looked_at(place):
                self.remark(self.words.reset)
            case _:
                pass
        self.line.refresh()

    def _went_away(self, place: Place) -> None:
        # Elsewhere the bar tells it.
        if self.line.is_dumb and place not in self._away:
            self.remark(self.words.away_now)
        self._away.add(place)

    def _came_back(self, place: Place) -> None:
        self._away.discard(place)
        if self._is_looked_at(place):
            self.remark(self.words.back)

    def _hear(self, place: Place, heard: Heard) -> None:
        if place.room not in self.places or self.places[place.room] is not place:
            place.miss(heard)  # on the way in
            return
        is_own = heard.user == place.me
        self._speakers.pop(heard.user, None)
        self._speakers[heard.user] = None
        if place is not self.current:
            place.miss(heard)
        else:
            if self._unread_is_due and not is_own:
                self._unread_is_due = False
                self.paper.put(screen.rule(self.words.unread))
            self.show(place, [heard])
        is_called = place.calls(heard)
        if not (is_own or heard.is_old) and (self.bell is Bell.ALL or (self.bell is Bell.ON and is_called)):
            self.paper.ring()

    def _redacted(self, place: Place, event: Redacted) -> None:
        speaker = place.shown_speaker(event.id)
        # What was not shown yet, or is not known any more, is shown as it is now.
        if speaker or place.may_moderate:
            phrase = self.words.redacted if speaker else self.words.redacted_unknown
            notice = phrase.format(id=event.id, user=speaker)
            self.remark(notice if self._is_looked_at(place) else f"{place.title}: {notice}")

    async def _come_to(self, begun: PlaceWord) -> None:
        """Somebody begins to talk with us alone: be there, and tell it."""
        try:
            place = await self.enter(begun.room, self.current.me)
        except RemoteError as error:
            self.refused(error)
            return
        finally:
            del self._coming[begun.room]
        if place.room in self.places:
            await place.leave()  # one has gone there meanwhile
            return
        self.places = {place.room: place, **self.places}
        self.remark(self.words.direct_began.format(peer=place.peer))
        if self.bell is not Bell.OFF:
            self.paper.ring()
        self.line.refresh()

    def is_in(self) -> bool:
        """Whether there is a connection to the room that is looked at; if not, it is told."""
        if self.current.state is not State.IN:
            self.problem(self.words.not_now)
        return self.current.state is State.IN

    def _is_looked_at(self, place: Place) -> bool:
        return bool(self.places) and place is self.current

    def _look(self, is_here: bool) -> None:
        self._unread_is_due = not is_here

    # What is shown.

    @property
    def waiting(self) -> int:
        """How many messages wait to be sent, in all rooms."""
        return sum(place.connection.waiting for place in self.places.values())

    def show(self, place: Place, messages: Sequence[Heard]) -> None:
        """Show messages of a room, behind those that were shown."""
        for heard in messages:
            if heard.stamp[:10] != place.day:
                place.day = heard.stamp[:10]
                self.paper.put(screen.rule(place.day))
            place.shown(heard)
            self.paper.put(screen.message(heard, place.me, is_numbered=place.may_moderate))

    def draw_code(self, text: str) -> None:
        """Draw a text as a code for a camera, if the window is wide enough."""
        columns = get_app_session().output.get_size().columns
        if lines := qr_lines(text, columns=columns, colour=self._is_coloured):
            self.paper.put(screen.picture(lines))

    def know(self, room: str, kind: Kind, peer: str) -> None:
        """A room was heard of."""
        if kind is Kind.DIRECT:
            self.known_talks[peer] = room
        else:
            self.known_rooms.add(room)

    def place_of(self, given: str) -> Place | None:
        """The place that is called so: a room by its name, a direct talk by whom it is with."""
        called = given.strip().casefold()
        titles = (called, f"# {called.removeprefix('#').strip()}", f"@ {called.removeprefix('@').strip()}")
        return next((place for place in self.places.values() if place.title.casefold() in titles), None)

    def _welcome(self, place: Place) -> str:
        if place.kind is Kind.DIRECT:
            return self.words.welcome_direct.format(peer=place.peer, user=place.me)
        return self.words.welcome.format(room=place.room, user=place.me)

    def _rooms(self) -> list[str]:
        """Where one can go, as it is typed."""
        return [*sorted(self.known_rooms), *(f"@{peer}" for peer in sorted(self.known_talks))]

    def remark(self, text: str) -> None:
        """Say something quietly."""
        self.paper.put(screen.remark(text))

    def problem(self, text: str) -> None:
        """Say that something is wrong."""
        self.paper.put(screen.remark(text, problem=True))

    def refuse(self, refusal: Refused) -> None:
        """Say what cannot be, before anybody was asked."""
        self.problem(self.words.refusals.get(refusal.code, refusal.sentence(self.words.language)))

    def refused(self, error: RemoteError) -> None:
        """Say what did not work, in our language, or else in the server's."""
        code = getattr(error, "code", "")
        self.problem(self.words.refusals.get(code, str(error)))

    def _bar(self) -> screen.Fragments:
        now = asyncio.get_running_loop().time()
        others = [place for place in self.places.values() if place is not self.current]
        return bar.bar(self.current, others, self.words, waiting=self.waiting, asking=self._asking, now=now)

    def _names(self) -> list[str]:
        """Who can be spoken to: who spoke last first."""
        names = dict.fromkeys((*reversed(self._speakers), *self.current.people, *self.known_talks))
        return [name for name in names if name != self.current.me]

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            self._keeping.keep(self.places.values())


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
