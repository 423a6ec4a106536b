"""The pages in front of the door: the form on the left, the pulse on the right.

What the server refused stands in the address (?error=CODE) and pulse.js shows the sentence for it, so these pages
need neither a State nor a socket.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.buttons import button
from pulse_dash.components.fields import field
from pulse_dash.components.links import plain_link
from pulse_dash.components.logo import logo, wave
from pulse_dash.components.states import notice

_REFUSED = {
    "wrong_credentials": "That email and password do not belong together. Check both and try again.",
    "wrong_code": "That code is not right, or was used already. Wait for the next one, or use a recovery code.",
    "challenge_over": "That took too long, or your account changed meanwhile. Sign in again.",
    "email_taken": "There is an account with this email already. Sign in instead.",
    "invalid": "Something in the form could not be taken. Check each field and send it again.",
    "rate_limited": "Too many tries from here. Wait a minute, then try again.",
    "signup_closed": "This installation takes new people by invitation only. Ask whoever runs it.",
    "unavailable": "Pulse cannot reach its database at the moment. Nothing was lost; try again shortly.",
    "link_spent": "This link was used already, is too old, or a newer one was sent. Ask for another.",
    "unknown": "That did not work. Try again.",
}


_DONE = {
    "sent": "If there is an account with that email, a link is on its way. It works for an hour.",
    "reset": "Your new password is set, and you are signed out everywhere. Sign in with it.",
    "verified": "Your address is confirmed.",
}


def door(title: str, sentence: str, *fields: Any, action: str, beneath: rx.Component) -> rx.Component:
    """A native form that posts to `action`."""
    return rx.el.div(
        rx.el.main(
            rx.el.div(
                rx.el.div(logo(), rx.el.span("Pulse"), class_name="door-brand"),
                rx.el.div(rx.el.h1(title), rx.el.p(sentence, class_name="quiet"), class_name="door-words"),
                *(_refusal(code, words) for code, words in _REFUSED.items()),
                *(_good_news(code, words) for code, words in _DONE.items()),
                rx.el.form(
                    *fields,
                    action=action,
                    method="post",
                    on_submit=None,  # else Reflex keeps the browser from sending it
                    class_name="door-fields",
                    no_validate=True,
                    custom_attrs={"data-checked": "", "data-door": ""},
                ),
                beneath,
                class_name="door-column",
            ),
            class_name="door-form",
        ),
        rx.el.aside(
            wave(),
            rx.el.p("Rooms, keys and tokens, on your own machines."),
            class_name="door-panel",
        ),
        class_name="door",
    )


def _refusal(code: str, words: str) -> rx.Component:
    return rx.el.div(notice(words, tone="bad", role="alert"), hidden=True, custom_attrs={"data-refused": code})


def _good_news(code: str, words: str) -> rx.Component:
    return rx.el.div(notice(words, tone="good"), hidden=True, custom_attrs={"data-done": code})


def new_password_field() -> rx.Component:
    """A password that is chosen now."""
    return field(
        "Password",
        id="password",
        name="password",
        type="password",
        auto_complete="new-password",
        required=True,
        min_length=10,
        max_length=128,
        hint="10 characters or more. A sentence is fine.",
        says={"missing": "Choose a password.", "short": "At least 10 characters."},
    )


def hidden_token() -> rx.Component:
    """The secret of the link that led here; pulse.js takes it out of the address."""
    return rx.el.input(type="hidden", name="token", id="token")


def email_field(*, first: bool = False) -> rx.Component:
    """The address; what was typed comes back with a refusal."""
    return field(
        "Email",
        id="email",
        name="email",
        type="email",
        auto_complete="username" if first else "email",
        auto_focus=first,
        required=True,
        max_length=254,
        says={"missing": "Enter your email.", "mismatch": "An email looks like name@example.com."},
    )


def hidden_next() -> rx.Component:
    """Where to go after; the server takes a path of ours only."""
    return rx.el.input(type="hidden", name="next", id="next")


def submit(word: str) -> rx.Component:
    """The one primary action."""
    return button(word, variant="primary", wide=True, type="submit")


def other_way(question: str, word: str, href: str) -> rx.Component:
    """To the other of the two pages, as a whole new document."""
    return rx.el.p(
        question,
        " ",
        plain_link(word, href=href, class_name="link", custom_attrs={"data-carries-next": ""}),
        class_name="door-other",
    )
