"""The search over everything: its button in the side, and the dialog that finds and jumps."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.icons import icon
from pulse_dash.state.search import Hit, SearchState
from pulse_dash.state.shell import ShellState


class _CommandPalette(rx.Component):
    library = "$/public/react/palette.jsx"
    tag = "CommandPalette"

    hits: rx.Var[list[Hit]]
    asked: rx.Var[str]
    answers: rx.Var[int]
    problem: rx.Var[str]
    reference: rx.Var[str]
    on_look: rx.EventHandler[rx.event.passthrough_event_spec(str)]
    on_switch: rx.EventHandler[rx.event.passthrough_event_spec(str)]


class _Shortcut(rx.Component):
    library = "$/public/react/palette.jsx"
    tag = "Shortcut"


def palette() -> rx.Component:
    """Stands once in the shell; Ctrl/⌘-K opens it from wherever one is."""
    return _CommandPalette.create(
        hits=SearchState.hits,
        asked=SearchState.asked,
        answers=SearchState.answers,
        problem=SearchState.problem,
        reference=SearchState.reference,
        on_look=SearchState.look,
        on_switch=ShellState.use_organization,
    )


def search_button() -> rx.Component:
    """Looks like a field, as in the drawing; it opens the search."""
    return rx.el.button(
        icon("search"),
        rx.el.span("Search or jump to…", class_name="one-line"),
        _Shortcut.create(),
        type="button",
        class_name="side-search",
        custom_attrs={"data-opens-search": "", "aria-haspopup": "dialog", "aria-keyshortcuts": "Control+K Meta+K"},
    )
