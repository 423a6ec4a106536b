"""Every grant that LiveKit knows is named as signed or refused, and what is refused stands in no token of ours."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from livekit.api.access_token import Claims, SIPGrants, VideoGrants

from pulse_dash.core.grants import CLAIMS, PUBLISH_SOURCES, SIP, VIDEO, Permissions, grant_of, in_words


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def names(kind: type[Any]) -> set[str]:
    """The grants of livekit-api's own class, as they are written in a token."""
    return {camel(field.name) for field in fields(kind)}


def test_the_tables_name_every_grant_of_livekit_and_no_other() -> None:
    assert names(VideoGrants) == VIDEO.keys()
    assert names(SIPGrants) == SIP.keys()
    assert names(Claims) == CLAIMS.keys()


def test_nothing_of_sip_and_no_grant_beyond_a_room_is_signed() -> None:
    assert not any(grant.signed for grant in SIP.values())
    assert {name for name, grant in VIDEO.items() if not grant.signed} >= {
        "roomCreate",
        "roomList",
        "roomRecord",
        "ingressAdmin",
        "agent",
    }


PERMISSIONS = st.builds(
    Permissions,
    *[st.booleans()] * 4,
    st.none() | st.lists(st.sampled_from(PUBLISH_SOURCES), unique=True).map(tuple),
    *[st.booleans()] * 3,
)


@given(PERMISSIONS)
def test_whatever_is_asked_for_only_what_is_named_as_signed_is_granted(permissions: Permissions) -> None:
    granted = grant_of("prj_x.lobby", permissions)

    assert granted.keys() <= {name for name, grant in VIDEO.items() if grant.signed}


def test_each_grant_that_is_named_as_signed_can_be_asked_for() -> None:
    everything = Permissions(True, True, True, True, ("camera",), True, True, True)

    assert grant_of("prj_x.lobby", everything).keys() == {name for name, grant in VIDEO.items() if grant.signed}


@given(
    st.dictionaries(st.sampled_from(sorted(VIDEO)), st.booleans()),
    st.dictionaries(st.sampled_from(sorted(SIP)), st.booleans()),
)
def test_every_grant_that_a_token_holds_is_said(video: dict[str, bool], sip: dict[str, bool]) -> None:
    said = in_words({"video": video, "sip": sip})

    for table, held in ((VIDEO, video), (SIP, sip)):
        for name, value in held.items():
            if value:
                assert table[name].words in said.may
    assert not set(said.may) & set(said.may_not)


def test_what_livekit_takes_as_allowed_is_said_and_what_is_refused_too() -> None:
    assert in_words({"video": {"roomJoin": True}}).may[1:] == (
        "speak and show video",
        "hear and see others",
        "send data",
    )
    listener = in_words({"video": {"roomJoin": True, "canPublish": False}})
    assert listener.may == ("join the room", "hear and see others")
    assert listener.may_not == ("speak and show video", "send data")
    sources = {"roomJoin": True, "canPublishSources": ["camera", "microphone"]}
    assert "publish the camera and the microphone only" in in_words({"video": sources}).may


@given(
    st.recursive(st.none() | st.booleans() | st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each))
)
def test_claims_of_any_shape_are_read(value: object) -> None:
    for claims in ({"video": value, "sip": value}, {"video": {"canPublishSources": value, "roomJoin": value}}):
        assert in_words(claims)
