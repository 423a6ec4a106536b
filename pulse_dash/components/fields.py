"""Labelled fields. A field shows its own error beneath it, checked on leaving by pulse.js or told by the State."""

from __future__ import annotations

from typing import Any

import reflex as rx


def field(
    label: str,
    *,
    id: str,
    name: str,
    type: str = "text",
    error: Any = "",
    hint: Any = None,
    says: dict[str, str] | None = None,
    beside: rx.Component | None = None,
    class_name: str = "input",
    **props: Any,
) -> rx.Component:
    """A text field; `says` are its own words for `missing`, `short` and `mismatch`. What stands `beside` the label is
    reached after the field by a keyboard."""
    words = {f"data-{kind}": sentence for kind, sentence in (says or {}).items()}
    described = f"{id}-error" if hint is None else f"{id}-error {id}-hint"
    return rx.el.div(
        rx.el.label(label, html_for=id),
        rx.el.input(
            id=id,
            name=name,
            type=type,
            class_name=class_name,
            custom_attrs={"aria-describedby": described, **words, **props.pop("custom_attrs", {})},
            **props,
        ),
        *([rx.el.div(beside, class_name="field-beside")] if beside is not None else []),
        rx.el.p(error, id=f"{id}-error", class_name="field-error", role="alert"),
        rx.cond(hint is not None, rx.el.p(hint, id=f"{id}-hint", class_name="hint")) if hint is not None else None,
        class_name="field",
    )


def own_password_field(
    label: str = "Your password",
    *,
    id: str,
    name: str = "password",
    error: Any,
    missing: str = "Enter your password.",
    first: bool = True,
) -> rx.Component:
    """The password that somebody signs in with, asked for again; `first` where a dialog begins with it."""
    return field(
        label,
        id=id,
        name=name,
        type="password",
        error=error,
        auto_complete="current-password",
        required=True,
        max_length=128,
        says={"missing": missing},
        custom_attrs={"data-first": ""} if first else {},
    )


def select(label: str, *options: Any, id: str, name: str, seen: bool = True, **props: Any) -> rx.Component:
    """A native select; with `seen=False` its label is there for readers only (filters)."""
    return rx.el.div(
        rx.el.label(label, html_for=id, class_name="label" if seen else "seen-by-readers"),
        rx.el.select(*options, id=id, name=name, class_name="select", **props),
        class_name="field" if seen else "",
    )
