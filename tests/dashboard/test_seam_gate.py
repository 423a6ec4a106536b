"""Who may send which event, and whose State it meets."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from reflex_base.constants import StateManagerMode
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from pulse_dash import reflex_seam
from pulse_dash.api import sockets
from pulse_dash.reflex_seam import FRAMEWORK_EVENTS, PulseApp, forget_anonymous
from tests.dashboard.seam_house import ORIGIN, SECRET, House, eventually, named

ADA, MALLORY = "ses_ada", "ses_mallory"


def filled(house: House) -> str:
    """A tab of Ada's in which a secret was shown; it is closed, its token is what is left."""
    with house.tab(cookie=ADA) as tab:
        tab.hydrate()
        assert SECRET in tab.do("reveal")
        return tab.token


def test_a_stranger_with_a_stolen_token_gets_an_empty_state(house: House) -> None:
    token = filled(house)

    with house.tab(token=token) as stolen:
        assert SECRET not in stolen.hydrate()


def test_another_person_with_a_stolen_token_gets_an_empty_state(house: House) -> None:
    token = filled(house)

    with house.tab(token=token, cookie=MALLORY) as stolen:
        assert SECRET not in stolen.hydrate()
        assert SECRET not in stolen.do("count", by=1)


def test_another_person_who_does_not_hydrate_gets_nothing_either(house: House) -> None:
    token = filled(house)

    with house.tab(token=token, cookie=MALLORY) as stolen:
        answer = stolen.do("count", by=1)

    assert SECRET not in answer
    assert "window.location.reload()" in answer


def test_after_signing_out_the_same_tab_gets_an_empty_state(house: House) -> None:
    token = filled(house)
    house.people.ended.add(ADA)

    with house.tab(token=token, cookie=ADA) as tab:
        assert SECRET not in tab.hydrate()


def test_the_session_is_asked_for_at_each_event(house: House) -> None:
    with house.tab(cookie=ADA) as tab:
        tab.hydrate()
        house.people.ended.add(ADA)
        answer = tab.do("reveal")

    assert SECRET not in answer
    assert "/login?next=" in answer


def test_the_same_person_finds_their_state_again(house: House) -> None:
    token = filled(house)

    with house.tab(token=token, cookie=ADA) as tab:
        assert SECRET in tab.hydrate()


def test_a_slow_handler_never_answers_into_somebody_elses_socket(house: House) -> None:
    with house.tab(cookie=ADA) as tab:
        tab.hydrate()
        tab.send(named("reveal_late"))
        tab.read_until("")

    with house.tab(token=tab.token) as stolen:
        assert SECRET not in stolen.hydrate()
        assert SECRET not in stolen.until_quiet()


def test_a_session_that_ends_while_a_handler_runs_gets_nothing_of_it(house: House) -> None:
    with house.tab(cookie=ADA) as tab:
        tab.hydrate("/login")
        tab.send(named("reveal_late"))
        house.people.ended.add(ADA)

        assert SECRET not in tab.until_quiet()


def test_a_loop_ends_with_its_session_and_sends_the_page_to_the_log_in(house: House) -> None:
    with house.tab(cookie=ADA) as tab:
        tab.hydrate()
        tab.send(named("follow"))
        tab.read_until('"ticks_rx_state_":2')
        house.people.ended.add(ADA)

        assert "/login?next=" in tab.read_until("/login?next=")


def test_a_loop_never_speaks_into_a_socket_that_took_over_its_token(house: House) -> None:
    with house.tab(cookie=ADA) as tab:
        tab.hydrate()
        tab.send(named("follow"))
        tab.read_until('"ticks_rx_state_":1')

    with house.tab(token=tab.token, cookie=ADA) as other:
        heard = other.hydrate() + "".join(other.until_quiet() for _ in range(5))

    assert heard.count("ticks_rx_state_") <= 1


