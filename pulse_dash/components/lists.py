"""What lists share: the row of search and choices above them, their four states, and cards.

A State with a list has `loaded`, `problem`, `reference`, `items`, `pages`, `showing`, `page` and the handlers `load`
and `turn_to`; state.lists reads and writes its address.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.icons import icon
from pulse_dash.components.pager import pager
from pulse_dash.components.states import bone, empty, failed


def list_tools(
    *choices: rx.Component, what: str, state: Any, placeholder: str = "Search by name or id"
) -> rx.Component:
    """Search and choices; what they hold stands in the address. `/` puts the focus into the search."""
    return rx.el.div(
        rx.el.div(
            icon("search"),
            rx.el.label(f"Search {what}", html_for="search", class_name="seen-by-readers"),
            rx.debounce_input(
                rx.el.input(
                    id="search",
                    type="search",
                    class_name="input",
                    placeholder=placeholder,
                    value=state.search,
                    on_change=state.set_search,
                    max_length=200,
                    auto_complete="off",
                    custom_attrs={"data-search": "", "enterKeyHint": "search"},
                ),
                debounce_timeout=250,
            ),
            class_name="input-search",
        ),
        *choices,
        class_name="filters",
        role="search",
    )


def list_choice(label: str, *options: Any, id: str, value: Any, on_change: Any) -> rx.Component:
    """A select above a list; its label is for readers, its first option says what is shown without a choice."""
    return rx.el.div(
        rx.el.label(label, html_for=id, class_name="seen-by-readers"),
        rx.el.select(*options, id=id, class_name="select", value=value, on_change=on_change),
    )


def listed(state: Any, full: rx.Component, *, bones: rx.Component, nothing: rx.Component, what: str, still: str) -> Any:
    """The list in the state it is in: what failed, grey lines, nothing with a reason, or the items with their pages."""
    return rx.fragment(
        rx.cond(
            state.problem != "",
            failed(f"The {what} could not be read.", state.problem, state.reference, retry=state.load, still=still),
        ),
        rx.cond(
            state.loaded,
            rx.cond(
                state.items.length() == 0,
                nothing,
                rx.fragment(full, rx.cond(state.pages > 1, pager(state))),
            ),
            rx.cond(state.problem == "", bones),
        ),
    )


def no_match(title: str, why: str, *action: Any) -> rx.Component:
    """Nothing was found; what else to try."""
    return rx.el.section(
        empty("search", title, why, *action, small=True),
        class_name="card below-filters",
        custom_attrs={"aria-live": "polite"},
    )


def nothing_yet(icon_name: str, title: str, why: Any, *action: Any) -> rx.Component:
    """The list has never had an item: what it is, and the one thing to do."""
    return rx.el.section(empty(icon_name, title, why, *action, small=True), class_name="card below-filters")


def card_top(initial: Any, heading: rx.Component, beneath: rx.Component, mark: rx.Component) -> rx.Component:
    """Initial, name and state in one row; the id has the whole width beneath."""
    return rx.el.div(
        rx.el.bdi(initial, class_name="initial", custom_attrs={"aria-hidden": "true"}),
        rx.el.div(heading, beneath, class_name="project-words"),
        mark,
        class_name="project-top",
    )


def card_bones(count: int = 3) -> rx.Component:
    """Grey cards of the size that cards have."""
    card = rx.el.li(
        rx.el.div(
            rx.el.div(
                bone("bone-square"),
                rx.el.div(bone("bone-title"), bone(), class_name="project-words stack-tight"),
                class_name="project-top",
            ),
            bone("bone-short"),
            class_name="card project-card",
        )
    )
    return rx.el.ul(*[card] * count, class_name="cards", custom_attrs={"aria-busy": "true", "aria-label": "Loading"})


def row_bones(columns: int, count: int = 5) -> rx.Component:
    """Grey rows of a table's body, as high as its rows are."""
    row = rx.el.tr(*(rx.el.td(bone("" if place else "bone-long")) for place in range(columns)))
    return rx.el.tbody(*[row] * count, custom_attrs={"aria-hidden": "true"})


def section_bones() -> rx.Component:
    """A grey card with a title and three lines."""
    return rx.el.section(
        rx.el.div(bone("bone-title"), class_name="card-head"),
        rx.el.div(bone("bone-line"), bone("bone-line"), bone("bone-line"), class_name="stack"),
        class_name="card",
    )
