"""The store as a whole: what every noun's records share, the outbox that settles their promises, and the changes feed.

It knows documents and scopes. Who may see what, and what a change means, is decided in core.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from pulse_dash.core.clock import Clock
from pulse_dash.core.errors import PulseError, Unavailable
from pulse_dash.store import leases
from pulse_dash.store.audit_anchors import AuditAnchors
from pulse_dash.store.audit_chain import Chains, Signing
from pulse_dash.store.audit_exports import AuditExports
from pulse_dash.store.audit_log import AuditLog
from pulse_dash.store.audit_people import People, PersonCipher
from pulse_dash.store.audit_writer import AuditWriter, Owed
from pulse_dash.store.bans import Bans
from pulse_dash.store.catalog import COLLECTIONS
from pulse_dash.store.checks import Checks
from pulse_dash.store.engine import Document, DuplicateKey, Engine
from pulse_dash.store.ids import IdMaker
from pulse_dash.store.incidents import Incidents
from pulse_dash.store.invitations import Invitations
from pulse_dash.store.kept_answers import KeptAnswers
from pulse_dash.store.keys import Keys
from pulse_dash.store.mails import Mails
from pulse_dash.store.media_events import MediaEvents
from pulse_dash.store.organizations import DeletedOrganizations, Organizations
from pulse_dash.store.personal_tokens import PersonalTokens
from pulse_dash.store.projects import Projects
from pulse_dash.store.records import View
from pulse_dash.store.refusals import Refusals
from pulse_dash.store.revocations import Revocations
from pulse_dash.store.sessions import Sessions
from pulse_dash.store.status_deliveries import StatusDeliveries
from pulse_dash.store.status_subscriptions import StatusSubscriptions
from pulse_dash.store.tallies import Tallies
from pulse_dash.store.users import Users
from pulse_dash.store.webhook_deliveries import WebhookDeliveries
from pulse_dash.store.webhooks import Webhooks

log = structlog.get_logger(__name__)

_WITH_OUTBOX = tuple(schema.name for schema in COLLECTIONS if "pending" in schema.fields)
_FEED_OVERLAP = timedelta(seconds=10)
_BATCH = 200


class Store:
    """The whole store, unscoped; `through` gives what one reader may see of it."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        ids: IdMaker,
        say: Callable[[str], None],
        signing: Signing,
        cipher: PersonCipher,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.ids = ids
        self.people = People(engine, clock, cipher)
        self.chains = Chains(engine, clock, signing, self.people)
        self._say = say
        self._audit = AuditWriter(engine, self.chains, say, self._owe)
        # A promise that could not be kept at once; the drainer then does not wait for its next sweep.
        self.owes = False
        self._unreleased: set[str] = set()

    def through(self, view: View) -> ScopedStore:
        """The store as seen by who holds that view."""
        return ScopedStore(self, view)

    async def settle(self, noun: str, document: Document, entries: Sequence[Document]) -> None:
        """Do what a write with its entries promises: other nodes are told and promised documents made at once, the log
        is written behind it. What else waits in the document is its own writer's.

        A failure here loses nothing: the promise stands in the document and `drain` keeps it."""
        try:
            self._audit.later(await self._spread(noun, document, entries))
        except PulseError:
            self._owe()
            log.warning("outbox.later", noun=noun, id=document["_id"])
        self._say(f"{noun}:{document['_id']}")

    async def logged(self) -> None:
        """Wait until the log holds what was changed on this node before now, or its writing failed."""
        await self._audit.settled()

    def _owe(self) -> None:
        self.owes = True

    def release_later(self, answer_id: str) -> None:
        """Give up a claim on a request, that could not be given up at once, when the database is back."""
        self._unreleased.add(answer_id)
        self.owes = True

    async def drain(self) -> int:
        """Keep every promise that is still open, on any node, after any crash; answers how many documents had one.

        One that can't be kept is logged for people to look at, and no other waits for it. Raises Unavailable."""
        settled = 0
        if self._unreleased:
            given_up = sorted(self._unreleased)
            await self.engine.collection("kept_answers").delete_many({"_id": {"$in": given_up}})
            self._unreleased.difference_update(given_up)
        self.owes = False
        for noun in _WITH_OUTBOX:
            settled += await self._drain(noun)
        return settled

    async def _drain(self, noun: str) -> int:
        """All of one collection, the oldest first."""
        settled, stuck = 0, list[str]()
        while True:
            open_ones = {"pending_at": {"$exists": True}, "_id": {"$nin": stuck}}
            waiting = await self.engine.collection(noun).find(open_ones, sort=[("pending_at", 1)], limit=_BATCH)
            owed: list[Owed] = []
            for document in waiting:
                try:
                    owed += await self._spread(noun, document, document.get("pending", []))
                except Unavailable:
                    raise
                except PulseError as error:
                    log.exception("outbox.stuck", noun=noun, id=document["_id"], code=error.code)
                    stuck.append(document["_id"])
                else:
                    settled += 1
            if owed:
                await self._audit.write(owed)
            if len(waiting) < _BATCH:
                return settled

    async def changes_since(self, moment: datetime) -> list[tuple[str, str, datetime]]:
        """Ids, subjects and times of what changed since, with an overlap for clocks and late writers."""
        found = await self.engine.collection("changes").find({"at": {"$gte": moment - _FEED_OVERLAP}})
        return [(change["_id"], change["subject"], change["at"]) for change in found]

    async def forget_changes(self, before: datetime) -> int:
        """Remove what every node has long read."""
        return await self.engine.collection("changes").delete_many({"at": {"$lt": before}})

    async def lease(self, name: str, holder: str, life: timedelta) -> bool:
        """Hold a job for so long; False while another node holds it."""
        now = self.clock.now()
        return await leases.take(self.engine, name, holder, now=now, until=now + life)

    async def _spread(self, noun: str, document: Document, entries: Sequence[Document]) -> list[Owed]:
        """Make what the document promises and tell all nodes of the change; answers what the log is owed then."""
        owed = [Owed(noun, document["_id"], entries)]
        for made in document.get("makes", ()):
            await self._insert_once(made["noun"], made["document"])
            owed += await self._spread(made["noun"], made["document"], made["document"].get("pending", []))
        for entry in entries:
            await self.engine.collection("changes").update_one(
                {"_id": entry["_id"]},
                {"$currentDate": {"at": True}, "$setOnInsert": {"subject": f"{noun}:{document['_id']}"}},
                upsert=True,
            )
        return owed

    async def _insert_once(self, noun: str, document: Document) -> None:
        try:
            await self.engine.collection(noun).insert_one(document)
        except DuplicateKey as taken:
            if taken.index != "_id_":
                raise


