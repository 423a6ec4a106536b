"""Verify on the audit log's page: what was found, said in sentences, and what that does not show."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.core import accounts, audit_verify
from pulse_dash.core.audit_verify import Verified
from pulse_dash.core.errors import Invalid, LimitExceeded, NotFound, SecondFactorNeeded, Unavailable
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.forms import iso

_LONGEST = 1_024
_LEFT = {
    "mail": "was mailed to the owners",
    "webhook": "went to the webhook",
    "bucket": "was put into the bucket",
}


class VerdictState(PulseState):
    """What the last walk over the chain found; empty until somebody asked."""

    verifying: bool = False
    asked: bool = False
    tone: str = ""
    verdict: str = ""
    anchor: str = ""
    anchored_at: str = ""
    beyond: str = ""
    entry_id: str = ""
    checkpoint: str = ""
    errors: dict[str, str] = {}

    def _arrive(self) -> None:
        self._put_away()

    @rx.event
    async def close(self) -> None:
        """Put the verdict away."""
        self._put_away()

    @rx.event(background=True)
    async def verify(self) -> None:
        """Walk the chain to its end or to the first entry that does not fit."""
        await self._walk(None)

    @rx.event(background=True)
    async def compare(self, form_data: dict[str, Any]) -> None:
        """The same, and compare with a line that was mailed or exported."""
        given = form_data.get("checkpoint")
        await self._walk(given.strip()[: _LONGEST + 1] if isinstance(given, str) else "")

    async def _walk(self, checkpoint: str | None) -> None:
        async with self:
            if self.verifying:
                return
            self.verifying, self.errors = True, {}
        found: Verified | None = None
        errors: dict[str, str] = {}
        try:
            work = await self._work()
            here = (await accounts.me(work)).organization
            if here is not None and checkpoint == "":
                errors = {"checkpoint": "Paste the line of the mail, from { to }."}
            elif here is not None:
                found = await audit_verify.verify(work, here.id, checkpoint=checkpoint)
        except (Invalid, LimitExceeded, NotFound, SecondFactorNeeded, Unavailable) as refused:
            errors = self._sentences(refused)
        finally:
            async with self:
                self.verifying, self.errors = False, errors
                if found is not None:
                    self._fill(found)

    def _fill(self, found: Verified) -> None:
        self.asked = True
        fault = found.fault
        self.tone = "good" if fault is None else "bad"
        self.entry_id = fault.entry_id or "" if fault is not None else ""
        if fault is not None:
            self.verdict = f"Entry {fault.sequence:,} does not fit. {fault.sentence}"
        elif found.entries == 1:
            self.verdict = "The one entry is as it was written."
        else:
            self.verdict = f"All {found.entries:,} entries are as they were written, each following on the one before."
        self.beyond = (
            f"{found.unchained:,} older entries were written before there was a chain; it says nothing of them."
            if found.unchained
            else ""
        )
        self.anchored_at = ""
        head = found.head
        if fault is not None:
            self.anchor = ""
        elif found.compared:
            self.anchor = "It goes with the checkpoint you gave: nothing up to there was cut off or put back since."
        elif head is not None and head.anchored_sequence is not None:
            self.anchor = (
                f"A checkpoint at entry {head.anchored_sequence:,} {_LEFT[head.anchored_by]}. Paste it below: only "
                "that shows whether the end was cut off or an older backup put back."
            )
            self.anchored_at = iso(head.anchored_at)
        else:
            self.anchor = (
                "Not anchored: no checkpoint was sent anywhere yet, so a log that was cut off at its end together "
                "with its head, or put back from an older backup, would look the same."
            )

    def _put_away(self) -> None:
        self.verifying = self.asked = False
        self.tone = self.verdict = self.anchor = self.anchored_at = self.beyond = self.entry_id = ""
        self.errors = {}
