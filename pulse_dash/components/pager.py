"""The pages of a list: which items are shown, and the way to the page before and after."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.buttons import button


def pager(state: Any) -> rx.Component:
    """For a State with `showing` (a sentence), `page`, `pages` and the handler `turn_to`."""
    return rx.el.nav(
        rx.el.span(state.showing, class_name="small quiet"),
        rx.el.div(
            button(
                "Previous",
                small=True,
                icon_name="chevron-left",
                disabled=state.page <= 1,
                on_click=state.turn_to(state.page - 1),
            ),
            button(
                "Next",
                small=True,
                icon_name="chevron-right",
                disabled=state.page >= state.pages,
                on_click=state.turn_to(state.page + 1),
            ),
            class_name="row",
        ),
        class_name="pager",
        custom_attrs={"aria-label": "Pages of the list"},
    )