class ScopedStore:
    """Each noun's records as one reader may see them."""

    __slots__ = (
        "audit_anchors",
        "audit_exports",
        "audit_log",
        "bans",
        "checks",
        "deleted_organizations",
        "incidents",
        "invitations",
        "kept_answers",
        "keys",
        "mails",
        "media_events",
        "organizations",
        "personal_tokens",
        "projects",
        "refusals",
        "revocations",
        "sessions",
        "status_deliveries",
        "status_subscriptions",
        "tallies",
        "users",
        "webhook_deliveries",
        "webhooks",
    )

    def __init__(self, store: Store, view: View) -> None:
        self.users = Users(store, view)
        self.invitations = Invitations(store, view)
        self.organizations = Organizations(store, view)
        self.deleted_organizations = DeletedOrganizations(store, view)
        self.projects = Projects(store, view)
        self.keys = Keys(store, view)
        self.refusals = Refusals(store, view)
        self.revocations = Revocations(store, view)
        self.bans = Bans(store, view)
        self.webhooks = Webhooks(store, view)
        self.webhook_deliveries = WebhookDeliveries(store, view)
        self.personal_tokens = PersonalTokens(store, view)
        self.sessions = Sessions(store, view)
        self.tallies = Tallies(store, view)
        self.mails = Mails(store)
        self.checks = Checks(store)
        self.incidents = Incidents(store, view)
        self.status_subscriptions = StatusSubscriptions(store)
        self.status_deliveries = StatusDeliveries(store)
        self.media_events = MediaEvents(store)
        self.kept_answers = KeptAnswers(store)
        self.audit_anchors = AuditAnchors(store, view)
        self.audit_exports = AuditExports(store, view)
        self.audit_log = AuditLog(store, view)
