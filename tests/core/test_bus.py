"""The bus tells everybody who listens, and nobody who stopped."""

from __future__ import annotations

from pulse_dash.core.bus import MemoryBus


def test_every_listener_hears_every_subject_in_order() -> None:
    bus, one, other = MemoryBus(), list[str](), list[str]()
    bus.listen(one.append)
    bus.listen(other.append)

    bus.say("keys:1")
    bus.say("live:")

    assert one == other == ["keys:1", "live:"]


def test_who_stopped_listening_hears_nothing_and_may_stop_twice() -> None:
    bus, heard = MemoryBus(), list[str]()
    stop = bus.listen(heard.append)

    stop()
    stop()
    bus.say("keys:1")

    assert heard == []


def test_a_listener_may_stop_while_it_is_told() -> None:
    bus, heard = MemoryBus(), list[str]()

    def once(subject: str) -> None:
        heard.append(subject)
        stop()

    stop = bus.listen(once)
    bus.listen(heard.append)
    bus.say("first")
    bus.say("second")

    assert heard == ["first", "first", "second"]
