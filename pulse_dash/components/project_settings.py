"""The Settings and Danger zone tabs of a project."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.buttons import button
from pulse_dash.components.dialog import confirm_dialog, refusal
from pulse_dash.components.fields import field, select
from pulse_dash.components.project_development import development_card
from pulse_dash.components.states import bone, not_offered
from pulse_dash.state.project import ProjectState
from pulse_dash.state.shell import ShellState

_DELETE = "delete-project"


def _bones() -> rx.Component:
    return rx.el.section(
        rx.el.div(bone("bone-short"), bone("bone-line"), bone("bone-short"), bone("bone-line"), class_name="stack"),
        class_name="card",
    )


def settings_tab() -> rx.Component:
    """Name, region and development tokens."""
    return rx.el.div(
        rx.cond(ProjectState.loaded, rx.el.div(_settings(), development_card(), class_name="stack"), _bones()),
        class_name="project-wide",
    )


def _settings() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2("Settings"), class_name="card-head"),
        rx.el.form(
            refusal(ProjectState),
            rx.el.fieldset(
                _name_and_region(),
                disabled=~ProjectState.may.change_projects,
                class_name="all-fields stack",
            ),
            rx.cond(
                ProjectState.may.change_projects,
                rx.el.div(
                    button("Save", variant="primary", type="submit"),
                    rx.el.span(rx.cond(ProjectState.saved, "Saved.", ""), class_name="good small", role="status"),
                    class_name="row",
                ),
                rx.el.p("A developer, an admin or an owner of the organization changes these.", class_name="hint"),
            ),
            on_submit=ProjectState.save,
            class_name="stack",
            no_validate=True,
            custom_attrs={"data-checked": ""},
        ),
        class_name="card",
    )


def _name_and_region() -> rx.Component:
    return rx.fragment(
        field(
            "Name",
            id="project-name",
            name="name",
            default_value=ProjectState.name,
            key=ProjectState.id + ProjectState.name,
            error=ProjectState.errors.get("name", ""),
            required=True,
            max_length=128,
            auto_complete="off",
            says={"missing": "A project has a name."},
        ),
        select(
            "Region",
            rx.foreach(ShellState.regions, lambda region: rx.el.option(region, value=region)),
            id="project-region",
            name="region",
            default_value=ProjectState.region,
            key=ProjectState.id + ProjectState.region,
        ),
        rx.el.p(
            "Where another LiveKit serves the new region, new tokens lead there. Rooms that are running go on "
            "where they are until the last one leaves, but are no longer listed, and who joins from now on does "
            "not meet the people in them. End them first to move everybody.",
            class_name="hint",
        ),
    )


def danger_tab() -> rx.Component:
    """Deleting."""
    return rx.el.div(
        rx.cond(ProjectState.loaded, rx.cond(ProjectState.may.delete_projects, _danger(), _not_theirs()), _bones()),
        class_name="project-wide",
    )


def _not_theirs() -> rx.Component:
    return not_offered(
        "Your role does not delete projects",
        "All keys of a project stop with it. An admin or an owner of the organization deletes it.",
    )


def _danger() -> rx.Component:
    return rx.fragment(
        rx.el.section(
            rx.el.div(rx.el.h2("Delete this project"), class_name="card-head"),
            rx.el.div(
                rx.el.p(
                    "Its keys are refused everywhere within a second, and nobody gets a new token for its rooms. "
                    "Whoever runs a server on it is affected at once.",
                    class_name="quiet prose",
                ),
                rx.el.div(button("Delete project…", variant="danger", icon_name="trash-2", opens=_DELETE)),
                class_name="stack",
            ),
            class_name="card",
        ),
        confirm_dialog(
            "Delete",
            ProjectState.name,
            "All its keys stop within a second.",
            "Nobody gets a new token for its rooms.",
            "Its figures so far stay counted for the organization.",
            label="Type the project's name to delete it",
            about=("project_id", ProjectState.id),
            state=ProjectState,
            id=_DELETE,
            does="Delete project",
            on_submit=ProjectState.delete,
        ),
    )
