"""Two clients in a real room: who hears whom, and what a token without the grant is refused."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from livekit.rtc.participant import PublishTrackError

from tests.livekit.guests import joined
from tests.served import Customer

LISTENS_ONLY = {"publish": False}


async def test_two_clients_of_one_project_hear_each_other(acme: Customer) -> None:
    async with joined(await acme.token("lobby", "ada")) as ada, joined(await acme.token("lobby", "bob")) as bob:
        await asyncio.gather(ada.speak(), bob.speak())
        heard = await asyncio.gather(ada.hears(), bob.hears())

    assert heard == [True, True]


async def test_words_reach_the_other_with_the_senders_name(acme: Customer) -> None:
    may_write = {"publish_data": True}
    ada_token = await acme.token("lobby", "ada", permissions=may_write)
    async with joined(await acme.token("lobby", "bob")) as bob, joined(ada_token) as ada:
        await ada.speak()  # who publishes is announced at once, others in batches of three seconds
        await bob.hears()
        await ada.room.local_participant.publish_data("grüße".encode(), reliable=True)
        sender, words = await bob.reads()

    assert (sender, words.decode()) == ("ada", "grüße")


async def test_words_are_dropped_without_the_grant_which_nobody_has_by_default(acme: Customer) -> None:
    async with joined(await acme.token("lobby", "bob")) as bob, joined(await acme.token("lobby", "ada")) as ada:
        await ada.speak()
        await bob.hears()
        await ada.room.local_participant.publish_data(b"unwanted", reliable=True)
        await asyncio.sleep(1)

    assert bob.words.empty()


async def test_publishing_is_refused_without_the_grant(acme: Customer) -> None:
    minted = await acme.token("lobby", "ada", permissions=LISTENS_ONLY)
    async with joined(await acme.token("lobby", "bob")) as bob, joined(minted) as ada:
        with pytest.raises(PublishTrackError):
            await ada.speak()
        silence = await bob.hears_nothing()

    assert silence


async def test_who_may_only_listen_hears(acme: Customer) -> None:
    minted = await acme.token("lobby", "ada", permissions=LISTENS_ONLY)
    async with joined(minted) as ada, joined(await acme.token("lobby", "bob")) as bob:
        await bob.speak()

        assert await ada.hears()


async def test_who_may_not_subscribe_is_offered_nothing(acme: Customer) -> None:
    minted = await acme.token("lobby", "ada", permissions={"subscribe": False})
    async with joined(minted) as ada, joined(await acme.token("lobby", "bob")) as bob:
        await bob.speak()

        assert await ada.hears_nothing()


async def test_a_source_that_is_not_among_the_granted_ones_is_refused(acme: Customer) -> None:
    minted = await acme.token("lobby", "ada", permissions={"publish_sources": ["camera"]})
    async with joined(minted) as ada:
        with pytest.raises(PublishTrackError):
            await ada.speak()


async def test_one_room_name_in_two_projects_is_two_rooms(acme: Customer, rival: Customer) -> None:
    async with AsyncExitStack() as stack:
        ada = await stack.enter_async_context(joined(await acme.token("lobby", "ada")))
        eve = await stack.enter_async_context(joined(await rival.token("lobby", "eve")))
        await ada.speak()
        silence = await eve.hears_nothing(3.5)  # longer than LiveKit waits to announce somebody

    assert silence
    assert not eve.room.remote_participants
