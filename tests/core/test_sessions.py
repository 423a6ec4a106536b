"""Sign-ins: what proves one, how a refresh token moves on, and what ends it."""

from __future__ import annotations

import asyncio

import pytest

from pulse_dash.core import accounts, sessions
from pulse_dash.core.errors import NotFound, SignedOut, Unauthenticated
from pulse_dash.core.sessions import SESSION_LIFE, Started
from pulse_dash.services import Services
from tests.doubles import MovableClock, kept
from tests.people import PASSWORD, Person, Town


async def in_the_dashboard(town: Town, person: Person) -> Started:
    signed_in = await accounts.log_in(
        town.stranger, email=person.actor.email, password=PASSWORD, kind=sessions.DASHBOARD
    )
    assert signed_in.started is not None
    return signed_in.started


JUNK = ["", ".", "..", "x", "ses_.", "ses_01aaaaaaaaaaaaaaaaaaaaaaaa.x", "\x00.\x00", "é.é", "a" * 10_000]


async def test_junk_is_no_sign_in(town: Town) -> None:
    for junk in JUNK:
        with pytest.raises(SignedOut):
            await sessions.resume(town.stranger, junk)
        with pytest.raises(Unauthenticated):
            await sessions.recognize(town.stranger, junk)
        for text in (junk, f"pulse_refresh_{junk}"):
            with pytest.raises(Unauthenticated):
                await sessions.refresh(town.stranger, text)


async def test_a_cookie_opens_its_session_and_a_changed_one_nothing(town: Town) -> None:
    person = await town.person()
    started = await in_the_dashboard(town, person)
    cookie = started.secret.reveal()

    assert (await sessions.resume(town.stranger, cookie)).actor.id == person.actor.id
    for changed in (cookie[:-1], cookie + "x", cookie.swapcase(), cookie.partition(".")[0], f"{started.session.id}."):
        with pytest.raises(SignedOut):
            await sessions.resume(town.stranger, changed)


async def test_one_kind_of_sign_in_is_refused_where_the_other_belongs(town: Town) -> None:
    person = await town.person()
    cookie = (await in_the_dashboard(town, person)).secret.reveal()

    with pytest.raises(SignedOut):
        await sessions.resume(town.stranger, person.refresh_token.removeprefix("pulse_refresh_"))
    with pytest.raises(Unauthenticated):
        await sessions.refresh(town.stranger, f"pulse_refresh_{cookie}")


async def test_a_refresh_token_works_once_and_its_second_use_ends_the_sign_in(town: Town) -> None:
    person = await town.person()
    fresh = await sessions.refresh(town.stranger, person.refresh_token)
    assert fresh.actor.id == person.actor.id

    with pytest.raises(Unauthenticated):
        await sessions.refresh(town.stranger, person.refresh_token)

    with pytest.raises(Unauthenticated):
        await sessions.refresh(town.stranger, fresh.secret.reveal())
    with pytest.raises(Unauthenticated):
        await sessions.recognize(town.stranger, person.access_token)


async def test_who_invents_a_refresh_token_signs_nobody_out(town: Town) -> None:
    person = await town.person()
    # The id of a sign-in stands in logs and in access tokens; it must not be enough to end one.
    for invented in ("x", "x.y", person.refresh_token.partition(".")[2][:-1]):
        with pytest.raises(Unauthenticated):
            await sessions.refresh(town.stranger, f"pulse_refresh_{person.actor.session_id}.{invented}")

    await sessions.recognize(town.stranger, person.access_token)
    await sessions.refresh(town.stranger, person.refresh_token)


async def test_a_token_of_one_sign_in_does_not_move_another(town: Town) -> None:
    one, other = await town.person(), await town.person()
    stolen = one.refresh_token.partition(".")[2]

    with pytest.raises(Unauthenticated):
        await sessions.refresh(town.stranger, f"pulse_refresh_{other.actor.session_id}.{stolen}")

    await sessions.refresh(town.stranger, other.refresh_token)


async def test_of_two_refreshes_at_once_at_most_one_goes_on(town: Town) -> None:
    person = await town.person()

    outcomes = await asyncio.gather(
        *[sessions.refresh(town.stranger, person.refresh_token) for _ in range(4)], return_exceptions=True
    )

    assert sum(isinstance(outcome, Started) for outcome in outcomes) <= 1


async def test_a_sign_in_ends_after_thirty_days(town: Town, clock: MovableClock, services: Services) -> None:
    person = await town.person()
    cookie = (await in_the_dashboard(town, person)).secret.reveal()

    clock.move(SESSION_LIFE.total_seconds() - 1)
    await services.feed.read()
    await sessions.resume(town.stranger, cookie)
    clock.move(1)
    with pytest.raises(SignedOut):
        await sessions.resume(town.stranger, cookie)
    with pytest.raises(Unauthenticated):
        await sessions.refresh(town.stranger, person.refresh_token)


