"""The second factor of a sign-in: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for its loss.

A code counts once, whoever sends it twice and however fast. Ten wrong ones slow the account down, never for good, and
their person is told; each stands in the log. How a sign-in asks for one is told by challenges.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import structlog
from pyotp.totp import TOTP

from pulse_dash.core import homes, sessions
from pulse_dash.core.access import Permission, UserActor, open_because, requires
from pulse_dash.core.errors import Conflict, FieldError, Invalid
from pulse_dash.core.mail import Mail
from pulse_dash.core.mails import post
from pulse_dash.core.names import hello
from pulse_dash.core.secret import Secret
from pulse_dash.core.slowdown import FREE
from pulse_dash.core.vault import Unreadable, random_letters, same
from pulse_dash.core.work import Work
from pulse_dash.store.records import Moved
from pulse_dash.store.users import FACTOR, FACTOR_PENDING, Factor, User

log = structlog.get_logger(__name__)

SETUP_LIFE: Final = timedelta(minutes=15)
RECOVERY_CODES: Final = 10
LONGEST_CODE: Final = 64
_STEP: Final = 30
# RFC 4648's letters for the secret, which apps read; Crockford's for what people write down: none looks like another.
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_WRITTEN: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_MISREAD: Final = str.maketrans("oil", "011", "-")
_TRIES: Final = 20


class FactorIsOn(Conflict):
    """There is one already."""

    code = "second_factor_on"

    def __init__(self) -> None:
        super().__init__("Your second factor is on already. Turn it off first to set up another app.")


class FactorIsOff(Conflict):
    """There is none."""

    code = "second_factor_off"

    def __init__(self, detail: str = "No second factor is on.") -> None:
        super().__init__(detail)


class SetupOver(Conflict):
    """No secret waits for its first code."""

    code = "setup_over"

    def __init__(self) -> None:
        super().__init__("Nothing is being set up, or it took too long. Begin again with your password.")


@dataclass(frozen=True, slots=True)
class Setup:
    """A secret for an authenticator app, shown until its first code confirms it; `uri` is what a QR code holds."""

    secret: Secret
    uri: Secret
    until: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a person has a second factor, and what is left for its loss."""

    since: datetime | None
    codes_left: int

    @property
    def on(self) -> bool:
        return self.since is not None


# --- the person's own -------------------------------------------------------------------------------------------


@requires(Permission.VIEW)
async def standing(work: Work) -> Standing:
    """How it stands with the caller's. Raises NotByToken; Unauthenticated for a project's key."""
    me = await sessions.in_person(work)
    factor = (await _account(work, me)).factor
    return Standing(None, 0) if factor is None else Standing(factor.since, len(factor.recovery))


@requires(Permission.VIEW)
async def begin(work: Work, *, password: str) -> Setup:
    """Make a secret for an app, for who knows the password; nothing is on until a code confirms it.

    Raises Invalid, FactorIsOn, NotByToken; RateLimited after ten wrong passwords."""
    user = await sessions.with_password(work, password, field="password")
    if user.factor is not None:
        raise FactorIsOn
    secret = random_letters(_BASE32, 32)
    until = work.clock.now() + SETUP_LIFE
    sealed = work.parts.vault.sealed(secret.encode())
    await work.as_system("set up a second factor").store.users.expect_factor(user.id, sealed, until)
    host = urlsplit(work.parts.policy.public_url).hostname or "localhost"
    uri = TOTP(secret).provisioning_uri(name=user.email, issuer_name=f"Pulse {host}")
    return Setup(Secret(secret), Secret(uri), until)


@requires(Permission.VIEW)
async def confirm(work: Work, code: str) -> tuple[Secret, ...]:
    """Turn it on with the app's first code, and answer the recovery codes, this once. Every other sign-in ends: it has
    never shown a code. Raises Invalid, FactorIsOn, SetupOver, NotByToken, Moved, RateLimited."""
    me = await sessions.in_person(work)
    user = await _account(work, me)
    if user.factor is not None:
        raise FactorIsOn
    system = work.as_system("the caller's own account")
    sealed, until = await system.store.users.expected_factor(me.id)
    if sealed is None or until is None or until <= work.clock.now():
        raise SetupOver
    work.parts.slowdown.check(_key(user))
    step = _step_of(work, sealed, _plain(code))
    if step is None:
        work.parts.slowdown.wrong(_key(user))
        raise _wrong_field()
    work.parts.slowdown.right(_key(user))
    codes = _fresh_codes()
    values = {
        "totp_secret": sealed,
        "totp_step": step,
        "totp_since": work.clock.now(),
        "recovery": _hashes(work, user, codes),
        **sessions.only_this(user, me),
    }
    entry = await _entry(work, "second_factor.enabled", user)
    await system.store.users.change(user.id, values, entry, unset=FACTOR_PENDING, expect={"totp_pending": sealed})
    return tuple(Secret(each) for each in codes)


@requires(Permission.VIEW)
async def renew_codes(work: Work, code: str) -> tuple[Secret, ...]:
    """Ten new recovery codes, shown this once; the ones before open nothing. Raises as `turn_off` does."""
    user = await _proved_again(work, code)
    codes = _fresh_codes()
    values = {"recovery": _hashes(work, user, codes)}
    entry = await _entry(work, "second_factor.codes_renewed", user)
    await _change(work, user, values, entry)
    return tuple(Secret(each) for each in codes)


@requires(Permission.VIEW)
async def turn_off(work: Work, code: str) -> None:
    """Sign in with the password alone from now on. Raises Invalid for a wrong code, FactorIsOff, NotByToken, Moved;
    RateLimited after ten wrong ones."""
    user = await _proved_again(work, code)
    entry = await _entry(work, "second_factor.disabled", user)
    await _change(work, user, {}, entry, unset=FACTOR)
    await tell(
        work, user, "Your second factor is off", "Signing in takes your password alone from now on. If that was not you"
    )


