"""The OpenAPI against a live server: whatever is sent, the answer is a described one and never a fault of ours."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import structlog
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from pulse_dash.api.app import FAST, make_api
from pulse_dash.api.headers import CarefulAnswers
from pulse_dash.connection import FastLane
from pulse_dash.core.clock import SystemClock
from pulse_dash.core.passwords import Passwords
from pulse_dash.server import Server, bound
from pulse_dash.services import assemble
from pulse_dash.settings import load_settings
from pulse_dash.store.connect import connect
from tests.api.routes import described
from tests.core.soak import examples
from tests.doubles import RunningLiveKit
from tests.people import Town

SCHEMA = schemathesis.openapi.from_dict(described())


# Some rules have no words in a schema: at most 200 bytes, a project that users name and keys need not.
LEFT_OUT = [positive_data_acceptance]


@dataclass(frozen=True, slots=True)
class Live:
    """A server that listens, and who may call it."""

    url: str
    callers: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The API on a port of its own, in a thread of its own, with a user and a key who may call it."""
    # pytest empties what it captures between two tests, also while this thread writes a line: that would be a 500.
    with pytest.MonkeyPatch.context() as patch, structlog.testing.capture_logs():
        folder = tmp_path_factory.mktemp("live")
        patch.chdir(folder)
        listening = bound("127.0.0.1", 0)
        port = listening.getsockname()[1]
        served, stop, callers = threading.Event(), asyncio.Event(), {}
        loops: list[asyncio.AbstractEventLoop] = []
        thread = threading.Thread(target=lambda: asyncio.run(_serve(folder, listening, served, stop, callers, loops)))
        thread.start()
        assert served.wait(20)
        yield Live(f"http://127.0.0.1:{port}", callers)
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(10)


async def _serve(
    folder: Path,
    listening: socket.socket,
    served: threading.Event,
    stop: asyncio.Event,
    callers: dict[str, dict[str, str]],
    loops: list[asyncio.AbstractEventLoop],
) -> None:
    loops.append(asyncio.get_running_loop())
    port = listening.getsockname()[1]
    limits = {f"rate_limit_{who}_per_minute": 10**9 for who in ("ip", "user", "project")}
    chosen = load_settings(pulse_data_dir=folder / "data", public_url=f"http://127.0.0.1:{port}", **limits)
    engine = await connect(mongo_uri=None, database="pulse", data_dir=chosen.data_dir)
    await engine.prepare()
    services, livekit = assemble(chosen, engine, SystemClock(), Passwords(password_cost=4)), RunningLiveKit()
    services = replace(services, parts=replace(services.parts, livekit=livekit))
    town = Town(services)
    owner = await town.person()
    house = await town.project(owner)
    livekit.people |= {f"{house.id}.lobby": ["ada", "bob"], f"{house.id}.a/b": ["ada"]}
    walker = await town.person()
    callers.update({"user": owner.headers, "key": dict(house.headers), "walker": walker.headers})
    api = make_api(services)
    app = CarefulAnswers(api, https=False, at_once=api.at_once)
    server = Server(app, FastLane(FAST, app.at_once))
    serving = asyncio.create_task(server.serve([listening]))
    reading = asyncio.create_task(_read_feed(services))
    await asyncio.sleep(0.3)
    served.set()
    await stop.wait()
    server.should_exit = True
    reading.cancel()
    await asyncio.wait([serving, reading], timeout=5)
    await services.close()


async def _read_feed(services: Any) -> None:
    while True:
        await services.feed.read()
        await asyncio.sleep(0.5)


@pytest.mark.parametrize("who", ["user", "key"])
@SCHEMA.parametrize()
@settings(
    max_examples=examples(25, 2_000),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_sent_the_answer_is_described(case: schemathesis.Case, live: Live, who: str) -> None:
    answer = case.call(base_url=live.url, headers=live.callers[who])

    case.validate_response(answer, excluded_checks=LEFT_OUT)


def test_what_one_answer_names_the_next_request_finds(live: Live) -> None:
    """Makes, reads, changes and removes what earlier answers named, in every order that hypothesis thinks of."""

    class Walk(SCHEMA.as_state_machine()):
        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            # Somebody of their own, who may delete all they have.
            return {"base_url": live.url, "headers": live.callers["walker"]}

        def validate_response(self, response: Any, case: schemathesis.Case, **_: Any) -> None:
            case.validate_response(response, excluded_checks=LEFT_OUT)

    Walk.run(
        settings=settings(
            # Each example is a walk of so many requests; soaking makes about 300 of each operation.
            max_examples=examples(8, 1_600),
            stateful_step_count=examples(8, 20),
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )


def test_a_slash_inside_a_name_reaches_us_through_the_real_server(live: Live) -> None:
    answer = httpx.get(f"{live.url}/v1/media/rooms/a%2Fb", headers=live.callers["key"])

    assert (answer.status_code, answer.json().get("name")) == (200, "a/b")


def test_a_body_without_end_is_cut_off_by_the_real_server(live: Live) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 64 * 1024 * 1024:
            sent += 64 * 1024
            yield b" " * 64 * 1024

    with suppress(httpx.WriteError, httpx.ReadError):
        assert httpx.post(f"{live.url}/v1/auth/login", content=endless()).status_code == 413
    assert sent < 64 * 1024 * 1024
    assert httpx.get(f"{live.url}/health").status_code == 200


async def test_requests_at_once_never_see_each_others_ids_or_bodies(live: Live) -> None:
    async with httpx.AsyncClient(base_url=live.url) as caller:

        async def ask(number: int) -> None:
            headers = {**live.callers["key"], "X-Request-Id": f"ask-{number}"}
            body = {"room": f"room {number}", "identity": f"ada {number}"}
            minted = await caller.post("/v1/tokens/create", headers=headers, json=body)
            refused = await caller.post("/v1/tokens/create", headers=headers, json={f"field{number}": 1, **body})
            assert (minted.json()["room"], minted.json()["identity"]) == (body["room"], body["identity"])
            assert refused.json()["errors"][0]["field"] == f"field{number}"
            assert refused.json()["request_id"] == refused.headers["x-request-id"] == f"ask-{number}"

        await asyncio.gather(*[ask(number) for number in range(100)])
