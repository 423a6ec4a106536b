"""Wrong passwords slow down the account and the address that tries, and never lock either for good."""

from __future__ import annotations

import pytest

from pulse_dash.core import accounts
from pulse_dash.core.errors import RateLimited, Unauthenticated
from pulse_dash.core.slowdown import FREE, LONGEST
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
