"""Subscriptions: who receives a room's frames, from entering to leaving."""

from __future__ import annotations

from besedka.serve.chat.catch_up import CatchUp
from besedka.serve.chat.notices import Notices
from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.presence import PresenceNotices
from besedka.serve.clock import Clock
from besedka.serve.limits.networks import Origin
from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.people.acts_in_force import ActsInForce
from besedka.serve.room import Room, Subscriber, Tenant


class Subscriptions:
    """Adds subscribers to rooms and removes them.

    Args:
        rooms: the rooms.
        catch_up: serves subscribers that are behind.
        notices: reports changes of presence.
        moderation: the mutes in force.
        clock: the server's clock.
        typing: reports who is typing.
    """

    def __init__(
        self,
        rooms: OpenRooms,
        catch_up: CatchUp,
        notices: PresenceNotices,
        moderation: ActsInForce,
        clock: Clock,
        *,
        typing: Notices,
    ) -> None:
        self._rooms = rooms
        self._catch_up = catch_up
        self._notices = notices
        self._typing = typing
        self._moderation = moderation
        self._clock = clock

    def enter(
        self,
        room: Room,
        subscriber: Subscriber,
        since: int | None = None,
        epoch: str = "",
        *,
        tenant: Tenant | None = None,
        limiter: RateLimiter | None = None,
    ) -> bool:
        """Add a subscriber; call `follow` after its welcome. Returns whether ``since`` could not be used.

        Args:
            room: the room.
            subscriber: the subscriber.
            since: the id of the last message that it has seen; None for a newcomer.
            epoch: the epoch of that id.
            tenant: the source that holds the room by it; None if it counts for nobody.
            limiter: the limits of its connection; None if reading the log costs it nothing.
        """
        subscriber.tenant, subscriber.limiter = tenant, limiter
        self._rooms.keep_open(room)
        if tenant:
            self._rooms.take_share(tenant, room)
        reset = room.enter(subscriber, since, epoch)
        self._notices.note(room)
        return reset

    def follow(self, room: Room, subscriber: Subscriber) -> None:
        """Send a subscriber what it has not received yet; from then on it is live."""
        self._catch_up.follow(room, subscriber)

    def leave(self, room: Room, subscriber: Subscriber) -> None:
        """Remove a subscriber; the room is closed after a while if it was the last one."""
        room.leave(subscriber)
        self._catch_up.forget(subscriber)
        self._notices.note(room)
        if subscriber.tenant:
            self._rooms.shares.release(subscriber.tenant, room.name)
        self._rooms.close_later(room)

    def hide(self, name: str, claim: str) -> None:
        """Hide a person in a room, if they are there: the others are told who else is."""
        room = self._rooms.opened(name)
        if room is None:
            return
        seen = [other for other in room.subscribers if other.is_seen and other.person.claim == claim]
        for subscriber in seen:
            room.hide(subscriber)
        if seen:
            self._notices.send_state(room)

    def type(self, room: Room, subscriber: Subscriber, origin: Origin) -> None:
        """Tell the others that a subscriber is typing, unless the person is muted, also under another name from the same place."""
        is_silenced = self._moderation.is_silenced(self._clock.wall(), subscriber.person, origin)
        if not is_silenced and room.typists.add(subscriber, self._clock.now()):
            self._typing.note(room)
