"""The Token passport card: a pasted token, whether it is good, who made it, and what it allows in words."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.badges import badge, tag
from pulse_dash.components.buttons import button
from pulse_dash.components.states import notice
from pulse_dash.components.times import moment
from pulse_dash.state.passport import PassportState


def passport_card() -> rx.Component:
    """Paste and look."""
    errors = PassportState.errors
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Token passport"),
            rx.cond(
                PassportState.looked,
                rx.cond(PassportState.valid, badge("Good", "good"), badge("No good", "bad")),
            ),
            class_name="card-head",
        ),
        rx.el.form(
            rx.cond(errors.contains(""), notice(errors[""], tone="bad", role="alert")),
            rx.el.div(
                rx.el.label("Token", html_for="passport-token"),
                rx.el.textarea(
                    id="passport-token",
                    name="token",
                    rows=3,
                    class_name="input input-mono input-tall",
                    placeholder="eyJhbGciOi…",
                    spell_check=False,
                    auto_complete="off",
                    required=True,
                    custom_attrs={
                        "aria-describedby": "passport-token-error passport-token-hint",
                        "data-missing": "Paste a token.",
                    },
                ),
                rx.el.p(errors.get("token", ""), id="passport-token-error", class_name="field-error", role="alert"),
                rx.el.p(
                    "Any LiveKit token, also one that does not let somebody in. It is looked at and not kept.",
                    id="passport-token-hint",
                    class_name="hint",
                ),
                class_name="field",
            ),
            rx.el.div(button("Look at it", icon_name="search", type="submit")),
            on_submit=PassportState.look,
            class_name="stack",
            no_validate=True,
            custom_attrs={"data-checked": ""},
        ),
        rx.el.div(
            rx.cond(PassportState.looked, _found()),
            custom_attrs={"aria-live": "polite"},
        ),
        class_name="card",
    )


def _found() -> rx.Component:
    state = PassportState
    return rx.el.div(
        rx.cond(
            state.valid,
            notice(state.why, tone="good"),
            notice(state.why, tone="bad"),
        ),
        rx.cond(
            state.identity != "",
            rx.el.dl(
                rx.el.dt("Who"),
                rx.el.dd(rx.el.bdi(state.identity)),
                rx.el.dt("Room"),
                rx.el.dd(rx.el.bdi(state.room)),
                rx.el.dt("May"),
                rx.el.dd(rx.el.ul(rx.foreach(state.may, lambda words: rx.el.li(tag(words))), class_name="grants")),
                rx.cond(
                    state.may_not.length() > 0,
                    rx.fragment(
                        rx.el.dt("May not"),
                        rx.el.dd(
                            rx.el.ul(rx.foreach(state.may_not, lambda words: rx.el.li(tag(words))), class_name="grants")
                        ),
                    ),
                ),
                rx.el.dt("Ends"),
                rx.el.dd(moment(state.expires_at)),
                rx.el.dt("Minted"),
                rx.el.dd(
                    rx.cond(
                        state.minted_at != "",
                        rx.fragment(moment(state.minted_at), " with ", rx.el.bdi(state.key_name)),
                        "not by Pulse",
                    )
                ),
                class_name="facts",
            ),
        ),
        class_name="stack passport",
    )