def test_a_page_that_loads_again_has_one_loop(house: House) -> None:
    with house.tab(cookie=ADA) as tab:
        tab.hydrate()
        for _ in range(5):
            tab.send(named("follow"))
        tab.read_until('"ticks_rx_state_":3')

        assert len(house.app.loops) == 1
        running = [task for task in house.app.event_processor._tasks.values() if "follow" in task.get_name()]
        assert len(running) == 1
    assert not house.app.loops


def test_a_page_hears_the_bus_and_nothing_that_it_did_not_ask_for(house: House) -> None:
    with house.tab(cookie=ADA) as tab:
        tab.hydrate()
        tab.send(named("hear"))
        assert eventually(lambda: house.people.bus.listeners == 1)

        house.people.bus.say("projects:prj_1")
        house.people.bus.say("keys:key_1")

        assert '"ticks_rx_state_":1' in tab.read_until("ticks")
    assert eventually(lambda: house.people.bus.listeners == 0)


def test_while_the_database_is_away_no_state_is_shown(house: House) -> None:
    token = filled(house)
    house.people.away = True

    with house.tab(token=token, cookie=ADA) as tab:
        tab.send("reflex___state____state.hydrate_and_load")
        answer = tab.read_until("pulse:away")

    assert SECRET not in answer


def test_strangers_may_call_what_is_public_and_nothing_else(house: House) -> None:
    with house.tab() as tab:
        tab.hydrate()

        assert "hello" in tab.do("say", text="hello")
        refused = tab.do("count", by=1)

    assert "/login?next=" in refused
    assert '"ran_rx_state_":1' not in refused


def test_on_load_handlers_pass_the_gate_too(house: House) -> None:
    with house.tab() as tab:
        answer = tab.hydrate("/")

    assert '"ran_rx_state_":1' not in answer


@pytest.mark.parametrize("arguments", [{"by": "7"}, {"by": True}, {"by": [1]}, {}, {"by": 1, "more": 1}, {"self": 1}])
def test_arguments_of_another_shape_reach_no_handler(house: House, arguments: dict[str, object]) -> None:
    with house.tab(cookie=ADA) as tab:
        tab.hydrate("/login")
        tab.send_raw({"name": named("count"), "payload": arguments, "router_data": {"pathname": "/login"}})
        answer = tab.until_quiet()

    assert "ran_rx_state_" not in answer


def test_reflexs_own_setters_take_nothing_from_outside(house: House) -> None:
    with house.tab(cookie=ADA) as tab:
        tab.hydrate("/login")
        answer = tab.do("setvar", var_name="secret", value="mine")

    assert "mine" not in answer


@pytest.mark.parametrize("name", sorted(FRAMEWORK_EVENTS))
def test_framework_events_are_bounded(house: House, name: str) -> None:
    with house.tab() as tab:
        tab.hydrate("/login")
        tab.send(name, "/login", info="x" * 20_000, component_stack="", vars={}, value=True)

        assert "x" * 100 not in tab.until_quiet()


@pytest.mark.parametrize("name", sorted(FRAMEWORK_EVENTS))
@pytest.mark.parametrize("arguments", [{"more": 1}, {"self": 1}, {"vars": {"secret": 1}}, {"vars": [1], "value": "x"}])
def test_framework_events_of_another_shape_are_no_fault_of_ours(
    house: House, name: str, arguments: dict[str, object]
) -> None:
    with house.tab() as tab:
        tab.hydrate("/login")
        tab.send_raw({"name": name, "payload": arguments, "router_data": {"pathname": "/login"}})

        assert "Something went wrong" not in tab.until_quiet()


@pytest.mark.parametrize(
    "event",
    [7, "text", {}, {"name": 5}, {"name": "no.such.handler", "payload": {}}, {"name": named("say"), "payload": 3}],
)
def test_what_is_no_event_is_dropped_without_a_word(
    house: House, event: object, caplog: pytest.LogCaptureFixture
) -> None:
    with house.tab() as tab:
        tab.hydrate("/login")
        tab.send_raw(event)
        answer = tab.until_quiet()

    assert "error" not in answer
    assert not caplog.records


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:8000.evil.example", "http://127.0.0.1:8000"]
)
def test_other_sites_open_no_socket(house: House, origin: str) -> None:
    with pytest.raises(WebSocketDenialResponse) as refused, house.tab(cookie=ADA, origin=origin):
        pass

    assert refused.value.status_code == 403


