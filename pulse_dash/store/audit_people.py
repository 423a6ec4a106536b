"""People in the audit log: names, addresses and network addresses stand there under a key of the person they are of.

The keys lie in a collection of their own. Who is erased loses theirs: what the log holds of them can't be read by
anybody any more, and the chain, which is over what is stored, still fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import orjson

from pulse_dash.core.clock import Clock
from pulse_dash.store.engine import Document, Engine
from pulse_dash.store.schema import CollectionSchema

SCHEMA = CollectionSchema("audit_people", {"_id": "string", "sealed": "binary", "created_at": "date"})
# Whom an entry can be about. An invitation stands for somebody who has no account yet.
_PEOPLE: Final = frozenset({"user", "invitation"})
_OF_ACTOR: Final = ("name", "email")
_IN_CHANGES: Final = ("name", "email")
_NOBODY: Final = {"name": None, "email": None, "ip": ""}


class PersonCipher(Protocol):
    """Seals text under a key that is itself sealed by the installation's."""

    def fresh(self) -> bytes:
        """A new key, sealed, to be kept."""
        ...

    def seal(self, key: bytes, text: bytes, beside: str) -> str:
        """The text under that key, bound to what it stands beside. Raises Unavailable for a key that is not ours."""
        ...

    def open(self, key: bytes, sealed: str, beside: str) -> bytes | None:
        """The text again; None where it is not of this key and place."""
        ...


class People:
    """Seals what entries hold of people, and opens it for their readers."""

    def __init__(self, engine: Engine, clock: Clock, cipher: PersonCipher) -> None:
        self._keys = engine.collection("audit_people")
        self._clock = clock
        self._cipher = cipher

    async def sealed(self, entries: Sequence[Document]) -> list[Document]:
        """The entries as they are chained. Raises Unavailable."""
        keys = await self._of({person for entry in entries for person in _people_in(entry)}, make=True)
        return [self._seal(entry, keys) for entry in entries]

    async def opened(self, entries: Sequence[Document]) -> list[Document]:
        """The entries as they are read; of whom has no key any more, only the id is left."""
        keys = await self._of({person for entry in entries for person in _people_in(entry)}, make=False)
        return [self._open(entry, keys) for entry in entries]

    async def forget(self, person_id: str) -> int:
        """Delete a person's key, and with it what the log says of them."""
        return await self._keys.delete_one({"_id": person_id})

    async def _of(self, people: set[str], *, make: bool) -> dict[str, bytes]:
        if not people:
            return {}
        found = await self._found(people)
        if make and (missing := people - found.keys()):
            for person in sorted(missing):
                fresh = {"sealed": self._cipher.fresh(), "created_at": self._clock.now()}
                await self._keys.update_one({"_id": person}, {"$setOnInsert": fresh}, upsert=True)
            found = await self._found(people)
        return found

    async def _found(self, people: Iterable[str]) -> dict[str, bytes]:
        documents = await self._keys.find({"_id": {"$in": sorted(people)}})
        return {each["_id"]: each["sealed"] for each in documents}

    def _seal(self, entry: Document, keys: Mapping[str, bytes]) -> Document:
        entry_id, actor, resource = entry["_id"], dict(entry.get("actor") or {}), dict(entry.get("resource") or {})
        changed = dict(entry)
        if actor.get("type") == "user":
            of_actor = {name: actor.pop(name, None) for name in _OF_ACTOR} | {"ip": entry.get("ip") or ""}
            sealed = self._cipher.seal(keys[actor["id"]], orjson.dumps(of_actor), f"{entry_id}:actor")
            changed |= {"actor": {**actor, "sealed": sealed}, "ip": ""}
        if resource.get("type") == "session":
            # It is called by its person, whom the actor names already.
            changed["resource"] = {**resource, "name": ""}
        if resource.get("type") in _PEOPLE:
            key, name = keys[resource["id"]], orjson.dumps(resource.pop("name", None))
            changed["resource"] = {**resource, "sealed": self._cipher.seal(key, name, f"{entry_id}:resource")}
            if actor.get("type") == "anonymous":
                # Whoever did not say who they are is most often the person themselves: a password mistyped at home.
                ip = orjson.dumps(entry.get("ip") or "")
                changed["resource"]["sealed_ip"] = self._cipher.seal(key, ip, f"{entry_id}:ip")
                changed["ip"] = ""
            changes: Document = dict(entry.get("changes") or {})
            for field in _IN_CHANGES:
                if field in changes:
                    text = orjson.dumps(changes[field], default=str)
                    changes[field] = {"sealed": self._cipher.seal(key, text, f"{entry_id}:{field}")}
            changed["changes"] = changes
        return changed

    def _open(self, entry: Document, keys: Mapping[str, bytes]) -> Document:
        actor: Document = entry["actor"]
        resource: Document = entry.get("resource") or {}
        entry_id, opened = entry["_id"], dict(entry)
        if "sealed" in actor:
            opened["actor"] = actor = dict(actor)
            found = self._read(keys.get(actor["id"]), actor.pop("sealed"), f"{entry_id}:actor") or _NOBODY
            actor["name"], actor["email"], opened["ip"] = found["name"], found["email"], found["ip"] or ""
        if "sealed" in resource:
            opened["resource"] = resource = dict(resource)
            key = keys.get(resource["id"])
            resource["name"] = self._read(key, resource.pop("sealed"), f"{entry_id}:resource")
            if "sealed_ip" in resource:
                opened["ip"] = self._read(key, resource.pop("sealed_ip"), f"{entry_id}:ip") or ""
            changes: Document = dict(entry.get("changes") or {})
            for field in _IN_CHANGES:
                if isinstance(changes.get(field), Mapping) and "sealed" in changes[field]:
                    change = self._read(key, changes[field]["sealed"], f"{entry_id}:{field}")
                    changes[field] = change or {"before": None, "after": None}
            opened["changes"] = changes
        return opened

    def _read(self, key: bytes | None, sealed: str, beside: str) -> Any:
        text = None if key is None else self._cipher.open(key, sealed, beside)
        return None if text is None else orjson.loads(text)


def _people_in(entry: Document) -> list[str]:
    """Who an entry is by and about."""
    actor: Mapping[str, Any] = entry.get("actor") or {}
    resource: Mapping[str, Any] = entry.get("resource") or {}
    people = [str(actor.get("id"))] if actor.get("type") == "user" else []
    if resource.get("type") in _PEOPLE:
        people.append(str(resource.get("id")))
    return people
