"""Joining a room from the page, with LiveKit's own web client; it and its 1 MB load only where this stands."""

from __future__ import annotations

from typing import Any

import reflex as rx


class _JoinRoom(rx.NoSSRComponent):
    library = "$/public/react/join.jsx"
    tag = "JoinRoom"
    lib_dependencies: list[str] = ["livekit-client@2.23.0"]

    url: rx.Var[str]
    token: rx.Var[str]
    room: rx.Var[str]


def join_room(before: rx.Component, *, url: Any, token: Any, room: Any) -> rx.Component:
    """Connects with the token that was just minted; `before` stands there while there is none."""
    return _JoinRoom.create(before, url=url, token=token, room=room)
