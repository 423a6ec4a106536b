"""The family of things that can go wrong, ordered by what the caller can do about them.

    PulseError
    ├── Unauthenticated        say who you are (again)
    │   └── SignedOut          the dashboard's session ended
    ├── NotFound               look elsewhere; also what another tenant owns
    ├── Gone                   it was there once, and its link is spent
    ├── Forbidden              ask for the permission it names
    │   └── SecondFactorNeeded set up a second factor, which the organization asks of everybody
    ├── Invalid                mend the named fields and send again
    ├── Conflict               read again, then decide
    │   └── PreconditionFailed the version that was named is no longer the newest
    ├── LimitExceeded          wait, or raise the limit it names
    │   └── RateLimited        wait `retry_after` seconds
    └── Unavailable            repeat later; a part of Pulse is away

It knows codes and sentences; how they look over HTTP or on a page is told elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One field of a request that cannot be taken, with the sentence a person reads."""

    field: str
    message: str


class PulseError(Exception):
    """What core raises; `code` is stable for machines, `detail` is a sentence for people."""

    code = "error"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code


class Unauthenticated(PulseError):
    """Nobody we know. The sentence never tells which part of the credentials was wrong."""

    code = "invalid_credentials"

    def __init__(self, detail: str = "The credentials are missing or not valid.", *, code: str | None = None) -> None:
        super().__init__(detail, code=code)


class SignedOut(Unauthenticated):
    """The dashboard's session is over; the page goes to the log-in."""

    code = "signed_out"

    def __init__(self) -> None:
        super().__init__("The session has ended. Sign in again.")


class NotFound(PulseError):
    """Not there, or another tenant's: the two are never told apart."""

    code = "not_found"

    def __init__(self, detail: str = "There is nothing here under that id.") -> None:
        super().__init__(detail)


class Gone(PulseError):
    """A link that was used, ran out or was taken back."""

    code = "gone"


class Forbidden(PulseError):
    """Visible to the caller, but not theirs to do; `permission` names what is missing."""

    code = "forbidden"

    def __init__(self, permission: str) -> None:
        super().__init__(f"This needs the permission {permission}, which your role here does not hold.")
        self.permission = permission


class SecondFactorNeeded(Forbidden):
    """A member, but of an organization that asks for a second factor, and the member has none."""

    code = "second_factor_needed"

    def __init__(self, permission: str) -> None:
        super().__init__(permission)
        self.detail = (
            "This organization asks everybody for a second factor, and you have none. Set one up in your account; you "
            "are in again within a second."
        )


class Invalid(PulseError):
    """One or more fields cannot be taken as they are."""

    code = "invalid"

    def __init__(self, *errors: FieldError, detail: str = "Some fields cannot be taken as they are.") -> None:
        super().__init__(detail)
        self.errors = errors


class Conflict(PulseError):
    """It contradicts what is there now."""

    code = "conflict"


class Moved(Conflict):
    """The document changed between reading and writing."""

    code = "moved"

    def __init__(self) -> None:
        super().__init__("It changed in the meantime. Read it again and decide anew.")


class PreconditionFailed(Conflict):
    """The caller named the version it had read (If-Match), and it is no longer the newest."""

    code = "precondition_failed"

    def __init__(self) -> None:
        super().__init__("It changed since you read it. Read it again and decide anew.")


class LimitExceeded(PulseError):
    """A plan's limit or the owner's own cap is reached; the code says which kind."""

    code = "plan_limit_exceeded"


class RateLimited(LimitExceeded):
    """Too many requests; `retry_after` is in whole seconds."""

    code = "rate_limited"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many requests. Try again in {retry_after} second{'' if retry_after == 1 else 's'}.")
        self.retry_after = retry_after


_SPOKEN = {"database": "The database", "store": "The database", "livekit": "LiveKit"}


class Unavailable(PulseError):
    """A part is away or not configured; `part` names it and `retry_after` is in whole seconds."""

    code = "unavailable"

    def __init__(self, part: str, detail: str | None = None, *, retry_after: int = 2) -> None:
        super().__init__(detail or f"{_SPOKEN.get(part, part.capitalize())} does not answer at the moment.")
        self.part = part
        self.retry_after = retry_after
