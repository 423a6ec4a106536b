"""The token passport: what a pasted token is worth here, who made it, and what it allows in words."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.core import tokens
from pulse_dash.core.errors import FieldError, Forbidden, Invalid, NotFound, Unavailable
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.forms import iso
from pulse_dash.state.project import ProjectState

MOST_CHARACTERS = 16_384

_WHY = {
    "": "LiveKit lets it in.",
    "expired": "It has ended. Mint a new one.",
    "signature": "It is not signed with the key of this project's LiveKit: it was made elsewhere, or changed.",
    "revoked": "It was revoked, its key is gone, or its identity is banned. Mint a new one, if that is right.",
    "malformed": "This is no LiveKit token. A token has three parts with dots between them; was it copied whole?",
    "other_project": "It is good, and belongs to another project.",
}


class PassportState(PulseState):
    """What was found out about the token that was pasted last; the token itself is not kept."""

    looked: bool = False
    valid: bool = False
    why: str = ""
    minted_at: str = ""
    key_name: str = ""
    key_id: str = ""
    identity: str = ""
    room: str = ""
    expires_at: str = ""
    may: list[str] = []
    may_not: list[str] = []
    errors: dict[str, str] = {}

    @rx.event
    async def load(self) -> None:
        """Begin with nothing."""
        self.reset()

    @rx.event
    async def look(self, form_data: dict[str, Any]) -> None:
        """Find out what the pasted token is worth."""
        project = await self.get_state(ProjectState)
        self.looked, self.errors = False, {}
        try:
            passport = await tokens.validate(await self._work(), _pasted(form_data), project_id=project.id)
        except (Invalid, Forbidden, NotFound, Unavailable) as refused:
            self.errors = self._sentences(refused)
            return
        self.looked, self.valid, self.why = True, passport.valid, _WHY[passport.reason or ""]
        minted, allowed = passport.minted, passport.allowed
        self.minted_at = iso(minted.at if minted else None)
        self.key_name, self.key_id = (minted.key_name, minted.key_id) if minted else ("", "")
        self.identity, self.room = passport.identity or "", passport.room or ""
        self.expires_at = iso(passport.expires_at)
        self.may, self.may_not = (list(allowed.may), list(allowed.may_not)) if allowed else ([], [])


def _pasted(form: dict[str, Any]) -> str:
    """What was pasted, without what copying adds around it."""
    value = form.get("token")
    pasted = "".join(value.split()).strip("\"',") if isinstance(value, str) else ""
    if not pasted:
        raise Invalid(FieldError("token", "Paste a token."))
    if len(pasted) > MOST_CHARACTERS:
        raise Invalid(FieldError("token", f"At most {MOST_CHARACTERS:,} characters can be pasted here."))
    return pasted
