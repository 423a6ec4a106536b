"""Wrong passwords slow down the account and the address that tries, and never lock either for good."""

from __future__ import annotations

import pytest

from pulse_dash.core import accounts, sessions
from pulse_dash.core.errors import Invalid, RateLimited, Unauthenticated
from pulse_dash.core.slowdown import FREE, LONGEST, Slowdown
from pulse_dash.core.work import Call
from pulse_dash.services import Services
from tests.doubles import MovableClock
from tests.people import PASSWORD, Town

ADDRESS = "ada@example.com"


async def _try(services: Services, email: str, password: str, ip: str = "192.0.2.1") -> accounts.SignedIn:
    work = services.as_(Town(services).stranger.actor, Call(ip=ip))
    return await accounts.log_in(work, email=email, password=password)


async def _ada(services: Services) -> None:
    await accounts.sign_up(
        Town(services).stranger, email=ADDRESS, password=PASSWORD, name="Ada", organization_name="Acme"
    )


@pytest.mark.parametrize("email", [ADDRESS, "nobody@example.com"])
async def test_after_ten_wrong_ones_the_next_must_wait_whoever_it_is(services: Services, email: str) -> None:
    await _ada(services)
    for number in range(FREE):
        with pytest.raises(Unauthenticated):
            await _try(services, email, "wrong", ip=f"192.0.2.{number}")

    with pytest.raises(RateLimited) as slowed:
        await _try(services, email, "wrong", ip="198.51.100.1")

    assert 1 <= slowed.value.retry_after <= LONGEST + 1


async def test_one_address_that_tries_many_accounts_must_wait_too(services: Services) -> None:
    for number in range(FREE):
        with pytest.raises(Unauthenticated):
            await _try(services, f"person{number}@example.com", "wrong")

    with pytest.raises(RateLimited):
        await _try(services, "another@example.com", "wrong")
    with pytest.raises(Unauthenticated):
        await _try(services, "another@example.com", "wrong", ip="198.51.100.1")


async def test_whoever_waits_gets_in_however_often_others_were_wrong(services: Services, clock: MovableClock) -> None:
    await _ada(services)
    for number in range(50):
        clock.move(LONGEST)
        with pytest.raises(Unauthenticated):
            await _try(services, ADDRESS, "wrong", ip=f"192.0.2.{number}")
    clock.move(LONGEST)

    assert (await _try(services, ADDRESS, PASSWORD, ip="198.51.100.1")).user.email == ADDRESS
    for _ in range(FREE):
        with pytest.raises(Unauthenticated):
            await _try(services, ADDRESS, "wrong", ip="198.51.100.2")


async def test_whoever_was_signed_in_from_there_before_gets_in_while_strangers_try(
    services: Services, clock: MovableClock
) -> None:
    await _ada(services)
    await _try(services, ADDRESS, PASSWORD, ip="203.0.113.5")
    for number in range(40):
        clock.move(1)
        with pytest.raises((Unauthenticated, RateLimited)):
            await _try(services, ADDRESS, "wrong", ip=f"192.0.2.{number}")

    with pytest.raises(RateLimited):
        await _try(services, ADDRESS, PASSWORD, ip="198.51.100.1")
    assert (await _try(services, ADDRESS, PASSWORD, ip="203.0.113.5")).user.email == ADDRESS


async def test_strangers_at_the_log_in_do_not_keep_a_signed_in_person_from_their_account(services: Services) -> None:
    await _ada(services)
    signed_in = await _try(services, ADDRESS, PASSWORD)
    for number in range(FREE + 1):
        with pytest.raises((Unauthenticated, RateLimited)):
            await _try(services, ADDRESS, "wrong", ip=f"192.0.2.{number}")

    assert signed_in.started is not None
    own = services.as_(signed_in.started.actor)
    assert (await sessions.with_password(own, PASSWORD, field="password")).email == ADDRESS


async def test_a_signed_in_person_who_guesses_must_wait_too(services: Services) -> None:
    town = Town(services)
    work = town.work(await town.person())
    for _ in range(FREE):
        with pytest.raises(Invalid):
            await sessions.with_password(work, "wrong", field="password")

    with pytest.raises(RateLimited):
        await sessions.with_password(work, PASSWORD, field="password")


async def test_one_ipv6_network_is_one_address(services: Services) -> None:
    for number in range(FREE):
        with pytest.raises(Unauthenticated):
            await _try(services, f"person{number}@example.com", "wrong", ip=f"2001:db8:1:2::{number:x}")

    with pytest.raises(RateLimited):
        await _try(services, "another@example.com", "wrong", ip="2001:db8:1:2:ffff::1")


def test_whoever_is_wrong_for_days_waits_a_minute_and_is_forgiven_after_an_hour(clock: MovableClock) -> None:
    slowdown = Slowdown(clock)
    for _ in range(2_000):
        slowdown.wrong("account:ada@example.com")
    with pytest.raises(RateLimited) as slowed:
        slowdown.check("account:ada@example.com")

    clock.move(3_601)
    slowdown.wrong("account:ada@example.com")

    assert slowed.value.retry_after <= LONGEST + 1
    assert slowdown.count("account:ada@example.com") == 1
