"""Personal API tokens, so that a script needs no password: making, listing and revoking them, and who sent one.

A token is its person with the roles that the person has at that moment, in all but their own account: it makes no
token, ends no sign-in and changes no password.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pulse_dash.core import homes, key_text, sessions
from pulse_dash.core.access import Permission, UserActor, open_because, requires
from pulse_dash.core.errors import Conflict, FieldError, Invalid, NotFound, Unauthenticated
from pulse_dash.core.known import KnownToken
from pulse_dash.core.names import name_errors
from pulse_dash.core.secret import Secret
from pulse_dash.core.vault import fingerprint, same
from pulse_dash.core.work import Work
from pulse_dash.store.personal_tokens import PersonalToken as PersonalToken  # noqa: PLC0414 - core hands it on

DAYS: Final = range(1, 366)
MOST: Final = 50


class TooManyTokens(Conflict):
    """Nobody can look after so many."""

    code = "too_many_tokens"

    def __init__(self) -> None:
        super().__init__(f"A person has {MOST} tokens at most. Revoke one that nobody uses.")


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A token at the one moment when it can be read."""

    token: PersonalToken
    secret: Secret


@requires(Permission.VIEW)
async def create(work: Work, *, name: str, expires_in_days: int) -> ShownToken:
    """Make a token for the caller. Raises Invalid, TooManyTokens, NotByToken; Unauthenticated for a project's key."""
    me = await sessions.in_person(work)
    errors = name_errors(name=name)
    if expires_in_days not in DAYS:
        errors.append(FieldError("expires_in_days", f"Must be {DAYS.start} to {DAYS.stop - 1}."))
    if errors:
        raise Invalid(*errors)
    system = work.as_system("a personal token")
    user = await system.store.users.get(me.id)
    if len(await system.store.personal_tokens.living_of(me.id, user.tokens_epoch, MOST)) >= MOST:
        raise TooManyTokens
    token_id, text = work.new_id("ptk"), key_text.new_user_token()
    entry = work.entry(
        "personal_token.created",
        org_id=await homes.of(work, user),
        resource="personal_token",
        resource_id=token_id,
        name=name.strip(),
    )
    made = await system.store.personal_tokens.add(
        {
            "_id": token_id,
            "user_id": me.id,
            "name": name.strip(),
            "handle": key_text.handle_of(text),
            "secret_hash": await work.parts.passwords.hash_secret(work.parts.vault.peppered(text)),
            "tokens_epoch": user.tokens_epoch,
            "expires_at": work.clock.now() + timedelta(days=expires_in_days),
            "last_used_at": None,
            "revoked_at": None,
        },
        entry,
    )
    return ShownToken(made, Secret(text))


@requires(Permission.VIEW)
async def listing(work: Work) -> list[PersonalToken]:
    """The caller's own that nobody revoked, the newest first. Raises NotByToken; Unauthenticated for a key."""
    me = await sessions.in_person(work)
    system = work.as_system("the caller's own tokens")
    user = await system.store.users.get(me.id)
    return await system.store.personal_tokens.living_of(me.id, user.tokens_epoch, MOST)


@requires(Permission.VIEW)
async def revoke(work: Work, token_id: str) -> None:
    """Stop one of the caller's own for good, everywhere within a second. Raises NotFound, for a key too."""
    if not isinstance(work.actor, UserActor):
        raise NotFound
    mine = next((each for each in await listing(work) if each.id == token_id), None)
    if mine is None:
        raise NotFound
    user = await work.as_system("the caller's own account").store.users.get(mine.user_id)
    entry = work.entry(
        "personal_token.revoked",
        org_id=await homes.of(work, user),
        resource="personal_token",
        resource_id=mine.id,
        name=mine.name,
    )
    system = work.as_system("revoke the caller's own token")
    await system.store.personal_tokens.change(mine.id, {"revoked_at": work.clock.now()}, entry)


@open_because("the token itself is the proof")
async def recognize(work: Work, text: str) -> UserActor:
    """Who sent this token. Raises Unauthenticated, the same for whatever is wrong with it."""
    if not key_text.is_user_token(text):
        raise Unauthenticated
    known = await work.parts.known_sessions.tokens.get(key_text.handle_of(text), lambda: _load(work, text))
    if known is None or not same(known.fingerprint, fingerprint(text.encode())):
        # Of another text that begins the same nothing is remembered.
        raise Unauthenticated
    if known.expires_at <= work.clock.now():
        raise Unauthenticated
    work.parts.tallying.token_used(known.actor.token_id, known.actor.id)
    return known.actor


async def _load(work: Work, text: str) -> KnownToken | None:
    system = work.as_system("recognize a personal token")
    token = await system.store.personal_tokens.by_handle(key_text.handle_of(text))
    if token is None or token.revoked_at is not None or token.expires_at <= work.clock.now():
        return None
    if not await work.parts.passwords.check_secret(work.parts.vault.peppered(text), token.secret_hash):
        return None
    try:
        user = await system.store.users.get(token.user_id)
    except NotFound:
        return None
    if user.tokens_epoch != token.tokens_epoch:
        return None
    actor = await sessions.by_token(work, user, token.id)
    return KnownToken(actor, fingerprint(text.encode()), token.expires_at)
