"""Development tokens: what a project's key opens by itself, without its secret, where the project switched it on.

A page that is being built can join a room before it has a server: under a random identity, in rooms of one prefix,
for a quarter of an hour, with a limit and a cap of its own. Everybody who sees the key can do the same.
"""

from __future__ import annotations

from datetime import timedelta

from pulse_dash.core import key_text, tokens
from pulse_dash.core.access import Permission, PublicKeyActor, open_because, requires
from pulse_dash.core.errors import FieldError, Invalid, LimitExceeded, NotFound, Unauthenticated
from pulse_dash.core.grants import Permissions
from pulse_dash.core.tallying import DEVELOPMENT_TOKENS
from pulse_dash.core.tokens import MintedToken, TokenRequest
from pulse_dash.core.work import Work
from pulse_dash.store.projects import Project

SECONDS = 15 * 60
PER_MINUTE = 60
MOST_A_DAY = 1_000
DEFAULT_PREFIX = "dev-"
_IDENTITY = "guest-"


class CapReached(LimitExceeded):
    """A cap of the project's own is reached; the sentence names it."""

    code = "cap_reached"

    def __init__(self, what: str) -> None:
        super().__init__(f"The cap of {what} is reached.")


@open_because("the key is public; what it opens was switched on by who may change the project")
async def recognize(work: Work, public: str) -> PublicKeyActor:
    """Whose key this is, where its project lets it mint by itself. Raises Unauthenticated, Unavailable."""
    if not key_text.is_key(public):
        raise Unauthenticated

    async def load() -> PublicKeyActor | None:
        store = work.as_system("recognize a key without its secret").store
        key = await store.keys.by_public(public)
        if key is None or key.revoked_at is not None or key.public != public:
            return None
        try:
            project = await store.projects.get(key.project_id)
            await store.organizations.get(key.org_id)
        except NotFound:
            return None
        return PublicKeyActor(key.id, key.name, project) if project.development_prefix is not None else None

    found = await work.parts.known_keys.alone.get(public, load)
    if found is None:
        raise Unauthenticated
    return found


@requires(Permission.TOKENS_CREATE)
async def create(work: Work, *, room: str, name: str = "") -> MintedToken:
    """Mint a development token, which lets somebody speak, listen and send data.

    Raises NotFound for who is no key without its secret, Invalid, CapReached, Unavailable."""
    project = _project(work)
    prefix = project.development_prefix or ""
    if not room.startswith(prefix) or room == prefix:
        raise Invalid(FieldError("room", f"With a key alone it begins with {prefix} and goes on."))
    await _refuse_over_the_cap(work, project)
    identity = _IDENTITY + work.new_id("dev").removeprefix("dev_")
    permissions = Permissions(publish_data=True)
    minted = await tokens.create(work, TokenRequest(room, identity, name, ttl_seconds=SECONDS, permissions=permissions))
    work.parts.tallying.count(project.org_id, project.id, DEVELOPMENT_TOKENS)
    return minted


def _project(work: Work) -> Project:
    if not isinstance(work.actor, PublicKeyActor):
        raise NotFound
    return work.actor.project


async def _refuse_over_the_cap(work: Work, project: Project) -> None:
    """Counted by the hour, so the day has 24 whole hours and the running one; what is not written yet counts too."""
    since = (work.clock.now() - timedelta(hours=24)).replace(minute=0, second=0, microsecond=0)
    written = await work.as_system("count development tokens").store.tallies.total(
        project.id, DEVELOPMENT_TOKENS, since
    )
    if written + work.parts.tallying.waiting(project.id, DEVELOPMENT_TOKENS) >= MOST_A_DAY:
        raise CapReached(f"{MOST_A_DAY:,} development tokens in 24 hours")