async def test_signing_out_ends_one_sign_in_and_leaves_the_others(town: Town) -> None:
    person = await town.person()
    started = await in_the_dashboard(town, person)

    await sessions.end(town.services.as_(started.actor))

    with pytest.raises(SignedOut):
        await sessions.resume(town.stranger, started.secret.reveal())
    await sessions.recognize(town.stranger, person.access_token)


async def test_nobody_and_keys_have_no_sign_in_to_end(town: Town) -> None:
    with pytest.raises(Unauthenticated):
        await sessions.end(town.stranger)
    with pytest.raises(NotFound):
        await sessions.end(await town.by_key(await town.house()))


async def test_no_stored_document_holds_what_proves_a_sign_in(town: Town, services: Services) -> None:
    person = await town.person()
    cookie = (await in_the_dashboard(town, person)).secret.reveal()
    for noun in ("sessions", "users", "audit_log"):
        for document in await services.engine.collection(noun).find({}):
            written = repr(document)
            assert cookie.partition(".")[2] not in written
            assert person.refresh_token.partition(".")[2] not in written
            assert PASSWORD not in written


async def test_a_person_sees_their_own_sign_ins_and_nobody_elses(town: Town) -> None:
    person, _ = await town.person(), await town.person()
    started = await in_the_dashboard(town, person)

    found = await sessions.listing(town.work(person))

    assert [each.id for each in found] == [started.session.id, person.actor.session_id]


async def test_nobody_ends_the_sign_in_of_somebody_else(town: Town) -> None:
    person, other = await town.person(), await town.person()

    for strange in (town.work(other), await town.by_key(await town.house())):
        with pytest.raises(NotFound):
            await sessions.end_one(strange, person.actor.session_id)

    await sessions.recognize(town.stranger, person.access_token)


async def test_a_sign_in_that_was_ended_from_elsewhere_is_refused_and_listed_no_more(town: Town) -> None:
    person = await town.person()
    started = await in_the_dashboard(town, person)

    await sessions.end_one(town.work(person), started.session.id)

    with pytest.raises(SignedOut):
        await sessions.resume(town.stranger, started.secret.reveal())
    assert [each.id for each in await sessions.listing(town.work(person))] == [person.actor.session_id]
    with pytest.raises(NotFound):
        await sessions.end_one(town.work(person), started.session.id)


async def test_who_signs_out_everywhere_else_goes_on_alone(town: Town) -> None:
    person = await town.person()
    started = await in_the_dashboard(town, person)

    for _ in range(3):
        await sessions.end_others(town.work(person))

    with pytest.raises(SignedOut):
        await sessions.resume(town.stranger, started.secret.reveal())
    await sessions.recognize(town.stranger, person.access_token)
    await sessions.refresh(town.stranger, person.refresh_token)
    assert [each.id for each in await sessions.listing(town.work(person))] == [person.actor.session_id]


async def test_who_was_spared_once_is_not_spared_by_another(town: Town) -> None:
    person = await town.person()
    started = await in_the_dashboard(town, person)
    await sessions.end_others(town.work(person))
    later = await in_the_dashboard(town, person)

    await sessions.end_others(town.services.as_(later.actor))

    for ended in (started.secret.reveal(), ""):
        with pytest.raises(SignedOut):
            await sessions.resume(town.stranger, ended)
    with pytest.raises(Unauthenticated):
        await sessions.recognize(town.stranger, person.access_token)
    assert [each.id for each in await sessions.listing(town.services.as_(later.actor))] == [later.session.id]


async def test_the_last_use_of_a_sign_in_is_kept_to_the_minute(
    town: Town, clock: MovableClock, services: Services
) -> None:
    person = await town.person()
    clock.move(90)
    await services.feed.read()
    await sessions.recognize(town.stranger, person.access_token)

    await services.parts.tallying.flush(services.system("a test").store)

    (found,) = await sessions.listing(town.work(person))
    assert found.last_used_at == clock.now()


async def test_sign_ins_that_ran_out_are_forgotten_a_day_later_and_others_stay(
    town: Town, services: Services, clock: MovableClock
) -> None:
    old = await town.person()
    clock.move(sessions.SESSION_LIFE.total_seconds() - 60)
    await services.feed.read()
    new = await town.person()
    # What is not yet in the log stays.
    await services.parts.store.logged()
    clock.move(86_400)
    assert await sessions.forget(services.system("a test")) == 0
    clock.move(61)

    assert await sessions.forget(services.system("a test")) == 1

    left = {each["user_id"] for each in await kept(services.engine, "sessions")}
    assert left == {new.actor.id}
    assert old.actor.id not in left
