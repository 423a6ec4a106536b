"""Trying a project from its page: mint a token for one person in one room, read it, and join with it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.core import tokens
from pulse_dash.core.errors import Conflict, FieldError, Forbidden, Invalid, LimitExceeded, Unavailable
from pulse_dash.core.grants import Permissions
from pulse_dash.core.tokens import TokenRequest
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.forms import iso, text
from pulse_dash.state.keys import KeysState
from pulse_dash.state.project import ProjectState
from pulse_dash.state.samples import Sample, minting

_SAYS = {
    "join": "join the room",
    "publish": "speak and show video",
    "subscribe": "hear and see others",
    "publish_data": "send data",
}


class TryState(PulseState):
    """The token that was minted last on this page; gone with the next load."""

    room: str = "lobby"
    identity: str = ""
    errors: dict[str, str] = {}
    token: str = ""
    url: str = ""
    livekit_room: str = ""
    expires_at: str = ""
    grants: list[str] = []
    own_livekit: bool = False
    may_join_own: bool = False

    samples: list[Sample] = []

    @rx.event
    async def load(self) -> None:
        """Begin with no token."""
        self._reset_token()
        self.errors = {}

    @rx.event
    async def mint(self, form_data: dict[str, Any]) -> None:
        """Mint a token as the project's own server would."""
        project = await self.get_state(ProjectState)
        self._reset_token()
        work = await self._work()
        permissions = Permissions(publish=form_data.get("publish") is not None)
        try:
            request = TokenRequest(
                room=_named(form_data, "room"), identity=_named(form_data, "identity"), permissions=permissions
            )
            minted = await tokens.create(work, request, project_id=project.id)
        except (Invalid, Conflict, Forbidden, LimitExceeded, Unavailable) as refused:
            self.errors = self._sentences(refused)
            return
        self.errors = {}
        self.room, self.identity = minted.room, minted.identity
        self.token, self.url, self.livekit_room = minted.token, minted.url, minted.livekit_room
        self.expires_at = iso(minted.expires_at)
        # A document's policy names the project's own LiveKit only where its address asked for that (asgi).
        self.may_join_own = self.router.url.query_parameters.get("livekit", "") == "own"
        self.own_livekit = minted.livekit_room == minted.room
        self.grants = [words for field, words in _SAYS.items() if getattr(permissions, field)]
        keys = await self.get_state(KeysState)
        self.samples = minting(
            address=work.parts.policy.public_url.rstrip("/"),
            public=keys.first.public if keys.first else "pulse_key_…",
            room=minted.room,
            identity=minted.identity,
        )

    def _reset_token(self) -> None:
        self.token = self.url = self.livekit_room = self.expires_at = ""
        self.grants, self.samples = [], []


def _named(form: dict[str, Any], field: str) -> str:
    value = text(form, field)
    if not 1 <= len(value) <= 128:
        raise Invalid(FieldError(field, "1 to 128 characters."))
    return value
