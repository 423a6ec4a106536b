"""The bus in this process: says subjects to whoever listens. It keeps nothing and may lose a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import structlog

if TYPE_CHECKING:
    from pulse_dash.core.work import Bus

log = structlog.get_logger(__name__)


class MemoryBus:
    """Calls each listener with each subject, at once."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[str], None]] = []

    @property
    def listeners(self) -> int:
        """How many listen now; one that is never taken away is a leak."""
        return len(self._listeners)

    def say(self, subject: str) -> None:
        """Tell everybody who listens that `subject` (a noun and an id) changed."""
        for heard in tuple(self._listeners):
            heard(subject)

    def listen(self, heard: Callable[[str], None]) -> Callable[[], None]:
        """Call `heard` with each subject from now on; the answer ends it. `heard` must not raise or wait."""
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard) if heard in self._listeners else None


class Ear:
    """Remembers, for somebody who asks now and then, whether one of some subjects was spoken of.

    It listens from the first question on, and stops where its `with` ends."""

    def __init__(self, subjects: tuple[str, ...]) -> None:
        self._subjects = subjects
        self._spoken = False
        self._stop: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stop is not None:
            self._stop()

    def heard(self, bus: Bus) -> bool:
        """Whether one of the subjects was spoken of since the last question."""
        if self._subjects and self._stop is None:
            self._stop = bus.listen(self._hear)
        spoken, self._spoken = self._spoken, False
        return spoken

    def _hear(self, subject: str) -> None:
        self._spoken = self._spoken or subject.startswith(self._subjects)
