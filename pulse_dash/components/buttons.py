"""Buttons and the copy hand. Variants are one table; a page has at most one `primary`."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

from pulse_dash.components.icons import icon

Variant = Literal["plain", "primary", "danger", "deadly", "quiet"]

_CLASS: dict[Variant, str] = {
    "plain": "button",
    "primary": "button button-primary",
    "danger": "button button-danger",
    "deadly": "button button-deadly",
    "quiet": "button button-quiet",
}


def button_class(variant: Variant = "plain", *, small: bool = False, wide: bool = False) -> str:
    """The class names, for links that look like buttons."""
    return _CLASS[variant] + (" button-small" if small else "") + (" button-wide" if wide else "")


def button(
    *words: Any,
    variant: Variant = "plain",
    small: bool = False,
    wide: bool = False,
    icon_name: str = "",
    opens: Any = None,
    **props: Any,
) -> rx.Component:
    """A button; `opens` names the dialog it opens in the browser, without a question to the server."""
    attributes: dict[str, Any] = props.pop("custom_attrs", {})
    if opens is not None:
        attributes = {**attributes, "data-opens-dialog": opens, "aria-haspopup": "dialog"}
    return rx.el.button(
        *([icon(icon_name)] if icon_name else []),
        *words,
        type=props.pop("type", "button"),
        class_name=button_class(variant, small=small, wide=wide),
        custom_attrs=attributes,
        **props,
    )


def icon_button(name: str, label: Any, **props: Any) -> rx.Component:
    """A square button with only an icon; `label` is what readers and the tooltip say."""
    attributes: dict[str, Any] = {"aria-label": label, **props.pop("custom_attrs", {})}
    return rx.el.button(
        icon(name), type="button", title=label, class_name="button-icon", custom_attrs=attributes, **props
    )


def opening_icon(name: str, label: str, opens: Any) -> rx.Component:
    """An icon that opens a dialog, where a row has no room for words."""
    return icon_button(name, label, custom_attrs={"data-opens-dialog": opens, "aria-haspopup": "dialog"})


def _copy_icons() -> tuple[rx.Component, rx.Component]:
    return icon("copy", also="icon-todo"), icon("check", also="icon-done")


def copy_icon(text: Any, what: str) -> rx.Component:
    """Copies `text`; `what` names it for readers ("API key")."""
    return rx.el.button(
        *_copy_icons(),
        type="button",
        title=f"Copy {what}",
        class_name="button-icon copy",
        custom_attrs={"aria-label": f"Copy {what}", "data-copy": text, "data-what": what},
    )


def copy_words(text: Any, what: str) -> rx.Component:
    """The same with the word Copy, for what must be copied now."""
    return rx.el.button(
        *_copy_icons(),
        "Copy",
        type="button",
        class_name="copy",
        custom_attrs={"aria-label": f"Copy {what}", "data-copy": text, "data-what": what},
    )


def copy_text(text: Any, what: str, *, shown: Any = None) -> rx.Component:
    """An id that is its own copy button."""
    return rx.el.button(
        rx.el.span(text if shown is None else shown, class_name="one-line"),
        *_copy_icons(),
        type="button",
        title=f"Copy {what}",
        class_name="copy-text copy",
        custom_attrs={"data-copy": text, "data-what": what},
    )


def copy_place(name: str, what: str) -> rx.Component:
    """The same, empty: pulse.js fills the element that carries `name` and what is copied."""
    return rx.el.button(
        rx.el.span(class_name="one-line", custom_attrs={name: ""}),
        *_copy_icons(),
        type="button",
        title=f"Copy {what}",
        class_name="copy-text copy",
        custom_attrs={"data-copy": "", "data-what": what},
    )
