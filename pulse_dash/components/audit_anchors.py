"""Where checkpoints of the audit log go, when the last one left, and the owners' dialog that says so."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.buttons import button
from pulse_dash.components.dialog import breaks, form_dialog
from pulse_dash.components.fields import field, select
from pulse_dash.components.secret import signing_secret
from pulse_dash.components.states import failed
from pulse_dash.components.times import moment
from pulse_dash.state.audit_anchors import AnchorsState, BucketChoice, WayShown
from pulse_dash.state.secret import SecretState

_DIALOG = "checkpoints"


def anchors_card() -> rx.Component:
    """Each way with its last checkpoint; nothing until it was read."""
    state = AnchorsState
    return rx.el.div(
        rx.cond(
            state.problem != "",
            failed("Where checkpoints go could not be read.", state.problem, state.reference, retry=state.load),
        ),
        rx.cond(
            SecretState.secret != "", signing_secret("a checkpoint", another="take the webhook away and name it again")
        ),
        rx.cond(
            state.loaded,
            rx.el.section(
                rx.el.div(
                    rx.el.h2("Checkpoints"),
                    rx.cond(
                        state.may_change,
                        rx.el.div(button("Choose where they go…", small=True, opens=_DIALOG), class_name="push"),
                    ),
                    class_name="card-head",
                ),
                rx.cond(
                    state.ways.length() > 0,
                    rx.el.dl(rx.foreach(state.ways, _way), class_name="facts"),
                    rx.el.p(
                        "Only the weekly mail to the owners carries one. A checkpoint that lies elsewhere shows later "
                        "whether the log was cut off at its end or put back from an older backup.",
                        class_name="small quiet",
                    ),
                ),
                class_name="card",
            ),
        ),
        class_name="stack",
    )


def _way(way: rx.Var[WayShown]) -> rx.Component:
    return rx.fragment(
        rx.el.dt(way.what),
        rx.el.dd(
            rx.el.bdi(way.where),
            rx.cond(
                way.arrived_at != "",
                rx.fragment(", at entry ", way.entry, " ", moment(way.arrived_at), "."),
                ": the first one has not arrived yet.",
            ),
            rx.cond(
                way.failed != "",
                rx.el.span(
                    rx.el.br(),
                    rx.el.strong("The last try failed "),
                    moment(way.failed_at),
                    ". ",
                    way.failed,
                    " It is tried again until it arrives.",
                ),
            ),
        ),
    )


def anchors_dialog() -> rx.Component:
    """For owners: both ways, empty for none."""
    state = AnchorsState
    return form_dialog(
        "Where checkpoints go",
        field(
            "Webhook",
            id="checkpoints-webhook",
            name="webhook_url",
            type="url",
            default_value=state.webhook_url,
            key=state.webhook_url,
            error=state.errors.get("webhook_url", ""),
            hint="An HTTPS endpoint that takes POSTs. Empty for none.",
            placeholder="https://hooks.example.com/pulse",
            auto_complete="off",
            auto_focus=True,
        ),
        select(
            "Bucket",
            rx.el.option("None", value=""),
            rx.foreach(state.choices, _choice),
            id="checkpoints-bucket",
            name="project_id",
            default_value=state.project_id,
            key=state.project_id,
        ),
        rx.el.p(
            "Buckets are those of projects that have one of their own (project, Connections). "
            "Each lies there as audit-checkpoints/…/….json.",
            class_name="hint",
        ),
        rx.cond(
            state.errors.contains("project_id"),
            rx.el.p(state.errors.get("project_id", ""), class_name="field-error", role="alert"),
        ),
        before=breaks(
            "The newest checkpoint leaves within a minute, then hourly where there are new entries.",
            "It holds places, times and hashes of the log: no names and nothing of what was done.",
        ),
        state=state,
        id=_DIALOG,
        does="Save",
        on_submit=state.change,
    )


def _choice(choice: rx.Var[BucketChoice]) -> rx.Component:
    return rx.el.option(choice.name, value=choice.project_id)
