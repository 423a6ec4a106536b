"""The rule that opens and closes incidents: three failures in a row, two successes in a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pulse_dash.core.checks import Result

FAILURES, SUCCESSES = 3, 2


@dataclass(frozen=True, slots=True)
class Turn:
    """An outage of one component began or ended; `at` is the first check of the row that decided it."""

    component: str
    began: bool
    at: datetime


class Outage:
    """One component's rows of failures and of successes."""

    def __init__(self, component: str, *, lasts: bool = False) -> None:
        self._component = component
        self.lasts = lasts
        self._row = 0
        self._since: datetime | None = None

    def note(self, result: Result) -> Turn | None:
        """What this result decides. A result that says nothing breaks the row."""
        against = result.status in ("operational", "degraded") if self.lasts else result.status == "down"
        if not against:
            self.forget()
            return None
        self._since = self._since or result.checked_at
        self._row += 1
        if self._row < (SUCCESSES if self.lasts else FAILURES):
            return None
        turn = Turn(self._component, not self.lasts, self._since)
        self.lasts = not self.lasts
        self.forget()
        return turn

    def forget(self) -> None:
        """The row is broken."""
        self._row, self._since = 0, None
