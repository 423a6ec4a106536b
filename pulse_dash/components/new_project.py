"""The New project dialog, which stands once in the shell."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.dialog import form_dialog
from pulse_dash.components.fields import field, select
from pulse_dash.state.new_project import NEW_PROJECT, NewProjectState
from pulse_dash.state.shell import ShellState

__all__ = ["NEW_PROJECT", "new_project_dialog"]


def new_project_dialog() -> rx.Component:
    """Name and region; making it leads to its keys."""
    return form_dialog(
        "New project",
        field(
            "Name",
            id="new-project-name",
            name="name",
            error=NewProjectState.errors.get("name", ""),
            required=True,
            max_length=128,
            auto_complete="off",
            placeholder="Live Classes",
            says={"missing": "Give it a name."},
            custom_attrs={"data-first": ""},
        ),
        select(
            "Region",
            rx.foreach(ShellState.regions, lambda region: rx.el.option(region, value=region)),
            id="new-project-region",
            name="region",
        ),
        rx.el.p("It gets a key of its own; the secret is shown once, right after.", class_name="hint"),
        state=NewProjectState,
        id=NEW_PROJECT,
        does="Create project",
        on_submit=NewProjectState.create,
    )