async def _proved_again(work: Work, code: str) -> User:
    me = await sessions.in_person(work)
    user = await _account(work, me)
    if user.factor is None:
        raise FactorIsOff
    if not await counts(work, user, user.factor, code):
        raise _wrong_field()
    # A recovery code that counted has changed the account.
    return await _account(work, me)


async def _change(
    work: Work, user: User, values: dict[str, Any], entry: dict[str, Any], unset: tuple[str, ...] = ()
) -> None:
    system = work.as_system("the caller's own account")
    await system.store.users.change(user.id, values, entry, unset=unset, expect={"version": user.version})


# --- codes ------------------------------------------------------------------------------------------------------


@open_because("challenges calls it for who gave their password, and this page for who is signed in")
async def counts(work: Work, user: User, factor: Factor, code: str) -> bool:
    """Whether this is a code of the person's; from now on it is one no more. Raises RateLimited."""
    slowdown = work.parts.slowdown
    # Between the look and the count nothing waits, so that many at once are not all looked at before one is counted.
    slowdown.check(_key(user))
    plain = _plain(code)
    recovery, step = work.parts.vault.recovery_hash(user.id, plain), _step_of(work, factor.sealed, plain)
    recovers = any(same(recovery, left) for left in factor.recovery)
    if step is None and not recovers:
        return await _wrong(work, user)
    users = work.as_system("a second factor").store.users
    counted = await (_recover(work, user, recovery) if step is None else users.count_step(user.id, factor.sealed, step))
    if not counted:
        return await _wrong(work, user)
    slowdown.right(_key(user))
    return True


async def _wrong(work: Work, user: User) -> Literal[False]:
    """Count it and keep it as refusals are kept. Whoever gave it knows the password, or is signed in: at the tenth in
    a row the person is told."""
    work.parts.slowdown.wrong(_key(user))
    in_a_row = work.parts.slowdown.count(_key(user))
    by = UserActor(user.id, user.name, user.email, "")
    entry = await _entry(work, "second_factor.code_wrong", user, by=by, status="failure")
    await work.as_system("keep a wrong code").store.refusals.note(f"{user.id}:second_factor", entry)
    if in_a_row == FREE:
        await tell(
            work,
            user,
            "Wrong codes for your second factor",
            f"Somebody with your password gave {FREE} wrong codes for your second factor in a row; further ones have "
            "to wait. If that was not you",
        )
    return False


async def _recover(work: Work, user: User, recovery: str) -> bool:
    """Use a recovery code up. Of one that is used twice at once, one use counts."""
    users = work.as_system("a recovery code").store.users
    by = UserActor(user.id, user.name, user.email, "")
    for _ in range(_TRIES):
        now = await users.get(user.id)
        if now.factor is None or recovery not in now.factor.recovery:
            return False
        left = [each for each in now.factor.recovery if each != recovery]
        entry = await _entry(work, "second_factor.recovery_code_used", user, by=by)
        try:
            await users.change(user.id, {"recovery": left}, entry, expect={"version": now.version})
        except Moved:
            continue
        await tell(
            work,
            user,
            "A recovery code was used",
            f"Somebody with your password used one of your recovery codes; {len(left)} are left. If that was not you",
        )
        return True
    raise Moved


def _step_of(work: Work, sealed: bytes, code: str) -> int | None:
    """The time step whose code this is: the one that runs, or a neighbour, for clocks that differ."""
    try:
        totp = TOTP(work.parts.vault.opened(sealed).decode())
    except Unreadable:
        # Its encryption key is gone. Recovery codes do not need it, and an operator can reset what is left.
        log.exception("second_factor.unreadable")
        return None
    running = int(work.clock.time()) // _STEP
    matching = [step for step in (running - 1, running, running + 1) if same(totp.generate_otp(step), code)]
    return max(matching, default=None)


def _plain(code: str) -> str:
    """A code as it counts, however it was written down."""
    return "".join(code[:LONGEST_CODE].lower().split()).translate(_MISREAD)


def _fresh_codes() -> list[str]:
    """Ten of 60 random bits: with a keyed hash they need no slow one."""
    letters = [random_letters(_WRITTEN, 12) for _ in range(RECOVERY_CODES)]
    return [f"{each[:4]}-{each[4:8]}-{each[8:]}" for each in letters]


def _hashes(work: Work, user: User, codes: list[str]) -> list[str]:
    return [work.parts.vault.recovery_hash(user.id, _plain(each)) for each in codes]


def _key(user: User) -> str:
    return f"factor:{user.id}"


def _wrong_field() -> Invalid:
    return Invalid(FieldError("code", "Is not right, or was used already."))


async def _account(work: Work, me: UserActor) -> User:
    return await work.as_system("the caller's own account").store.users.get(me.id)


async def _entry(
    work: Work, action: str, user: User, *, by: UserActor | None = None, status: str = "success"
) -> dict[str, Any]:
    return work.entry(
        action,
        org_id=await homes.of(work, user),
        resource="user",
        resource_id=user.id,
        name=user.name,
        by=by,
        status=status,
    )


@open_because("it writes to the account's own address alone")
async def tell(work: Work, user: User, subject: str, what: str) -> None:
    """Tell the person by mail of what concerns their sign-in; `what` ends before what to do about it."""
    text = (
        f"{hello(user.name)}{what}, choose a new password at {work.parts.policy.public_url}/forgot and ask whoever "
        "runs this Pulse.\n"
    )
    await post(work, Mail(user.email, subject, text))
