"""The bus in this process: says subjects to whoever listens. It keeps nothing and may lose a word."""

from __future__ import annotations

from collections.abc import Callable

import structlog

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
