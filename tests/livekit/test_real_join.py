"""The real join that status tries: two participants meet on a real LiveKit, and each way it fails is one sentence."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pulse_dash.adapters.helper import Helper
from pulse_dash.core.errors import Unavailable
from pulse_dash.core.media_token import Signer, claims_of_a_check
from tests.engines.livekit import LiveKit


@pytest.fixture
async def helper() -> AsyncIterator[Helper]:
    """A process that is ended with the test."""
    made = Helper()
    yield made
    await made.close()


def tokens(server: LiveKit) -> dict[str, str]:
    signer = Signer(server.api_secret.encode())
    return {
        who: signer.sign(claims_of_a_check(server.api_key, "pulse-status-tests", who, now=int(time.time())))
        for who in ("speaker", "listener")
    }


def environment_of(pid: int) -> bytes:
    return Path("/proc", str(pid), "environ").read_bytes()


async def test_two_participants_join_are_heard_and_leave(helper: Helper, livekit_server: LiveKit) -> None:
    found = await helper.real_join(livekit_server.url, **tokens(livekit_server), seconds=20)

    assert found.keys() == {"join", "data", "leave"}
    assert all(seconds > 0 for seconds in found.values())


async def test_a_livekit_that_refuses_is_told_and_the_next_join_works(helper: Helper, livekit_server: LiveKit) -> None:
    good = tokens(livekit_server)

    with pytest.raises(Unavailable, match=r"Nobody could join: .*401"):
        await helper.real_join(livekit_server.url, speaker="x", listener=good["listener"], seconds=20)
    assert await helper.real_join(livekit_server.url, **good, seconds=20)


async def test_a_helper_that_was_killed_is_started_again(helper: Helper, livekit_server: LiveKit) -> None:
    await helper.real_join(livekit_server.url, **tokens(livekit_server), seconds=20)
    assert helper._process is not None
    os.kill(helper._process.pid, signal.SIGKILL)

    with pytest.raises(Unavailable, match="ended"):
        await helper.real_join(livekit_server.url, **tokens(livekit_server), seconds=20)
    assert await helper.real_join(livekit_server.url, **tokens(livekit_server), seconds=20)


async def test_no_setting_of_the_node_stands_in_its_environment(
    helper: Helper, livekit_server: LiveKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", "an-encryption-key-of-the-environment")

    await helper.real_join(livekit_server.url, **tokens(livekit_server), seconds=20)

    assert helper._process is not None
    environment = environment_of(helper._process.pid)
    assert b"PATH=" in environment
    assert b"an-encryption-key-of-the-environment" not in environment
