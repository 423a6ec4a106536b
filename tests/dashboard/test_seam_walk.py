"""Every handler of every State, from outside and without a session. The rows are walked, never listed."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re

import pytest
from reflex.state import State
from reflex_base.registry import RegistrationContext

import pulse_dash.state
from pulse_dash.reflex_seam import FRAMEWORK_EVENTS, PulseState
from tests.dashboard.seam_house import House

for _module in pkgutil.walk_packages(pulse_dash.state.__path__, "pulse_dash.state."):
    importlib.import_module(_module.name)

_SAMPLES = {str: "x", int: 1, float: 1.0, bool: True}


def every_private_handler() -> list[str]:
    registered = RegistrationContext.ensure_context().event_handlers
    return sorted(
        name
        for name, entry in registered.items()
        if name not in FRAMEWORK_EVENTS and not getattr(entry.handler.fn, "pulse_public", False)
    )


def every_public_handler() -> set[str]:
    registered = RegistrationContext.ensure_context().event_handlers
    return {
        name.rpartition("____")[2]
        for name, entry in registered.items()
        if getattr(entry.handler.fn, "pulse_public", False) and entry.handler.fn.__module__.startswith("pulse_dash.")
    }


def plausible(name: str) -> dict[str, object]:
    handler = RegistrationContext.ensure_context().event_handlers[name].handler
    hints = handler._get_type_hints()
    wanted = list(inspect.signature(handler.fn).parameters.values())[1:]
    return {part.name: _SAMPLES.get(hints.get(part.name), {"name": "x"}) for part in wanted}


_READ_OFF_THE_ADDRESS = re.compile(r'"[^"]*project_state":\{"tab_rx_state_":"keys"\}')


@pytest.mark.parametrize("name", every_private_handler())
def test_a_stranger_calls_no_handler_that_is_not_declared_public(house: House, name: str) -> None:
    with house.tab() as tab:
        tab.send(name, "/login", **plausible(name))
        answer = tab.read_until("/login?next=")

    # A socket is told its own address again, by Reflex's root and by vars that are read off the address alone; all
    # other vars of a State of ours stay where they are.
    state = name.rpartition(".")[0]
    told = _READ_OFF_THE_ADDRESS.sub("", answer)
    assert state == State.get_full_name() or f'{state}"' not in told


def test_no_handler_of_ours_is_public_yet() -> None:
    """Log-in and sign-up are native forms; a handler that becomes public is added here knowingly."""
    assert every_public_handler() == set()


def test_every_state_of_ours_stands_on_the_guarded_base() -> None:
    states = RegistrationContext.ensure_context().base_states.values()
    ours = [state for state in states if state.__module__.startswith("pulse_dash.state")]

    assert ours
    assert all(issubclass(state, PulseState) for state in ours)


def test_no_state_keeps_anything_in_the_browsers_storage() -> None:
    states = RegistrationContext.ensure_context().base_states.values()
    kept = [
        f"{state.__name__}.{name}" for state in states for name in state.base_vars if state._is_client_storage(name)
    ]

    assert kept == []
