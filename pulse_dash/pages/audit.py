"""The audit log: everything that anyone did or was refused, when, and whether it is as it was written."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.audit_anchors import anchors_card, anchors_dialog
from pulse_dash.components.audit_list import audit_bones, audit_entries, audit_histogram, fresh_entries
from pulse_dash.components.audit_verdict import verdict, verify_button
from pulse_dash.components.buttons import button, button_class
from pulse_dash.components.icons import icon
from pulse_dash.components.links import plain_link
from pulse_dash.components.lists import list_choice, list_tools, no_match
from pulse_dash.components.page_head import crumbs, page_head
from pulse_dash.components.shell import shell
from pulse_dash.components.states import failed
from pulse_dash.state.audit import AuditState, actions_by_noun
from pulse_dash.state.shell import ShellState


def page() -> rx.Component:
    """/audit"""
    return shell(
        page_head(
            crumbs(rx.el.bdi(ShellState.organization_name, class_name="one-line")),
            "Audit log",
            rx.el.p(
                "Everything anyone did or was refused. Kept for ",
                AuditState.kept,
                ", each entry chained to the one before.",
                class_name="page-sentence",
            ),
            verify_button(),
            plain_link(
                icon("download"),
                "Export CSV",
                href=AuditState.download,
                download="audit-log.csv",
                class_name=button_class(),
            ),
            docs="audit",
        ),
        rx.el.div(
            verdict(),
            _filters(),
            rx.cond(
                AuditState.problem != "",
                failed(
                    "The audit log could not be read.",
                    AuditState.problem,
                    AuditState.reference,
                    retry=AuditState.load,
                    still="What happens now is kept all the same.",
                ),
            ),
            audit_histogram(),
            fresh_entries(),
            rx.cond(
                AuditState.loaded,
                rx.cond(AuditState.items.length() == 0, _nothing(), audit_entries()),
                rx.cond(AuditState.problem == "", audit_bones()),
            ),
            # Beneath the log and after it, so that it moves nothing.
            rx.cond(AuditState.loaded, anchors_card()),
            class_name="audit",
        ),
        anchors_dialog(),
    )


def _filters() -> rx.Component:
    return list_tools(
        list_choice(
            "Time",
            rx.cond(AuditState.narrowed, rx.el.option("Chosen time", value="chosen")),
            rx.el.option("Last 24 hours", value="day"),
            rx.el.option("Last 7 days", value="week"),
            rx.el.option("Last 30 days", value=""),
            rx.el.option("Last 90 days", value="quarter"),
            rx.el.option("Last year", value="year"),
            id="period",
            value=rx.cond(AuditState.narrowed, "chosen", AuditState.period),
            on_change=AuditState.set_period,
        ),
        list_choice(
            "Action",
            rx.el.option("Any action", value=""),
            *(
                rx.el.optgroup(
                    rx.el.option(f"{noun}.*", value=f"{noun}.*"),
                    *(rx.el.option(action, value=action) for action in actions),
                    label=noun.replace("_", " ").capitalize(),
                )
                for noun, actions in actions_by_noun().items()
            ),
            id="action",
            value=AuditState.action,
            on_change=AuditState.set_action,
        ),
        list_choice(
            "Status",
            rx.el.option("Any status", value=""),
            rx.el.option("Success", value="success"),
            rx.el.option("Refused", value="failure"),
            id="status",
            value=AuditState.status,
            on_change=AuditState.set_status,
        ),
        what="the audit log",
        state=AuditState,
        placeholder="Search people, actions, resources",
    )


def _nothing() -> rx.Component:
    return rx.cond(
        AuditState.filtered,
        no_match(
            "Nothing was found",
            "Whole words are looked for. Try another one, or a longer time.",
            button("Clear the filters", on_click=AuditState.clear),
        ),
        no_match(
            "Nothing happened in this time",
            "Whoever makes, changes or deletes something here is named in this place.",
            button("Look at the last year", on_click=AuditState.set_period("year")),
        ),
    )
