"""Failed measurements and their reasons: printed at once, and noted in the report."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from harness.errors import BenchError


class Failures:
    """Why servers were left out, by their names."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._why: dict[str, str] = {}

    def of(self, name: str) -> _Attempt:
        """Leave out what fails in this context, and go on with the rest."""
        return _Attempt(self, name)

    def add(self, name: str, error: BenchError) -> None:
        """Leave a server out."""
        self._why[name] = str(error)
        self._say(f"{name} is left out: {error}")

    def __contains__(self, name: object) -> bool:
        return name in self._why

    def notes(self) -> list[str]:
        """A note for each, with the first line of what was said."""
        return [f"Left out: {name}: {why.partition(chr(10))[0]}" for name, why in self._why.items()]


class _Attempt:
    def __init__(self, failures: Failures, name: str) -> None:
        self._failures = failures
        self._name = name

    def __enter__(self) -> None:
        pass

    # A class, as mypy believes of a generator's context that it lets all errors through.
    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        if isinstance(error, BenchError):
            self._failures.add(self._name, error)
            return True
        return False