async def test_a_socket_that_sends_faster_than_twenty_a_second_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(sockets.time, "monotonic", lambda: 100.0)

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(sockets.asyncio, "sleep", sleep)
    pace = sockets._Pace(20)
    for _ in range(60):
        await pace.wait()

    assert len(waited) == 40
    assert waited[-1] == pytest.approx(2.0)


def test_a_message_longer_than_any_page_sends_ends_the_socket(house: House) -> None:
    address = f"/_event/?EIO=4&transport=websocket&token={uuid.uuid4()}"
    with house.client.websocket_connect(address, headers={"origin": ORIGIN, "upgrade": "websocket"}) as ws:
        ws.receive_text()
        ws.send_text("x" * 100_001)

        with pytest.raises(WebSocketDisconnect) as ended:
            ws.receive_text()

    assert ended.value.code == 1009


@pytest.mark.parametrize(("cookie", "most"), [(None, 10), (ADA, 20)])
def test_an_address_holds_ten_sockets_and_a_session_twenty(house: House, cookie: str | None, most: int) -> None:
    with ExitStack() as open_tabs:
        for _ in range(most):
            open_tabs.enter_context(house.tab(cookie=cookie))
        with pytest.raises(WebSocketDenialResponse) as refused, house.tab(cookie=cookie):
            pass

    assert refused.value.status_code == 429


def test_sockets_that_open_and_close_without_end_are_refused() -> None:
    holder = sockets._Holder(at=100.0)
    let_in = 0
    for _ in range(500):
        if holder.take(10, 100.0):
            let_in += 1
            holder.open -= 1

    assert let_in == sockets.OPENINGS_AT_ONCE


def test_the_state_of_a_stranger_is_forgotten_and_a_persons_is_kept(house: House) -> None:
    kept = filled(house)
    with house.tab() as tab:
        tab.hydrate("/login")

    forgotten = forget_anonymous(house.app.state_manager, older_than=-1, most=100)

    assert forgotten == 1
    with house.tab(token=kept, cookie=ADA) as again:
        assert SECRET in again.hydrate()


def test_of_many_strangers_the_oldest_are_forgotten(house: House) -> None:
    for _ in range(5):
        with house.tab() as tab:
            tab.hydrate("/login")

    assert forget_anonymous(house.app.state_manager, older_than=300, most=2) == 3


def test_an_error_of_core_becomes_its_sentence_and_another_only_a_reference(house: House) -> None:
    with house.tab(cookie=ADA) as tab:
        tab.hydrate("/login")
        refused, crashed = tab.do("refuse") + tab.until_quiet(), tab.do("crash") + tab.until_quiet()

    assert "Somebody was quicker." in refused
    assert "Reference evt_" in crashed
    assert SECRET not in crashed


@pytest.mark.parametrize("token", ["", "short", "x" * 5000, "../../etc"])
def test_a_socket_without_a_tabs_token_is_refused(house: House, token: str) -> None:
    address = f"/_event/?EIO=4&transport=websocket&token={token}"
    with house.client.websocket_connect(address, headers={"origin": ORIGIN, "upgrade": "websocket"}) as ws:
        ws.receive_text()
        ws.send_text("40/_event,{}")

        assert ws.receive_text().startswith("44")


@pytest.mark.parametrize("default", [{"state_manager_mode": StateManagerMode.DISK}, {"cors_allowed_origins": ("*",)}])
def test_an_app_with_reflexs_own_defaults_does_not_start(
    monkeypatch: pytest.MonkeyPatch, default: dict[str, object]
) -> None:
    ours = {"state_manager_mode": StateManagerMode.MEMORY, "cors_allowed_origins": [ORIGIN]}
    monkeypatch.setattr(reflex_seam, "get_config", lambda: SimpleNamespace(**ours | default))

    with pytest.raises(RuntimeError, match="defaults"):
        PulseApp.guard(SimpleNamespace())
