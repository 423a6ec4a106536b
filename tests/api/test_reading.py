"""How a body is read off the server, message by message."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from pulse_dash.api.middleware import LARGEST_BODY, read_body
from pulse_dash.api.problems import Refused


class Sender:
    """Sends a body in pieces and tells how often it was asked; after the last piece it waits for ever."""

    def __init__(self, *pieces: bytes, ends: Message | None = None) -> None:
        self._messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        self._messages += [ends] if ends else []
        self.asked = 0

    async def __call__(self) -> Message:
        self.asked += 1
        if not self._messages:
            raise AssertionError("waited for more than was sent")
        return self._messages.pop(0)


END: Message = {"type": "http.request", "body": b"", "more_body": False}
GONE: Message = {"type": "http.disconnect"}


def scope(length: str | None) -> dict[str, Any]:
    return {"headers": [] if length is None else [(b"content-length", length.encode())]}


async def test_a_body_whose_length_was_told_is_not_waited_for_further() -> None:
    sender = Sender(b'{"a":', b"1}")

    assert await read_body(scope("7"), sender) == b'{"a":1}'
    assert sender.asked == 2


async def test_no_body_is_not_asked_for() -> None:
    sender = Sender()

    assert await read_body(scope("0"), sender) == b""
    assert sender.asked == 0


@pytest.mark.parametrize("length", [None, "", "nine", "-1", "99"])
async def test_without_a_true_length_a_body_ends_where_the_server_says(length: str | None) -> None:
    assert await read_body(scope(length), Sender(b"{", b"}", ends=END)) == b"{}"


async def test_who_goes_away_in_the_middle_sent_nothing() -> None:
    with pytest.raises(ClientDisconnect):
        await read_body(scope("9"), Sender(b"{", ends=GONE))


@pytest.mark.parametrize("length", [str(LARGEST_BODY + 1), "9" * 5_000])
async def test_a_body_that_says_it_is_too_large_is_not_begun(length: str) -> None:
    sender = Sender()

    with pytest.raises(Refused):
        await read_body(scope(length), sender)
    assert sender.asked == 0


async def test_a_body_that_grows_too_large_is_read_to_that_point() -> None:
    half = b"x" * (LARGEST_BODY // 2 + 1)
    sender = Sender(half, half, half)

    with pytest.raises(Refused):
        await read_body(scope(None), sender)
    assert sender.asked == 2
