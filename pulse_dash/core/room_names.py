"""What rooms are called: on the shared LiveKit `{project id}.{room}`. Ids have one length and no dot, so the first dot
parts them. The full name also stands for a room in MACs and revocations, wherever it runs.
"""

from __future__ import annotations


def livekit_name(project_id: str, room: str) -> str:
    """What the installation's LiveKit calls a project's room."""
    return f"{project_id}.{room}"


def project_of(livekit_room: str) -> str | None:
    """Whose room it is; None for a room that is not ours."""
    project_id, dot, room = livekit_room.partition(".")
    return project_id if dot and room and project_id.startswith("prj_") else None


def room_of(livekit_room: str) -> str:
    """What the customer calls it."""
    return livekit_room.partition(".")[2]
