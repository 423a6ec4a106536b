"""A key and, while it is there, its secret: shown once, in a highlighted box, under a warning."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.buttons import button, copy_icon, copy_words
from pulse_dash.components.reveal import reveal
from pulse_dash.components.states import notice
from pulse_dash.state.secret import SecretState


def copy_now() -> rx.Component:
    """The warning above a secret that will not come back."""
    return notice(
        rx.el.span(rx.el.strong("Copy the secret now."), " It is kept only as a hash and can never be shown again."),
        tone="warn",
    )


def key_value(public: Any) -> rx.Component:
    """The public half."""
    return rx.el.div(
        rx.el.span("API key", class_name="label"),
        rx.el.div(rx.el.code(public, class_name="one-line"), copy_icon(public, "API key"), class_name="value"),
        class_name="field",
    )


def secret_value(secret: Any) -> rx.Component:
    """The secret half, while it can be seen."""
    return _shown_once(secret, "API secret")


def personal_token_value(token: Any) -> rx.Component:
    """A personal token, while it can be seen."""
    return _shown_once(token, "API token")


def signing_secret(proves: str, *, another: str) -> rx.Component:
    """The card of what signs a webhook's messages, while it can be seen; `another` is how one gets another."""
    return rx.el.section(
        rx.el.div(
            notice(
                rx.el.span(
                    rx.el.strong("Copy the secret now."),
                    f" Your endpoint proves with it that {proves} is from here (Standard Webhooks). It is never shown "
                    f"again; for another one, {another}.",
                ),
                tone="warn",
            ),
            _shown_once(SecretState.secret, "Signing secret"),
            rx.el.div(button("I have copied it", small=True, icon_name="check", on_click=SecretState.put_away)),
            class_name="stack",
        ),
        class_name="card",
    )


def _shown_once(secret: Any, what: str) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.span(what, class_name="label"),
            rx.el.span("shown once, for two minutes", class_name="hint"),
            class_name="value-head",
        ),
        rx.el.div(rx.el.code(secret), copy_words(secret, what), reveal(), class_name="value value-secret"),
        class_name="field",
    )
