"""The services that sessions are made with."""

from __future__ import annotations

from dataclasses import dataclass

from besedka.serve.chat import CatchUp, Chat, LogReader, OpenRooms, Subscriptions
from besedka.serve.clock import Clock
from besedka.serve.directory import Directory
from besedka.serve.metrics import Metrics
from besedka.serve.session.admission import Admission
from besedka.serve.session.moderation import Moderator
from besedka.serve.session.post import Pipeline
from besedka.serve.session.refusals import Refusals
from besedka.serve.session.requests import Requests
from besedka.wire.errors import Language


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of the server that the sessions of all doors share, made once.

    Attributes:
        admission: admits people to rooms.
        pipeline: for posting messages.
        subscriptions: adds subscribers to rooms and removes them.
        catch_up: for subscribers that pull what is next.
        log_reader: pages, searches.
        requests: answers requests.
        refusals: error frames.
        directory: people and their rights.
        rooms: the open rooms.
        clock: the server's clock.
        metrics: counters and timings.
        language: of all sentences.
    """

    admission: Admission
    pipeline: Pipeline
    subscriptions: Subscriptions
    catch_up: CatchUp
    log_reader: LogReader
    requests: Requests
    refusals: Refusals
    directory: Directory
    rooms: OpenRooms
    clock: Clock
    metrics: Metrics
    language: Language

    @classmethod
    def of(cls, chat: Chat, language: Language) -> Services:
        """The services of a chat."""
        directory, rooms, clock = chat.directory, chat.rooms, chat.clock
        admission = Admission(directory, rooms, clock)
        moderator = Moderator(
            directory, rooms, chat.redactor, admission=admission, clock=clock, language=language
        )
        return cls(
            admission=admission,
            pipeline=Pipeline(chat.committer, chat.resends, directory.moderation, directory.direct, clock),
            subscriptions=chat.subscriptions,
            catch_up=chat.catch_up,
            log_reader=chat.log_reader,
            requests=Requests(
                directory, rooms, chat.subscriptions, moderator=moderator, clock=clock, language=language
            ),
            refusals=Refusals(chat.metrics, clock, language),
            directory=directory,
            rooms=rooms,
            clock=clock,
            metrics=chat.metrics,
            language=language,
        )
