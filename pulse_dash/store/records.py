"""Reading and changing the documents of one noun inside a scope, each change together with its audit entry.

A document carries entries that are not yet in the audit log (`pending`) and documents that its own creation
promises (`makes`) until the outbox has placed them; what lies in there is never handed to readers.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pulse_dash.core.errors import Forbidden, NotFound, SecondFactorNeeded
from pulse_dash.core.errors import Moved as Moved  # noqa: PLC0414 - what a change raises
from pulse_dash.store.engine import Collection, Document
from pulse_dash.store.scope import NOTHING, Scope

if TYPE_CHECKING:
    from pulse_dash.store.store import Store

T = TypeVar("T")

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """What the reader holds a permission over, and what it can see at all."""

    held: Scope
    visible: Scope
    permission: str
    # Told of each refusal: which noun, and the id, the organization and the name of what was asked for.
    refused: Callable[[str, Document], Awaitable[None]] | None = None
    # What the reader would see, did they have the second factor that it asks for.
    held_back: Scope = NOTHING


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; `page` counts from 1 and `total` counts all pages' items."""

    items: list[T]
    page: int
    limit: int
    total: int


@dataclass(frozen=True, slots=True)
class Making:
    """A document that another one's creation promises: the noun it belongs to, and itself."""

    noun: str
    document: Document


class Records(Generic[T]):
    """The documents of one noun as one reader may see and change them."""

    noun: ClassVar[str]
    organization_field: ClassVar[str | None] = "org_id"
    project_field: ClassVar[str | None] = "project_id"
    alive: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, store: Store, view: View) -> None:
        self._store = store
        self._view = view
        self._documents: Collection = store.engine.collection(self.noun)

    def read(self, document: Document) -> T:
        """The document as the noun's own type."""
        raise NotImplementedError(self.noun)

    async def get(self, record_id: str) -> T:
        """The one under this id. Raises NotFound, or Forbidden where it is visible but not held."""
        document = await self._documents.find_one(self._one(record_id, self._view.held))
        if document is None:
            raise await self._missing(record_id)
        return self.read(document)

    async def add(self, document: Document, entry: Entry, makes: Sequence[Making] = ()) -> T:
        """Store a new document with its entry and whatever else its creation promises.

        Raises DuplicateKey where a unique promise would break."""
        whole = self.draft(document, entry, makes)
        await self._documents.insert_one(whole)
        await self._store.settle(self.noun, whole, whole["pending"])
        return self.read(whole)

    def draft(self, document: Document, entry: Entry, makes: Sequence[Making] = ()) -> Document:
        """The document as it will stand in the store, for `add` or for another document's promise to make it."""
        now = self._store.clock.now()
        return {
            **document,
            "created_at": now,
            "updated_at": now,
            "version": 1,
            "pending": [dict(entry)],
            "makes": [{"noun": made.noun, "document": made.document} for made in makes],
            "pending_at": now,
        }

    async def change(
        self,
        record_id: str,
        values: Mapping[str, Any],
        entry: Entry,
        *,
        unset: Sequence[str] = (),
        expect: Mapping[str, Any] | None = None,
        also: Sequence[Entry] = (),
    ) -> T:
        """Change fields and keep the entry, in one write; `also` are entries for what else it concerns.

        Raises NotFound or Forbidden as `get` does, and Moved where `expect` no longer holds."""
        now, entries = self._store.clock.now(), [dict(each) for each in (entry, *also)]
        update: dict[str, Any] = {
            "$set": {**values, "updated_at": now, "pending_at": now},
            "$inc": {"version": 1},
            "$push": {"pending": {"$each": entries}},
        }
        if unset:
            update["$unset"] = dict.fromkeys(unset, "")
        document = await self._documents.find_one_and_update(
            both(self._one(record_id, self._view.held), expect or {}), update
        )
        if document is None:
            await self.get(record_id)
            raise Moved
        await self._store.settle(self.noun, document, entries)
        return self.read(document)

    async def list(self, filter: Mapping[str, Any], sort: Sequence[tuple[str, int]], limit: int = 0) -> list[T]:
        """All inside the scope that match, in order."""
        found = await self._documents.find(self._inside(filter), sort=list(sort), limit=limit)
        return [self.read(document) for document in found]

    async def page(
        self, filter: Mapping[str, Any], *, search: str, sort: Sequence[tuple[str, int]], page: int, limit: int
    ) -> Page[T]:
        """One page; `search` finds parts of the name, whatever their case, or the whole id."""
        query = self._inside(filter)
        if search:
            part = {"$regex": re.escape(search), "$options": "i"}
            query = {"$and": [query, {"$or": [{"name": part}, {"_id": search}]}]}
        total = await self._documents.count_documents(query)
        found = await self._documents.find(query, sort=list(sort), skip=(page - 1) * limit, limit=limit)
        return Page([self.read(document) for document in found], page, limit, total)

    async def count(self, filter: Mapping[str, Any]) -> int:
        """How many inside the scope match."""
        return await self._documents.count_documents(self._inside(filter))

    def _inside(self, filter: Mapping[str, Any]) -> dict[str, Any]:
        """What matches and lies inside what the reader holds."""
        scope = self._view.held.filter(self.organization_field, self.project_field)
        return both(both(filter, self.alive), scope)

    def _one(self, record_id: str, scope: Scope) -> dict[str, Any]:
        """The document under this id, if it lies inside; a condition on the same field never replaces the id."""
        inside = scope.filter(self.organization_field, self.project_field)
        own = inside.pop("_id", None)
        if own is not None and record_id not in own["$in"]:
            return {"_id": {"$in": []}}
        return both({"_id": record_id, **self.alive}, inside)

    async def _missing(self, record_id: str) -> NotFound | Forbidden:
        """The one place that tells 'not yours to see' from 'yours to see, not to do'."""
        kind = Forbidden
        seen = await self._seen(record_id, self._view.visible)
        if seen is None and self._view.held_back != NOTHING:
            kind = SecondFactorNeeded
            seen = await self._seen(record_id, self._view.held_back)
        if seen is None:
            return NotFound()
        if self._view.refused is not None:
            await self._view.refused(self.noun, seen)
        return kind(self._view.permission)

    async def _seen(self, record_id: str, scope: Scope) -> Document | None:
        return await self._documents.find_one(self._one(record_id, scope), projection={"org_id": 1, "name": 1})


def both(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The query for which both hold, also where both speak of the same field."""
    if one.keys() & other.keys():
        return {"$and": [dict(one), dict(other)]}
    return {**one, **other}


def page_of(items: list[T], page: int, limit: int) -> Page[T]:
    """One page of a list that is short enough to be held whole."""
    return Page(items[(page - 1) * limit : page * limit], page, limit, len(items))
