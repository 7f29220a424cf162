"""The services that sessions are made with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from besedka.serve.chat import CatchUp, Chat, LogReader, OpenRooms, Subscriptions
from besedka.serve.clock import Clock
from besedka.serve.directory import Directory
from besedka.serve.metrics import Metrics
from besedka.serve.session.act_effects import ActEffects
from besedka.serve.session.acts_of_others import ActsOfOthers
from besedka.serve.session.admission import Admission
from besedka.serve.session.moderation import Moderator
from besedka.serve.session.post import Pipeline
from besedka.serve.session.read_marking import ReadMarking
from besedka.serve.session.refusals import Refusals
from besedka.serve.session.requests import Requests
from besedka.wire.errors import Language
from besedka.wire.languages import first_preferred


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of the server that the sessions of all doors share, made once for each language.

    Attributes:
        admission: admits people to rooms.
        pipeline: for posting messages.
        subscriptions: adds subscribers to rooms and removes them.
        catch_up: for subscribers that pull what is next.
        log_reader: pages, searches.
        requests: answers requests.
        read_marking: moves read marks.
        refusals: error frames.
        directory: people and their rights.
        rooms: the open rooms.
        clock: the server's clock.
        metrics: counters and timings.
        language: of all sentences.
        translations: the same services in each language.
    """

    admission: Admission
    pipeline: Pipeline
    subscriptions: Subscriptions
    catch_up: CatchUp
    log_reader: LogReader
    requests: Requests
    read_marking: ReadMarking
    refusals: Refusals
    directory: Directory
    rooms: OpenRooms
    clock: Clock
    metrics: Metrics
    language: Language
    translations: dict[Language, Services]

    @classmethod
    def of(cls, chat: Chat, language: Language) -> Services:
        """The services of a chat, in a language."""
        directory, rooms, clock = chat.directory, chat.rooms, chat.clock
        admission = Admission(directory, rooms, chat.heads, clock)
        pipeline = Pipeline(chat.committer, chat.resends, directory.moderation, directory.direct, clock)
        read_marking = ReadMarking(directory)
        effects = ActEffects(directory, rooms, clock)
        directory.of_others = ActsOfOthers(directory, effects, chat.subscriptions, clock.wall)
        translations: dict[Language, Services] = {}
        for spoken in Language:
            moderator = Moderator(
                directory,
                rooms,
                chat.redactor,
                endings=chat.endings,
                admission=admission,
                clock=clock,
                language=spoken,
                has_others=chat.heads.has_others,
            )
            translations[spoken] = cls(
                admission=admission,
                pipeline=pipeline,
                subscriptions=chat.subscriptions,
                catch_up=chat.catch_up,
                log_reader=chat.log_reader,
                requests=Requests(
                    directory, rooms, chat.subscriptions, moderator=moderator, clock=clock, language=spoken
                ),
                read_marking=read_marking,
                refusals=Refusals(chat.metrics, clock, spoken),
                directory=directory,
                rooms=rooms,
                clock=clock,
                metrics=chat.metrics,
                language=spoken,
                translations=translations,
            )
        return translations[language]

    def in_language(self, accepted: Iterable[str]) -> Services:
        """The services in a client's language: of values of ``Accept-Language`` the first that names one of ours counts; else these."""
        return self.translations[first_preferred(accepted, self.language)]
