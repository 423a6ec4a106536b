"""The dialogs in which operators tell of incidents and maintenance, how they go, and what they came from."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.buttons import button
from pulse_dash.components.dialog import form_dialog
from pulse_dash.components.fields import field, select
from pulse_dash.components.states import notice
from pulse_dash.state.incident_forms import IncidentFormsState
from pulse_dash.state.service_status import IncidentRow, PartRow, ServiceStatusState

_DECLARE, _PLAN = "declare-incident", "plan-maintenance"
_TOLD = "Everybody reads it on the public page, and whoever subscribed is told at once."
_IMPACTS = (
    ("minor", "minor: some notice it"),
    ("major", "major: many can't work"),
    ("critical", "critical: nobody can"),
)
_STATES = {
    "incident": ("investigating", "identified", "monitoring", "resolved"),
    "maintenance": ("scheduled", "in_progress", "completed"),
}


def incident_actions() -> rx.Component:
    """What an operator can begin."""
    return rx.cond(
        ServiceStatusState.operator,
        rx.el.div(
            button("Plan maintenance…", small=True, opens=_PLAN),
            button("Tell of an incident…", small=True, opens=_DECLARE),
            class_name="push incident-actions",
        ),
    )


def row_actions(row: rx.Var[IncidentRow]) -> rx.Component:
    """What an operator can write about one that is there."""
    return rx.cond(
        ServiceStatusState.operator,
        rx.el.div(
            rx.cond(row.over, None, button("Say how it goes…", small=True, opens="tell-" + row.id)),
            button(
                rx.cond(row.afterwards == "", "Explain it…", "Change the explanation…"),
                small=True,
                opens="explain-" + row.id,
            ),
            class_name="incident-actions",
        ),
    )


def incident_dialogs() -> rx.Component:
    """All of them, for operators alone."""
    return rx.cond(
        ServiceStatusState.operator,
        rx.fragment(
            _declare_dialog(),
            _plan_dialog(),
            rx.foreach(ServiceStatusState.incidents, _tell_dialog),
            rx.foreach(ServiceStatusState.incidents, _explain_dialog),
        ),
    )


def _declare_dialog() -> rx.Component:
    return form_dialog(
        "Tell of an incident",
        _title("incident"),
        _words("What is known", id="incident-body", missing="Say what people notice, and that you look at it."),
        select(
            "Impact",
            *(rx.el.option(words, value=value) for value, words in _IMPACTS),
            id="incident-impact",
            name="impact",
            default_value="minor",
        ),
        _affected("incident"),
        before=notice(_TOLD),
        state=IncidentFormsState,
        id=_DECLARE,
        does="Tell everybody",
        on_submit=IncidentFormsState.declare,
    )


def _plan_dialog() -> rx.Component:
    return form_dialog(
        "Plan maintenance",
        _title("maintenance"),
        _words("What is done, and what people notice", id="maintenance-body", missing="Say what people will notice."),
        rx.el.div(
            _time("Begins (UTC)", "starts_at"),
            _time("Ends (UTC)", "ends_at"),
            class_name="two-fields",
        ),
        _affected("maintenance"),
        before=notice(f"{_TOLD} Checks of the affected parts count neither way while it lasts."),
        state=IncidentFormsState,
        id=_PLAN,
        does="Tell everybody",
        on_submit=IncidentFormsState.plan,
    )


def _tell_dialog(row: rx.Var[IncidentRow]) -> rx.Component:
    return form_dialog(
        rx.fragment("How it goes: ", rx.el.bdi(row.title)),
        _about(row),
        rx.cond(row.kind == "maintenance", _state_choice(row, "maintenance"), _state_choice(row, "incident")),
        _words("What is known now", id="tell-body-" + row.id, missing="Say what is known by now."),
        before=notice(_TOLD),
        state=IncidentFormsState,
        id="tell-" + row.id,
        does="Tell everybody",
        on_submit=IncidentFormsState.tell,
    )


def _explain_dialog(row: rx.Var[IncidentRow]) -> rx.Component:
    return form_dialog(
        rx.fragment("Afterwards: ", rx.el.bdi(row.title)),
        _about(row),
        _words(
            "What it came from, and what keeps it from coming again",
            id="explain-body-" + row.id,
            name="postmortem",
            value=row.afterwards,
        ),
        state=IncidentFormsState,
        id="explain-" + row.id,
        does="Publish",
        on_submit=IncidentFormsState.explain,
    )


def _about(row: rx.Var[IncidentRow]) -> rx.Component:
    return rx.el.input(type="hidden", name="incident_id", default_value=row.id, key=row.id)


def _state_choice(row: rx.Var[IncidentRow], kind: str) -> rx.Component:
    return select(
        "State",
        *(rx.el.option(state.replace("_", " ").capitalize(), value=state) for state in _STATES[kind]),
        id="tell-state-" + row.id,
        name="status",
        default_value=row.state,
        key=row.state,
    )


def _title(kind: str) -> rx.Component:
    return field(
        "Title",
        id=f"{kind}-title-field",
        name="title",
        error=IncidentFormsState.errors.get("title", ""),
        required=True,
        max_length=128,
        auto_complete="off",
        says={"missing": "Give it a title that people understand."},
        custom_attrs={"data-first": ""},
    )


def _time(label: str, name: str) -> rx.Component:
    return field(
        label,
        id=f"maintenance-{name}",
        name=name,
        type="datetime-local",
        error=IncidentFormsState.errors.get(name, ""),
        required=True,
        says={"missing": "Choose a day and a time."},
    )


def _words(label: str, *, id: Any, name: str = "body", missing: str = "", value: Any = "") -> rx.Component:
    attributes = {"aria-describedby": id + "-error", **({"data-missing": missing} if missing else {})}
    return rx.el.div(
        rx.el.label(label, html_for=id),
        rx.el.textarea(
            id=id,
            name=name,
            rows="4",
            required=bool(missing),
            class_name="input input-tall",
            default_value=value,
            custom_attrs=attributes,
        ),
        rx.el.p(IncidentFormsState.errors.get(name, ""), id=id + "-error", class_name="field-error", role="alert"),
        class_name="field",
    )


def _affected(kind: str) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend("Affected parts"),
        rx.foreach(ServiceStatusState.parts, lambda part: _box(part, kind)),
        rx.el.p(IncidentFormsState.errors.get("components", ""), class_name="field-error", role="alert"),
        class_name="boxes",
    )


def _box(part: rx.Var[PartRow], kind: str) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="checkbox", name="component-" + part.name, id=f"{kind}-part-" + part.name), part.title
    )
