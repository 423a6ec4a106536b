"""API keys: making, regenerating and revoking them, and recognizing who sent a pair.

How a key is written is told by key_text; what this node remembers of verified pairs by known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from pulse_dash.core import key_text
from pulse_dash.core.access import KeyActor, Permission, open_because, requires
from pulse_dash.core.errors import Conflict, FieldError, Invalid, NotFound, Unauthenticated
from pulse_dash.core.known import KnownKey
from pulse_dash.core.names import name_errors
from pulse_dash.core.secret import Secret
from pulse_dash.core.vault import fingerprint
from pulse_dash.core.work import Parts, Work
from pulse_dash.store.engine import Document
from pulse_dash.store.keys import Key
from pulse_dash.store.projects import Project

MOST_GRACE_SECONDS = 86_400
UNUSED_AFTER = timedelta(days=30)


class KeyAlreadyRevoked(Conflict):
    """A revoked key opens nothing and never will again."""

    code = "key_revoked"

    def __init__(self, key: Key) -> None:
        super().__init__(f"The key {key.name} is revoked. Make a new one.")


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A key at the one moment when its secret can be read."""

    id: str
    name: str
    public: str
    secret: Secret
    old_valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key and the project that it opens."""

    key: Key
    project: Project


@requires(Permission.KEYS_CREATE)
async def create(work: Work, project_id: str, *, name: str) -> ShownKey:
    """Make one more key. Raises NotFound, Forbidden, Invalid."""
    project = await work.store.projects.get(project_id)
    shown, document = await drafted(work, org_id=project.org_id, project_id=project_id, name=name)
    await work.store.keys.add(document, document["pending"][0])
    return shown


@requires(Permission.KEYS_VIEW)
async def listing(work: Work, project_id: str) -> list[Key]:
    """All keys of a project, oldest first, revoked ones too. Raises NotFound."""
    await work.store.projects.get(project_id)
    return await work.store.keys.of_project(project_id)


def is_unused(key: Key, now: datetime) -> bool:
    """Whether a key that still opens something was not used for 30 days: then nobody would miss it."""
    return key.revoked_at is None and now - (key.last_used_at or key.created_at) >= UNUSED_AFTER


@requires(Permission.KEYS_VIEW)
async def search(work: Work, text: str, *, limit: int) -> list[FoundKey]:
    """Keys that are good, by a part of their name or by the whole API key or id, each with its project."""
    exactly = await work.store.keys.known_as(text)
    named = await work.store.keys.named(text, limit) if text else []
    found = {key.id: key for key in (*exactly, *named)}
    projects = await work.store.projects.under([key.project_id for key in found.values()])
    # A deleted project's keys open nothing, revoked or not.
    return [FoundKey(key, projects[key.project_id]) for key in found.values() if key.project_id in projects][:limit]


@requires(Permission.KEYS_REGENERATE)
async def regenerate(work: Work, project_id: str, *, key_id: str | None = None, grace_seconds: int = 0) -> ShownKey:
    """Give a key (the project's first by default) a new pair; the old one stops at once or after `grace_seconds`.

    Raises NotFound, Forbidden, Invalid, KeyAlreadyRevoked, Moved."""
    if not 0 <= grace_seconds <= MOST_GRACE_SECONDS:
        raise Invalid(FieldError("grace_seconds", f"Must be 0 to {MOST_GRACE_SECONDS}."))
    key = await _of_project(work, project_id, key_id)
    public, secret = key_text.new_key(), key_text.new_secret()
    old_valid_until = work.clock.now() + timedelta(seconds=grace_seconds) if grace_seconds else None
    kept = {"old_public": key.public, "old_secret_hash": key.secret_hash, "old_valid_until": old_valid_until}
    gone = () if grace_seconds else tuple(kept)
    await work.store.keys.change(
        key.id,
        {
            "public": public,
            "secret_hash": await work.parts.passwords.hash_secret(work.parts.vault.peppered(secret)),
            **({} if gone else kept),
        },
        _entry(work, "key.regenerated", key, {"grace_seconds": {"before": None, "after": grace_seconds}}),
        unset=gone,
        expect={"revoked_at": None, "version": key.version},
    )
    return ShownKey(key.id, key.name, public, Secret(secret), old_valid_until)


@requires(Permission.KEYS_REVOKE)
async def revoke(work: Work, project_id: str, key_id: str) -> Key:
    """Stop a key for good; calls already admitted run to their end.

    Raises NotFound, Forbidden, KeyAlreadyRevoked."""
    key = await _of_project(work, project_id, key_id)
    return await work.store.keys.change(
        key.id, {"revoked_at": work.clock.now()}, _entry(work, "key.revoked", key), expect={"revoked_at": None}
    )


@open_because("the pair itself is the proof")
async def recognize(work: Work, public: str, secret: str) -> KnownKey:
    """Whose pair this is. Raises Unauthenticated, the same for whatever is wrong with it."""
    known = remembered(work.parts, public, secret)
    if known is not None:
        return known
    if is_known_wrong(work.parts, public, secret):
        raise Unauthenticated
    known_keys, pair = work.parts.known_keys, _pair(public, secret)
    try:
        return await known_keys.asked.get(pair, lambda: _verified(work, public, secret))
    except Unauthenticated:
        known_keys.refused.add(pair)
        raise


@open_because("the pair itself is the proof")
def remembered(parts: Parts, public: str, secret: str) -> KnownKey | None:
    """The pair from this node's memory, without waiting; None when it must be looked up. Raises Unavailable."""
    known = parts.known_keys.pairs.recall(public)
    if known is None or not compare_digest(known.fingerprint, fingerprint(secret.encode("utf-8", "surrogatepass"))):
        return None
    if known.valid_until is not None and known.valid_until <= parts.clock.now():
        return None
    return known


@open_because("the pair itself is the proof")
def is_known_wrong(parts: Parts, public: str, secret: str) -> bool:
    """Whether the pair opens nothing, by how it is written or because it was looked up within the last minute."""
    if not key_text.is_key(public) or not key_text.is_secret(secret):
        return True
    return _pair(public, secret) in parts.known_keys.refused


def _pair(public: str, secret: str) -> tuple[str, bytes]:
    return public, fingerprint(secret.encode())


async def _verified(work: Work, public: str, secret: str) -> KnownKey:
    found: KnownKey | None = None

    async def load() -> KnownKey | None:
        nonlocal found
        found = await _load(work, public, secret)
        return found

    remembered_pair = await work.parts.known_keys.pairs.get(public, load)
    if found is None and remembered_pair is not None:
        # Another secret was verified for this key before; this one is looked at by itself and not remembered.
        found = await _load(work, public, secret)
    if found is None:
        raise Unauthenticated
    return found


async def _load(work: Work, public: str, secret: str) -> KnownKey | None:
    system = work.as_system("recognize a key")
    key = await system.store.keys.by_public(public)
    if key is None or key.revoked_at is not None:
        return None
    current = key.public == public
    hashed = key.secret_hash if current else key.old_secret_hash
    if hashed is None or (not current and (key.old_valid_until is None or key.old_valid_until <= work.clock.now())):
        return None
    if not await work.parts.passwords.check_secret(work.parts.vault.peppered(secret), hashed):
        return None
    try:
        project = await system.store.projects.get(key.project_id)
        await system.store.organizations.get(key.org_id)
    except NotFound:
        return None
    actor = KeyActor(key.id, key.name, project)
    return KnownKey(actor, fingerprint(secret.encode()), None if current else key.old_valid_until)


@open_because("only drafts; storing the draft needs the permission")
async def drafted(work: Work, *, org_id: str, project_id: str, name: str) -> tuple[ShownKey, Document]:
    """A fresh key to show, and its document with its entry, for a caller that stores it with something else.

    Raises Invalid."""
    if errors := name_errors(name=name):
        raise Invalid(*errors)
    name = name.strip()
    key_id, public, secret = work.new_id("key"), key_text.new_key(), key_text.new_secret()
    document = {
        "_id": key_id,
        "org_id": org_id,
        "project_id": project_id,
        "name": name,
        "public": public,
        "secret_hash": await work.parts.passwords.hash_secret(work.parts.vault.peppered(secret)),
        "last_used_at": None,
        "revoked_at": None,
    }
    entry = work.entry("key.created", org_id=org_id, resource="key", resource_id=key_id, name=name)
    return ShownKey(key_id, name, public, Secret(secret)), work.store.keys.draft(document, entry)


async def _of_project(work: Work, project_id: str, key_id: str | None) -> Key:
    """The named key, or the first that is not revoked. Raises NotFound, Forbidden, KeyAlreadyRevoked."""
    await work.store.projects.get(project_id)
    if key_id is None:
        living = [key for key in await work.store.keys.of_project(project_id) if key.revoked_at is None]
        if not living:
            raise NotFound("This project has no key. Make one.")
        return living[0]
    key = await work.store.keys.get(key_id)
    if key.project_id != project_id:
        raise NotFound
    if key.revoked_at is not None:
        raise KeyAlreadyRevoked(key)
    return key


def _entry(work: Work, action: str, key: Key, changes: dict[str, object] | None = None) -> dict[str, object]:
    return work.entry(action, org_id=key.org_id, resource="key", resource_id=key.id, name=key.name, changes=changes)
