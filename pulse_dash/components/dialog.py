"""The dialog: native, opened in the browser by `button(opens=id)`, closed by Esc, its veil or a State's counter."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.buttons import button, icon_button
from pulse_dash.components.fields import field


def _no_arguments() -> tuple[()]:
    return ()


class _ModalDialog(rx.Component):
    library = "$/public/react/dialog.jsx"
    tag = "ModalDialog"

    labelled_by: rx.Var[str]
    closes_on: rx.Var[int]
    on_open: rx.EventHandler[_no_arguments]
    on_closed: rx.EventHandler[_no_arguments]


def dialog(title: Any, *body: Any, id: Any, closes_on: Any, **events: Any) -> rx.Component:
    """`closes_on` is a counter of the State: when it moves, the work is done and the dialog closes."""
    heading = f"{id}-title"
    return _ModalDialog.create(
        rx.el.div(
            rx.el.h2(title, id=heading),
            icon_button("x", "Close", custom_attrs={"data-closes-dialog": ""}),
            class_name="dialog-head",
        ),
        *body,
        id=id,
        labelled_by=heading,
        closes_on=closes_on,
        **events,
    )


def dialog_actions(*actions: Any) -> rx.Component:
    """Cancel on the left of what the dialog is for."""
    return rx.el.div(button("Cancel", custom_attrs={"data-closes-dialog": ""}), *actions, class_name="dialog-actions")


def typed_name(label: str, *, id: Any, name: Any, error: Any) -> rx.Component:
    """For what can't be undone: the name of what is lost, typed by hand. Posted as `confirmation`."""
    return field(
        label,
        id=id,
        name="confirmation",
        error=error,
        required=True,
        auto_complete="off",
        placeholder=name,
        says={"missing": "Type the name as it stands above."},
        custom_attrs={"data-first": ""},
    )
