"""A project's own LiveKit and bucket: what may be given, how it is kept, and whether it works.

Secrets are encrypted before they reach the store and never leave again; what people see of them is their last four
characters.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson

from pulse_dash.core.access import Permission, open_because, requires
from pulse_dash.core.errors import Conflict, FieldError, Invalid, PulseError, Unavailable
from pulse_dash.core.media import LiveKit
from pulse_dash.core.media_servers import installations, server_of
from pulse_dash.core.media_token import Signer
from pulse_dash.core.outbound import Purpose
from pulse_dash.core.secret import Secret
from pulse_dash.core.storage import Bucket, Storage
from pulse_dash.core.vault import Unreadable, same
from pulse_dash.core.work import Work
from pulse_dash.store.projects import OwnStorage, Project

Provider = Literal["s3", "r2"]
PROVIDERS: tuple[Provider, ...] = ("s3", "r2")
TRIED_UNDER = "pulse-connection-test/"

_HINT = 4
# Of a shorter one four characters would tell too much.
_SHORTEST_WITH_HINT = 12
_VISIBLE = re.compile(r"[\x21-\x7e]{1,512}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]{1,64}")


class LiveKitTaken(Conflict):
    """One LiveKit key serves one project: two on one server would see each other's rooms."""

    code = "livekit_taken"

    def __init__(self) -> None:
        super().__init__("This LiveKit key already serves another project. Make a key of its own for this one.")


@dataclass(frozen=True, slots=True)
class GivenLiveKit:
    """A LiveKit as somebody gives it to a project."""

    url: str
    api_key: str
    api_secret: Secret


@dataclass(frozen=True, slots=True)
class GivenStorage:
    """A bucket as somebody gives it to a project."""

    provider: str
    bucket: str
    access_key_id: str
    secret_access_key: Secret
    endpoint: str | None = None
    region: str | None = None
    public_url: str | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """Whether a connection works, in a sentence that says what to do where it does not."""

    works: bool
    sentence: str


@open_because("projects holds the permission; this only drafts the fields")
async def livekit_fields(work: Work, given: GivenLiveKit) -> dict[str, Any]:
    """The project's fields that hold this LiveKit. Raises Invalid, LiveKitTaken."""
    url = _livekit_url(given.url)
    errors = [
        *_wrong_texts(("livekit.api_key", given.api_key), ("livekit.api_secret", given.api_secret.reveal())),
        *([] if url else [FieldError("livekit.url", "Must be wss:// or ws:// and a host, without ? or #.")]),
    ]
    if errors or url is None:
        raise Invalid(*errors)
    await work.parts.outbound.check(Purpose.LIVEKIT, url, field="livekit.url")
    if _is_the_installations(work, given):
        raise LiveKitTaken
    vault, secret = work.parts.vault, given.api_secret.reveal()
    livekit_id = work.new_id("lkt")
    return {
        "livekit": {
            "id": livekit_id,
            "url": url,
            "key_hint": _hint(given.api_key),
            "secret_hint": _hint(secret),
            "sealed": vault.sealed(orjson.dumps({"key": given.api_key, "secret": secret})),
        },
        "livekit_id": livekit_id,
        # The pair and not the key alone: a key stands in every token, and nobody takes it away by naming it first.
        "livekit_pair": vault.livekit_mac(given.api_key, secret),
    }


@open_because("projects holds the permission; this only drafts the fields")
async def storage_fields(work: Work, given: GivenStorage) -> dict[str, Any]:
    """The project's fields that hold this bucket. Raises Invalid."""
    region = given.region or ("auto" if given.provider == "r2" else "us-east-1")
    endpoint = given.endpoint or (f"https://s3.{region}.amazonaws.com" if given.provider == "s3" else "")
    secret = given.secret_access_key.reveal()
    errors = _wrong_texts(("storage.access_key_id", given.access_key_id), ("storage.secret_access_key", secret))
    if given.provider not in PROVIDERS:
        errors.append(FieldError("storage.provider", f"Must be one of {', '.join(PROVIDERS)}."))
    if not _BUCKET.fullmatch(given.bucket) or ".." in given.bucket:
        errors.append(FieldError("storage.bucket", "Must be a bucket's name: 3 to 63 of a-z, 0-9, dots and dashes."))
    if not _REGION.fullmatch(region):
        errors.append(FieldError("storage.region", "Must be a region's name, such as eu-west-1."))
    if not endpoint and given.provider == "r2":
        errors.append(
            FieldError("storage.endpoint", "R2 needs its address: https://<account id>.r2.cloudflarestorage.com.")
        )
    if errors:
        raise Invalid(*errors)
    for name, url in (("endpoint", endpoint), ("public_url", given.public_url)):
        if url is not None:
            await work.parts.outbound.check(Purpose.STORAGE, url, field=f"storage.{name}")
    sealed = work.parts.vault.sealed(orjson.dumps({"key": given.access_key_id, "secret": secret}))
    kept = OwnStorage(
        provider=given.provider,
        bucket=given.bucket,
        endpoint=endpoint,
        region=region,
        public_url=given.public_url,
        key_hint=_hint(given.access_key_id),
        secret_hint=_hint(secret),
        sealed=sealed,
    )
    return {"storage": asdict(kept)}


