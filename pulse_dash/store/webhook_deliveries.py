"""What each webhook is to be told: one document a webhook and event, while it waits and for a while when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pulse_dash.store.engine import Document, DuplicateKey
from pulse_dash.store.records import Records
from pulse_dash.store.schema import CollectionSchema, Index

State = Literal["waiting", "delivered", "dead"]

_EVER = datetime(9999, 1, 1, tzinfo=UTC)

SCHEMA = CollectionSchema(
    "webhook_deliveries",
    {
        "_id": "string",
        "org_id": "string",
        "project_id": "string",
        "webhook_id": "string",
        "event_id": "string",
        "type": "string",
        "body": "string",
        "state": "string",
        "attempts": "int",
        "created_at": "date",
        # When it is tried next, or again if whoever tries it now is gone by then.
        "due_at?": "date",
        "done_at?": "date",
        # What the last attempt came to: a status, or why there was none.
        "status?": "int",
        "failure?": "string",
    },
    (
        Index("event", (("webhook_id", 1), ("event_id", 1)), unique=True),
        Index("due_at", (("due_at", 1),), partial="due_at"),
        Index("webhook_due_at", (("webhook_id", 1), ("due_at", 1)), partial="due_at"),
        Index("project", (("project_id", 1), ("_id", -1))),
        Index("project_state", (("project_id", 1), ("state", 1), ("_id", -1))),
        Index("project_webhook", (("project_id", 1), ("webhook_id", 1), ("_id", -1))),
        Index("project_webhook_state", (("project_id", 1), ("webhook_id", 1), ("state", 1), ("_id", -1))),
        Index("webhook", (("webhook_id", 1), ("state", 1), ("created_at", 1))),
        Index("created_at", (("created_at", 1),)),
    ),
)


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """One event for one webhook; `status` is what was answered last, `failure` why nothing was."""

    id: str
    org_id: str
    project_id: str
    webhook_id: str
    event_id: str
    type: str
    body: str
    state: State
    attempts: int
    created_at: datetime
    due_at: datetime | None
    done_at: datetime | None
    status: int | None
    failure: str | None


class WebhookDeliveries(Records[WebhookDelivery]):
    """Read inside a scope; written by Pulse itself."""

    noun = "webhook_deliveries"

    def read(self, document: Document) -> WebhookDelivery:
        return WebhookDelivery(
            id=document["_id"],
            org_id=document["org_id"],
            project_id=document["project_id"],
            webhook_id=document["webhook_id"],
            event_id=document["event_id"],
            type=document["type"],
            body=document["body"],
            state=document["state"],
            attempts=document["attempts"],
            created_at=document["created_at"],
            due_at=document.get("due_at"),
            done_at=document.get("done_at"),
            status=document.get("status"),
            failure=document.get("failure"),
        )

    async def of_project(
        self, project_id: str, *, webhook_id: str | None, state: str | None, before: str, limit: int
    ) -> list[WebhookDelivery]:
        """So many made before the one of this id, the newest first; of one webhook, in one state, where so asked."""
        asked = {"webhook_id": webhook_id, "state": state, "_id": {"$lt": before} if before else None}
        chosen = {"project_id": project_id, **{name: value for name, value in asked.items() if value is not None}}
        return await self.list(chosen, sort=[("_id", -1)], limit=limit)

    async def put(self, document: Mapping[str, Any], *, now: datetime) -> bool:
        """Keep one that is due now; False where its webhook was told of this event, or will be."""
        waiting = {"state": "waiting", "attempts": 0, "created_at": now, "due_at": now}
        try:
            await self._documents.insert_one({**document, **waiting})
        except DuplicateKey:
            return False
        return True

    async def claim(self, webhook_id: str, now: datetime, *, until: datetime) -> WebhookDelivery | None:
        """The one of this webhook that waits longest; nobody else gets it before `until`."""
        found = await self._documents.find_one_and_update(
            {"webhook_id": webhook_id, "due_at": {"$lte": now}},
            {"$set": {"due_at": until}},
            sort=[("due_at", 1)],
        )
        return None if found is None else self.read(found)

    async def next_due(self, webhook_id: str) -> datetime | None:
        """When the next one of this webhook is to be tried."""
        found = await self._documents.find(
            {"webhook_id": webhook_id, "due_at": {"$lte": _EVER}}, sort=[("due_at", 1)], limit=1
        )
        return found[0]["due_at"] if found else None

    async def put_off(self, delivery_id: str, until: datetime, *, status: int | None, failure: str | None) -> None:
        """Try it again then."""
        told = {"due_at": until, "status": status, "failure": failure}
        change = {"$set": told, "$inc": {"attempts": 1}}
        await self._documents.update_one({"_id": delivery_id, "state": "waiting"}, change)

    async def finish(
        self,
        delivery_id: str,
        state: State,
        now: datetime,
        *,
        status: int | None,
        failure: str | None,
        tried: bool = True,
    ) -> None:
        """It is over: it arrived, or is tried no more until somebody asks for it."""
        told = {"state": state, "done_at": now, "status": status, "failure": failure}
        change = {"$set": told, "$unset": {"due_at": ""}, "$inc": {"attempts": int(tried)}}
        await self._documents.update_one({"_id": delivery_id}, change)

    async def again(self, delivery_id: str, now: datetime) -> bool:
        """Try one that is over from the beginning; False where it waits already."""
        over = self._inside({"_id": delivery_id, "state": {"$in": ["delivered", "dead"]}})
        return await self._documents.find_one_and_update(over, _anew(now)) is not None

    async def some_again(self, webhook_id: str, since: datetime, now: datetime, limit: int) -> int:
        """Try some of what a webhook was not told and that was made since then; answers how many."""
        dead = {"webhook_id": webhook_id, "state": "dead", "created_at": {"$gte": since}}
        found = await self.list(dead, sort=[("created_at", 1)], limit=limit)
        ids = {"_id": {"$in": [each.id for each in found]}, "state": "dead"}
        return int(await self._documents.update_many(ids, _anew(now))) if found else 0

    async def forget(self, before: datetime) -> int:
        """Remove what was made before that moment."""
        return int(await self._documents.delete_many({"created_at": {"$lt": before}}))


def _anew(now: datetime) -> dict[str, Any]:
    return {
        "$set": {"state": "waiting", "attempts": 0, "due_at": now},
        "$unset": {"done_at": "", "status": "", "failure": ""},
    }
