"""LiveKit's grants, each by its name in a token: which permissions of ours it stands for, whether Pulse signs it, and
what it allows in words.

A grant that LiveKit ties to no room is signed into no token that leaves Pulse. A test holds the tables to livekit-api's
own classes, so that a grant of tomorrow is decided on and not overlooked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast


class Permissions(NamedTuple):
    """What a participant may do in the room; each has its LiveKit grant."""

    join: bool = True
    publish: bool = True
    subscribe: bool = True
    publish_data: bool = False
    publish_sources: tuple[str, ...] | None = None
    update_metadata: bool = False
    hidden: bool = False
    room_admin: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant; `words` follow "may" or, where it is not given, "may not"."""

    signed: bool
    words: str


VIDEO: Mapping[str, Grant] = {
    "room": Grant(True, "enter no other room"),
    "roomJoin": Grant(True, "join the room"),
    "canPublish": Grant(True, "speak and show video"),
    "canSubscribe": Grant(True, "hear and see others"),
    "canPublishData": Grant(True, "send data"),
    "canPublishSources": Grant(True, "publish only some sources"),
    "canUpdateOwnMetadata": Grant(True, "change its own name, metadata and attributes"),
    "hidden": Grant(True, "be there unseen"),
    "roomAdmin": Grant(True, "remove and mute others in the room"),
    "roomCreate": Grant(False, "make and end any room"),
    "roomList": Grant(False, "list all rooms of the server"),
    "roomRecord": Grant(False, "record any room, and list and stop every recording"),
    "ingressAdmin": Grant(False, "make and delete every ingress"),
    "destinationRoom": Grant(False, "be forwarded into another room"),
    "recorder": Grant(False, "pass as a recorder"),
    "agent": Grant(False, "register as an agent's worker and enter any room"),
    "canManageAgentSession": Grant(False, "steer an agent's session"),
    "canSubscribeMetrics": Grant(False, "read the room's metrics"),
}
SIP: Mapping[str, Grant] = {
    "admin": Grant(False, "change every telephone trunk and rule"),
    "call": Grant(False, "make telephone calls"),
}
# What else a token can carry, in LiveKit's words; True is what Pulse writes.
CLAIMS: Mapping[str, bool] = {
    "identity": True,
    "name": True,
    "metadata": True,
    "video": True,
    "attributes": True,
    "roomConfig": True,
    "kind": False,
    "sip": False,
    "inference": False,
    "observability": False,
    "agent": False,
    "agentEndpoint": False,
    "agentThread": False,
    "sha256": False,
    "roomPreset": False,
}

_ALLOWED_UNLESS_REFUSED = ("canPublish", "canSubscribe")
_SOURCES = {
    "camera": "the camera",
    "microphone": "the microphone",
    "screen_share": "the screen",
    "screen_share_audio": "the screen's sound",
}
PUBLISH_SOURCES = tuple(_SOURCES)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a token allows and what it does not, in words."""

    may: tuple[str, ...]
    may_not: tuple[str, ...]


def grant_of(room: str, permissions: Permissions) -> dict[str, Any]:
    """The `video` claim that allows this in one of LiveKit's rooms."""
    grant: dict[str, Any] = {
        "room": room,
        "roomJoin": permissions.join,
        # LiveKit reads an empty list of sources as all of them, so none at all is said by the grant itself.
        "canPublish": permissions.publish and permissions.publish_sources != (),
        "canSubscribe": permissions.subscribe,
        "canPublishData": permissions.publish_data,
    }
    if permissions.publish_sources:
        grant["canPublishSources"] = list(permissions.publish_sources)
    if permissions.update_metadata:
        grant["canUpdateOwnMetadata"] = True
    if permissions.hidden:
        grant["hidden"] = True
    if permissions.room_admin:
        grant["roomAdmin"] = True
    return grant


def permissions_of(video: Mapping[str, Any]) -> Permissions:
    """What a grant allows; LiveKit takes an unset publish or subscribe as allowed, and an unset data as publish is."""
    sources: Any = video.get("canPublishSources")
    return Permissions(
        join=video.get("roomJoin") is True,
        publish=video.get("canPublish") is not False,
        subscribe=video.get("canSubscribe") is not False,
        publish_data=video.get("canPublishData", video.get("canPublish")) is not False,
        publish_sources=tuple(map(str, cast("list[Any]", sources))) if isinstance(sources, list) else None,
        update_metadata=video.get("canUpdateOwnMetadata") is True,
        hidden=video.get("hidden") is True,
        room_admin=video.get("roomAdmin") is True,
    )


def in_words(claims: Mapping[str, Any]) -> Allowed:
    """Everything that a token's grants allow, those too that Pulse never signs; and what a guest would miss."""
    video, sip = _mapping(claims.get("video")), _mapping(claims.get("sip"))
    given = {name for name, value in video.items() if value is True and name in VIDEO}
    # LiveKit takes an unset publish or subscribe as allowed, and an unset data as publish is.
    given |= {name for name in _ALLOWED_UNLESS_REFUSED if video.get(name) is not False}
    if video.get("canPublishData", video.get("canPublish")) is not False:
        given.add("canPublishData")
    may = [grant.words for name, grant in VIDEO.items() if name in given]
    sources = video.get("canPublishSources")
    if "canPublish" in given and isinstance(sources, list) and sources:
        named = [_SOURCES.get(str(each), str(each)) for each in sources]  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
        may[may.index(VIDEO["canPublish"].words)] = f"publish {_and(named)} only"
    may += [grant.words for name, grant in SIP.items() if sip.get(name) is True]
    usual = ("roomJoin", "canPublish", "canSubscribe", "canPublishData")
    return Allowed(tuple(may), tuple(VIDEO[name].words for name in usual if name not in given))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