@open_because("the caller has found the project in its own scope")
def storage_of(work: Work, project: Project) -> Storage:
    """The bucket of this project: its own, or the installation's. Raises Unavailable."""
    own = project.storage
    if own is None:
        return work.parts.storage
    try:
        pair = orjson.loads(work.parts.vault.opened(own.sealed))
    except Unreadable as error:
        raise Unavailable("storage", "The keys of this project's bucket can't be read. Set them anew.") from error
    bucket = Bucket(own.bucket, own.endpoint, own.region, pair["key"], Secret(pair["secret"]))
    return work.parts.connect_storage(bucket)


@requires(Permission.PROJECTS_CHANGE)
async def try_livekit(work: Work, project_id: str) -> Tried:
    """Ask the project's LiveKit for its rooms, with a signed call. Raises NotFound, Forbidden."""
    project = await work.store.projects.get(project_id)
    try:
        rooms = await server_of(work.parts, project).livekit.rooms()
    except PulseError as error:
        return Tried(False, error.detail)
    running = "1 room is running" if len(rooms) == 1 else f"{len(rooms)} rooms are running"
    return Tried(True, f"LiveKit takes this key. {running} there now." if project.livekit else "LiveKit answers.")


@requires(Permission.PROJECTS_CHANGE)
async def try_storage(work: Work, project_id: str) -> Tried:
    """Write a small object into the project's bucket, read it and delete it. Raises NotFound, Forbidden."""
    project = await work.store.projects.get(project_id)
    key, body = f"{TRIED_UNDER}{work.new_id('try')}", secrets.token_bytes(32)
    steps: list[tuple[str, Callable[[Storage], Any]]] = [
        ("written", lambda storage: storage.write(key, body)),
        ("read", lambda storage: storage.read(key)),
        ("deleted", lambda storage: storage.delete(key)),
    ]
    done: list[str] = []
    try:
        storage = storage_of(work, project)
        for word, step in steps:
            answer = await step(storage)
            if word == "read" and answer != body:
                return Tried(False, "What was read is not what was written. Is this address really the bucket's?")
            done.append(word)
    except PulseError as error:
        before = f"A small object was {' and '.join(done)}; then: " if done else ""
        return Tried(False, f"{before}{error.detail}")
    return Tried(True, "A small object was written, read and deleted.")


def _livekit_url(text: str) -> str | None:
    """As clients connect to it. A slash at the end would stand twice before every path."""
    url = re.sub(r"^http(s?)://", r"ws\1://", text.strip()).rstrip("/")
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"ws", "wss"} and not parts.query and not parts.fragment else None


def _is_the_installations(work: Work, given: GivenLiveKit) -> bool:
    """On a LiveKit of the installation's a project without prefix would see everybody's rooms."""
    given_signature = Signer(given.api_secret.reveal().encode()).sign({})
    return any(_is_pair(each, given.api_key, given_signature) for each in installations(work.parts).values())


def _is_pair(livekit: LiveKit, api_key: str, signature: str) -> bool:
    try:
        return livekit.api_key == api_key and same(livekit.signer.sign({}), signature)
    except Unavailable:
        return False


def _wrong_texts(*named: tuple[str, str]) -> list[FieldError]:
    sentence = "Must be 1 to 512 visible ASCII characters."
    return [FieldError(name, sentence) for name, text in named if not _VISIBLE.fullmatch(text)]


def _hint(secret: str) -> str:
    return secret[-_HINT:] if len(secret) >= _SHORTEST_WITH_HINT else ""
