"""The dialog: native, opened in the browser by `button(opens=id)`, closed by Esc, its veil or a State's counter.

A State behind a form in one is a `DialogState`: `errors` (messages by field, `""` for what belongs to none), `changes`,
a counter that closes it, and the handler `forget`, which begins without the refusals of the last time.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.buttons import Variant, button, icon_button
from pulse_dash.components.fields import field
from pulse_dash.components.states import notice


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


def refusal(state: Any) -> rx.Component:
    """What was refused and belongs to no field."""
    return rx.cond(state.errors.contains(""), notice(state.errors[""], tone="bad", role="alert"))


def form_dialog(
    title: Any,
    *fields: Any,
    state: Any,
    id: Any,
    does: str,
    on_submit: Any,
    before: Any = None,
    variant: Variant = "primary",
) -> rx.Component:
    """A dialog with a form: what is refused, its fields, and the button that does it."""
    return dialog(
        title,
        *([before] if before is not None else []),
        refusal(state),
        rx.el.form(
            *fields,
            dialog_actions(button(does, variant=variant, type="submit")),
            on_submit=on_submit,
            class_name="stack",
            no_validate=True,
            custom_attrs={"data-checked": ""},
        ),
        id=id,
        closes_on=state.changes,
        on_open=state.forget,
    )


def breaks(*sentences: Any) -> rx.Component:
    """What breaks and who is affected, one sentence each."""
    return rx.el.ul(*(rx.el.li(sentence) for sentence in sentences), class_name="breaks")


def confirm_dialog(
    verb: str,
    name: Any,
    *consequences: Any,
    label: str,
    about: tuple[str, Any],
    state: Any,
    id: Any,
    does: str,
    on_submit: Any,
) -> rx.Component:
    """For what can't be undone: what breaks, and the name of what is lost, typed by hand.

    Posted are `confirmation` and the field `about` names, which says what it is done to."""
    return form_dialog(
        rx.fragment(f"{verb} ", rx.el.bdi(name)),
        rx.el.input(type="hidden", name=about[0], default_value=about[1], key=about[1]),
        field(
            label,
            id="confirm-" + id,
            name="confirmation",
            error=state.errors.get("confirmation", ""),
            required=True,
            auto_complete="off",
            placeholder=name,
            says={"missing": "Type the name as it stands above."},
            custom_attrs={"data-first": ""},
        ),
        before=breaks(*consequences),
        state=state,
        id=id,
        does=does,
        on_submit=on_submit,
        variant="deadly",
    )
