"""The person's own account: name, password, where they are signed in, and their API tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from pulse_dash.core import accounts, erasure, links, personal_tokens, sessions
from pulse_dash.core.devices import device_of
from pulse_dash.core.errors import Conflict, Forbidden, Invalid, LimitExceeded, NotFound, Unavailable
from pulse_dash.core.keys import ShownKey
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.dialogs import FollowedState
from pulse_dash.state.forms import iso, text
from pulse_dash.state.secret import SecretState
from pulse_dash.state.shell import ShellState

LIVES = {"30": "30 days", "90": "90 days", "365": "a year"}
_REFUSED = (Invalid, Conflict, Forbidden, NotFound, LimitExceeded, Unavailable)


@dataclass(frozen=True)
class SessionRow:
    """One sign-in."""

    id: str
    device: str
    way: str
    ip: str
    created_at: str
    last_used_at: str
    current: bool


@dataclass(frozen=True)
class TokenRow:
    """One personal token; the token itself is nowhere in here."""

    id: str
    name: str
    begins: str
    expires_at: str
    last_used_at: str
    status: str
    tone: str


class AccountState(FollowedState, PulseState):
    """The account; `changes` counts up with each thing done, which closes its dialog."""

    _subjects = ("sessions:", "personal_tokens:", "users:")
    name: str = ""
    email: str = ""
    moving_to: str = ""
    signed_in_at: list[SessionRow] = []
    tokens: list[TokenRow] = []

    @rx.event
    async def rename(self, form_data: dict[str, Any]) -> object:
        """Another name."""
        if await self._do(lambda work: accounts.rename(work, text(form_data, "name"))):
            return [ShellState.load, rx.toast.success("Your name is changed.")]
        return None

    @rx.event
    async def move(self, form_data: dict[str, Any]) -> object:
        """Another address, for who knows the password; it counts once its link is opened."""
        password, email = text(form_data, "password"), text(form_data, "email")
        if await self._do(lambda work: links.move(work, password=password, email=email)):
            return rx.toast.success("A link is on its way to the new address.")
        return None

    @rx.event
    async def change_password(self, form_data: dict[str, Any]) -> object:
        """Another password, for who knows the present one."""
        present, password = text(form_data, "present"), text(form_data, "password")
        if await self._do(lambda work: accounts.change_password(work, present=present, password=password)):
            return rx.toast.success("Your password is changed, and every other sign-in has ended.")
        return None

    @rx.event
    async def end_session(self, session_id: str) -> object:
        """End one sign-in."""
        if await self._do(lambda work: sessions.end_one(work, session_id)):
            return None
        return rx.toast.error("That sign-in is over already.")

    @rx.event
    async def end_others(self, form_data: dict[str, Any]) -> object:
        """Sign out everywhere else."""
        if await self._do(sessions.end_others):
            return rx.toast.success("You are signed in here alone.")
        return None

    @rx.event
    async def create_token(self, form_data: dict[str, Any]) -> object:
        """Make a token and show it once."""
        days = text(form_data, "days")
        work = await self._work()
        try:
            made = await personal_tokens.create(
                work, name=text(form_data, "name"), expires_in_days=int(days) if days in LIVES else 0
            )
        except _REFUSED as refused:
            # The person's own name has a field on the same page.
            told = self._sentences(refused)
            self.errors = {f"token_{field}" if field == "name" else field: words for field, words in told.items()}
            return None
        secret = await self.get_state(SecretState)
        secret._show(ShownKey(made.token.id, made.token.name, made.token.handle, made.secret))
        self.errors = {}
        self.changes += 1
        await self._read(work)
        return SecretState.fade

    @rx.event
    async def erase(self, form_data: dict[str, Any]) -> object:
        """Erase the account, for who knows its password; every page of theirs signs out."""
        password, code = text(form_data, "password"), text(form_data, "code")
        try:
            await erasure.erase_me(await self._work(), password=password, code=code)
        except _REFUSED as refused:
            self.errors = self._sentences(refused)
            return None
        self.changes += 1
        return rx.redirect("/login")

    @rx.event
    async def revoke_token(self, form_data: dict[str, Any]) -> None:
        """Stop a token for good."""
        token_id = text(form_data, "token_id")
        if await self._do(lambda work: personal_tokens.revoke(work, token_id)):
            secret = await self.get_state(SecretState)
            if secret.key_id == token_id:
                secret._empty()

    async def _do(self, act: Any) -> bool:
        work = await self._work()
        try:
            await act(work)
        except _REFUSED as refused:
            self.errors = self._sentences(refused)
            return False
        self.errors = {}
        self.changes += 1
        await self._read(work)
        return True

    async def _read(self, work: Work) -> None:
        try:
            person = await accounts.me(work)
            living = await sessions.listing(work)
            tokens = await personal_tokens.listing(work)
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id
            return
        user, now = person.user, work.clock.now()
        self.name, self.email = user.name, user.email
        self.moving_to = (user.moving_to or "") if user.moving_until and user.moving_until > now else ""
        own = getattr(work.actor, "session_id", "")
        rows = [
            SessionRow(
                id=each.id,
                device=device_of(each.user_agent),
                way="Dashboard" if each.kind == sessions.DASHBOARD else "API",
                ip=each.ip or "unknown",
                created_at=iso(each.created_at),
                last_used_at=iso(each.last_used_at or each.created_at),
                current=each.id == own,
            )
            for each in living
        ]
        self.signed_in_at = sorted(rows, key=lambda row: not row.current)
        self.tokens = [
            TokenRow(
                id=each.id,
                name=each.name,
                begins=f"{each.handle}…",
                expires_at=iso(each.expires_at),
                last_used_at=iso(each.last_used_at),
                status="Active" if each.expires_at > now else "Expired",
                tone="good" if each.expires_at > now else "warn",
            )
            for each in tokens
        ]
        self.problem = self.reference = ""
        self.loaded = True
