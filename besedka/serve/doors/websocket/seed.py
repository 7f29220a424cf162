"""``/``: the seed's protocol, unchanged.

There is no join: each connection is in the default room from the start and is sent its last messages; each message that it
posts names its user. A user holds their name while connected; notices do not name them, as in the seed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable

from besedka.serve.doors.websocket.connection import Connection
from besedka.serve.doors.websocket.frames import encode_frames
from besedka.serve.doors.websocket.subscriber import SocketSubscriber
from besedka.serve.people.person import Person
from besedka.serve.room import Broadcast, Room, Subscriber
from besedka.serve.session import Admitted, Arrival, Services, SessionBase
from besedka.serve.session.admission import Waiting
from besedka.serve.session.post import Later, Posting
from besedka.serve.tasks import run_to_end
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import History, Redacted, SeedHistory, ServerFrame, Typing, decode_seed
from besedka.wire.log_line import clock_time
from besedka.wire.message import Message
from besedka.wire.validation import DEFAULT_ROOM, SYSTEM_NAME, clean_name, clean_text


class SeedSubscriber(SocketSubscriber):
    """A subscriber that receives only the seed's frames: the seed's clients show any other as a message."""

    __slots__ = ("room",)

    session: SeedSession

    ignores = frozenset({Typing, Redacted})

    def __init__(self, person: Person, room: Room, session: SeedSession, connection: Connection) -> None:
        super().__init__(person, session, connection)
        self.room = room

    def send_page(self, page: Broadcast) -> None:
        for frame in page.frames:
            if isinstance(frame, History):
                self.session.show(frame)

    def start_again(self) -> None:
        # There are no ids here: the client goes on with the next message, also of another log.
        self.cursor = self.room.head + 1


class SeedSession(SessionBase):
    """A session in the seed's protocol."""

    __slots__ = ("_connection", "_member", "_posting", "_speaker")

    def __init__(self, connection: Connection, services: Services) -> None:
        self._connection = connection
        self._member: SeedSubscriber | None = None
        self._speaker: Person | None = None
        self._posting: Posting | None = None
        super().__init__(services, connection.limiter)

    @property
    def door(self) -> str:
        return "/"

    @property
    def unsent(self) -> int:
        return self._connection.unsent

    def people_in_rooms(self) -> Iterable[tuple[str, Person]]:
        return ((self._member.room.name, self._speaker or self._member.person),) if self._member else ()

    def subscriptions(self) -> Iterable[tuple[Room, Subscriber]]:
        return ((self._member.room, self._member),) if self._member else ()

    def send(self, frame: ServerFrame | SeedHistory) -> None:
        self._connection.send(encode_frames([frame]))

    def begin(self) -> None:
        arrival = Arrival(DEFAULT_ROOM, self.limiter)
        try:
            found = self.services.admission.attempt(arrival)
        except Refused as refusal:
            self._refuse_entry(refusal)
        else:
            if isinstance(found, Admitted):
                self._enter(found)
            else:
                self._connection.wait_for(self._enter_later(arrival, found))

    def receive(self, text: str) -> None:
        try:
            frame = decode_seed(text)
            name = clean_name(frame.user)
            if taking := self._taking(name):
                self._connection.wait_for(self._post_later(name, frame.text, taking))
                return
            outcome = self._post(name, frame.text)
        except Refused as refusal:
            self._refuse(refusal)
        else:
            if isinstance(outcome, Coroutine):
                self._connection.wait_for(self._answer_post(run_to_end(outcome)))

    def show(self, page: History) -> None:
        """Send a page of history in a frame that a client can also show as one message."""
        timestamp = clock_time(self.services.clock.stamp())
        text = "".join(f"\n{line}" for line in page.messages)
        self.send(SeedHistory(page.messages, SYSTEM_NAME, text, timestamp))

    def people(self) -> Iterable[Person]:
        return (self._speaker,) if self._speaker else ()

    def remove_from_room(self, room: str, refusal: Refused) -> None:  # noqa: ARG002 - it is the only one
        # An external edit may have made the default room private.
        if self._member:
            self._leave()
            self.refuse(refusal)

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:
        self.refuse(refusal)
        self._connection.disconnect(ending)

    def abort(self) -> None:
        self._connection.abort()

    def end(self) -> None:
        super().end()
        self._leave()

    def _leave(self) -> None:
        member, self._member = self._member, None
        speaker, self._speaker = self._speaker, None
        self._posting = None
        if member:
            self.services.subscriptions.leave(member.room, member)
        if speaker:
            self.services.admission.sign_out(speaker)

    async def _enter_later(self, arrival: Arrival, waiting: Waiting) -> None:
        try:
            self._enter(await self.services.admission.admit(arrival, waiting))
        except Refused as refusal:
            self._refuse_entry(refusal)

    def _enter(self, admitted: Admitted) -> None:
        room = admitted.room
        self._member = SeedSubscriber(admitted.person, room, self, self._connection)
        tenant = self.services.admission.tenant("", self.network)
        self.services.subscriptions.enter(room, self._member, tenant=tenant, limiter=self.limiter)
        self.services.subscriptions.follow(room, self._member)

    def _refuse_entry(self, refusal: Refused) -> None:
        self._refuse(refusal)
        if refusal.code is ErrorCode.NOT_KNOWN:
            self._connection.close(CloseCode.UNKNOWN)

    async def _answer_post(self, posting: asyncio.Future[Message | None]) -> None:
        try:
            await posting
        except Refused as refusal:
            self._refuse(refusal)

    def _taking(self, name: str) -> Waiting | None:
        """The wait for a name, if it is another one than before; only in a cluster is there one."""
        is_new = self._member and (self._speaker is None or self._speaker.name != name)
        return self.services.admission.taking(Arrival(DEFAULT_ROOM, self.limiter, name)) if is_new else None

    async def _post_later(self, name: str, text: str, taking: Waiting) -> None:
        try:
            await asyncio.shield(taking)
            outcome = self._post(name, text)
            if isinstance(outcome, Coroutine):
                await run_to_end(outcome)
        except Refused as refusal:
            self._refuse(refusal)

    def _post(self, name: str, text: str) -> Message | Later | None:
        if self._member is None:
            raise Refused(ErrorCode.NOT_JOINED, room=DEFAULT_ROOM)
        if self._posting is None or self._speaker is None or self._speaker.name != name:
            clean_text(text)  # a text that is not posted changes no name
            room, speaker = self._member.room, self._speak_as(name)
            pipeline = self.services.pipeline
            self._posting = Posting(
                pipeline, room, speaker, self._member, limiter=self.limiter, check=self._check
            )
        return self._posting.post(text)

    def _check(self) -> None:
        if self._member is None or self._member.is_gone:
            raise Refused(ErrorCode.NOT_JOINED, room=DEFAULT_ROOM)

    def _refuse(self, refusal: Refused) -> None:
        if refusal.code is ErrorCode.BANNED:
            self.disconnect(CloseCode.BANNED, refusal)
        else:
            self.refuse(refusal)

    def _speak_as(self, name: str) -> Person:
        if self._speaker is None or self._speaker.name != name:
            speaker = self.services.admission.rename(Arrival(DEFAULT_ROOM, self.limiter, name))
            if self._speaker:
                self.services.admission.sign_out(self._speaker)
            self._speaker = speaker
        return self._speaker
