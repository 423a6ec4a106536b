"""Accounts of people. An address belongs to one account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pulse_dash.store.engine import Document, Update
from pulse_dash.store.records import Records
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, outbox

SCHEMA = CollectionSchema(
    "users",
    outbox(
        {
            "email": "string",
            "name": "string",
            "password_hash": "any",
            # The address again, where the account signs in with it: of several that name one, at most one.
            "login?": "string",
            "verified_at?": "date",
            "operator": "bool",
            # Counts up when all sign-ins end; a sign-in of an earlier count opens nothing.
            "epoch?": "int",
            # The same for personal tokens.
            "tokens_epoch?": "int",
            # The one sign-in that the last count left alone, where the person ended all others.
            "spared_session_id?": "string",
            "replaced_at?": "date",
            # When the person was erased, and when what follows from that is looked at again.
            "erased_at?": "date",
            "erase_due_at?": "date",
            "verify_hash?": "string",
            "verify_until?": "date",
            "reset_hash?": "string",
            "reset_until?": "date",
            # Where the account goes once the link that was mailed there is opened.
            "address_hash?": "string",
            "address_until?": "date",
            "address_to?": "string",
            "last_organization_id?": "string",
            # The second factor: the secret that an app shares with us, sealed; the time step of the code that counted
            # last; hashes of the recovery codes that are left; and a secret that no code has confirmed yet.
            "totp_secret?": "binary",
            "totp_step?": "int",
            "totp_since?": "date",
            "recovery?": "array",
            "totp_pending?": "binary",
            "totp_pending_until?": "date",
            "founder?": "bool",
            "last_seen_at?": "date",
            "created_at": "date",
            "updated_at": "date",
        }
    ),
    (
        Index("login", (("login", 1),), unique=True, partial="login"),
        Index("operator", (("operator", 1), ("_id", 1))),
        Index("erase_due_at", (("erase_due_at", 1),), partial="erase_due_at"),
        Index("founder", (("founder", 1),), unique=True, partial="founder"),
        PENDING,
    ),
)


# What is there while a second factor is on, and while one is being set up.
FACTOR = ("totp_secret", "totp_step", "totp_since", "recovery")
FACTOR_PENDING = ("totp_pending", "totp_pending_until")
# All that an account says of its person beside name and address, which are overwritten, and how they sign in.
GONE_WITH_THE_PERSON = (
    *("login", "verified_at", "spared_session_id", "last_organization_id", "last_seen_at"),
    *("verify_hash", "verify_until", "reset_hash", "reset_until", "address_hash", "address_until", "address_to"),
    *FACTOR,
    *FACTOR_PENDING,
)
_ERASED_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Factor:
    """A second factor that is on: its sealed secret, the step that counted last, and hashes of the recovery codes."""

    sealed: bytes
    step: int
    recovery: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class User:
    """A person who signs in; `email` is kept in lower case."""

    id: str
    email: str
    name: str
    password_hash: str | None
    last_organization_id: str | None
    created_at: datetime
    verified_at: datetime | None = None
    operator: bool = False
    epoch: int = 0
    spared_session_id: str | None = None
    tokens_epoch: int = 0
    version: int = 0
    factor: Factor | None = None
    last_seen_at: datetime | None = None
    moving_to: str | None = None
    moving_until: datetime | None = None
    erased_at: datetime | None = None

    def lets_in(self, session_id: str, epoch: int) -> bool:
        """Whether a sign-in that began at that count still opens the account."""
        return epoch == self.epoch or session_id == self.spared_session_id


class Users(Records[User]):
    """Accounts; nobody's scope reaches them, only Pulse itself and the person."""

    noun = "users"
    organization_field = None
    project_field = None

    def read(self, document: Document) -> User:
        return User(
            id=document["_id"],
            email=document["email"],
            name=document["name"],
            password_hash=document["password_hash"],
            last_organization_id=document.get("last_organization_id"),
            created_at=document["created_at"],
            verified_at=document.get("verified_at"),
            operator=document["operator"],
            epoch=document.get("epoch") or 0,
            tokens_epoch=document.get("tokens_epoch") or 0,
            spared_session_id=document.get("spared_session_id"),
            version=document["version"],
            factor=_factor(document),
            last_seen_at=document.get("last_seen_at"),
            moving_to=document.get("address_to"),
            moving_until=document.get("address_until"),
            erased_at=document.get("erased_at"),
        )

    async def by_email(self, email: str) -> User | None:
        """The account that signs in with this address, which the caller has put into lower case."""
        document = await self._documents.find_one(self._inside({"login": email}))
        return None if document is None else self.read(document)

    async def remember_organization(self, user_id: str, org_id: str) -> None:
        """Where the person worked last; a convenience, so it carries no entry."""
        await self._documents.update_one({"_id": user_id}, {"$set": {"last_organization_id": org_id}})

    async def forget_organization(self, user_id: str, org_id: str) -> None:
        """They do not work there any more, where they worked there last."""
        await self._documents.update_one(
            {"_id": user_id, "last_organization_id": org_id}, {"$unset": {"last_organization_id": ""}}
        )

    async def operators(self) -> list[User]:
        """Everybody who runs this installation, oldest account first."""
        return await self.list({"operator": True}, sort=[("_id", 1)])

    async def erasing(self, now: datetime) -> list[User]:
        """Erased people for whom what follows is to be looked at, the longest due first."""
        return await self.list({"erase_due_at": {"$lte": now}}, sort=[("erase_due_at", 1)], limit=_ERASED_AT_ONCE)

    async def erase_again(self, user_id: str, due: datetime | None) -> None:
        """Look at it again then; None for never."""
        update = {"$unset": {"erase_due_at": ""}} if due is None else {"$set": {"erase_due_at": due}}
        await self._documents.update_one({"_id": user_id, "erase_due_at": {"$exists": True}}, update)

    async def expect_link(self, user_id: str, kind: str, hashed: str, until: datetime, to: str | None = None) -> None:
        """The newest link of a kind, in place of the one before; what it does carries the entry."""
        moving = {} if to is None else {f"{kind}_to": to}
        await self._documents.update_one(
            {"_id": user_id}, {"$set": {f"{kind}_hash": hashed, f"{kind}_until": until, **moving}}
        )

    async def expected_link(self, user_id: str, kind: str) -> tuple[str | None, datetime | None]:
        """Hash and end of the link of that kind that was mailed last."""
        document = await self._documents.find_one({"_id": user_id}) or {}
        return document.get(f"{kind}_hash"), document.get(f"{kind}_until")

    async def note_seen(self, seen: dict[str, datetime]) -> None:
        """Remember when people were last there; a later time never gives way to an earlier one."""
        await self._documents.bulk_write(
            [Update({"_id": user_id}, {"$max": {"last_seen_at": at}}) for user_id, at in seen.items()]
        )

    async def expect_factor(self, user_id: str, sealed: bytes, until: datetime) -> None:
        """A second factor that a code is to confirm, in place of one before; what it does carries the entry."""
        await self._documents.update_one(
            {"_id": user_id}, {"$set": {"totp_pending": sealed, "totp_pending_until": until}}
        )

    async def expected_factor(self, user_id: str) -> tuple[bytes | None, datetime | None]:
        """The secret that a code is to confirm, and until when."""
        document = await self._documents.find_one({"_id": user_id}) or {}
        return document.get("totp_pending"), document.get("totp_pending_until")

    async def count_step(self, user_id: str, sealed: bytes, step: int) -> bool:
        """Let the code of a time step count, unless that or a later one has; so of a code used twice one use counts."""
        later = {"_id": user_id, "totp_secret": sealed, "totp_step": {"$lt": step}}
        return await self._documents.update_one(later, {"$set": {"totp_step": step}}) > 0


def _factor(document: Document) -> Factor | None:
    sealed = document.get("totp_secret")
    if sealed is None:
        return None
    return Factor(sealed, document["totp_step"], tuple(document["recovery"]), document["totp_since"])
