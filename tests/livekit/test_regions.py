"""A region's own LiveKit is checked by a real signed call of its own."""

from __future__ import annotations

import json

from pydantic import SecretStr

from pulse_dash.core import status
from pulse_dash.core.passwords import Passwords
from pulse_dash.services import assemble
from pulse_dash.settings import Settings
from tests.doubles import BreakableEngine, MovableClock
from tests.engines.livekit import LiveKit


async def test_each_region_says_whether_its_own_livekit_answers(
    settings: Settings, engine: BreakableEngine, clock: MovableClock, livekit_server: LiveKit
) -> None:
    own = {"url": livekit_server.url, "key": livekit_server.api_key}
    named = [
        {"name": "near", **own, "secret": livekit_server.api_secret},
        {"name": "wrong", **own, "secret": livekit_server.api_secret[::-1]},
        # The installation's own, which runs here.
        {"name": "home"},
    ]
    given = settings.model_copy(update={"regions": SecretStr(json.dumps(named))})
    services = assemble(given, engine, clock, Passwords(password_cost=4))  # type: ignore[arg-type]
    work = services.system("a test's checks")
    try:
        await status.check(work)
        found = {each.name: each.status for each in status.regions(work)}
    finally:
        services.parts.passwords.close()
        for each in (services.livekit, *services.far_livekits):
            await each.close()

    assert found == {"near": "operational", "wrong": "down", "home": "operational"}
