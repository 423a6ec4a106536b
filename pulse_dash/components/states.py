"""The states every list and card has besides full: skeleton, empty, error. And the notice that says one thing."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

from pulse_dash.components.buttons import button, copy_icon, copy_text
from pulse_dash.components.icons import icon

Tone = Literal["idle", "good", "warn", "bad"]

_ICON: dict[Tone, str] = {"idle": "info", "good": "circle-check", "warn": "triangle-alert", "bad": "circle-alert"}


def bone(shape: str = "") -> rx.Component:
    """A grey line where words will stand."""
    return rx.el.span(class_name=f"bone {shape}".strip(), custom_attrs={"aria-hidden": "true"})


def notice(*words: Any, tone: Tone = "idle", role: str = "status") -> rx.Component:
    """One thing the reader should know now."""
    return rx.el.div(
        icon(_ICON[tone]),
        rx.el.div(*words, class_name="notice-words"),
        class_name=f"notice notice-{tone}",
        role=role,
    )


def command(line: Any) -> rx.Component:
    """A line for the terminal, ready to copy."""
    return rx.el.div(rx.el.code(line, tab_index=0), copy_icon(line, "the command"), class_name="command")


def empty(icon_name: str, title: Any, why: Any, *action: Any, small: bool = False) -> rx.Component:
    """What this is, why it is empty, and the one thing to do."""
    return rx.el.div(
        rx.el.span(icon(icon_name), class_name="icon-frame"),
        rx.el.h2(title),
        rx.el.p(why),
        *action,
        class_name="empty empty-small" if small else "empty",
    )


def not_offered(title: str, who_may: str, icon_name: str = "lock") -> rx.Component:
    """In place of what a role does not see or do: whom to ask for it."""
    return rx.el.section(empty(icon_name, title, who_may), class_name="card")


def failed(
    what: str, detail: Any, reference: Any, *, retry: Any, still: str = "", besides: rx.Component | None = None
) -> rx.Component:
    """What failed, what still works, retry, where else to look, and the request's id to hand on."""
    return notice(
        rx.el.strong(what),
        rx.el.span(detail),
        *([rx.el.span(still, class_name="quiet")] if still else []),
        rx.el.div(
            button("Try again", small=True, icon_name="refresh-cw", on_click=retry),
            *([besides] if besides is not None else []),
            rx.cond(
                reference != "",
                rx.el.span("Request ", copy_text(reference, "the request id"), class_name="row small quiet"),
            ),
            class_name="error-facts",
        ),
        tone="bad",
        role="alert",
    )
