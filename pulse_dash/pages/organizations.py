"""The person's organizations as cards, with search and paging in the address, and those that can be restored."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.badges import tag
from pulse_dash.components.buttons import button, copy_text
from pulse_dash.components.icons import icon
from pulse_dash.components.lists import card_bones, card_top, list_tools, listed, no_match, nothing_yet
from pulse_dash.components.organization_dialogs import (
    DELETE,
    NEW_ORGANIZATION,
    RENAME,
    delete_dialog,
    new_organization_dialog,
    rename_dialog,
)
from pulse_dash.components.page_head import crumbs, page_head
from pulse_dash.components.shell import shell
from pulse_dash.components.times import moment
from pulse_dash.state.organizations import DeletedRow, OrganizationRow, OrganizationsState
from pulse_dash.state.shell import ShellState


def page() -> rx.Component:
    """/organizations"""
    return shell(
        page_head(
            crumbs(rx.el.bdi(ShellState.name, class_name="one-line")),
            "Organizations",
            rx.el.p("Each has its own people, projects and keys.", class_name="page-sentence"),
            button("New organization", variant="primary", icon_name="plus", opens=NEW_ORGANIZATION),
            docs="api#organizations",
        ),
        list_tools(what="organizations", state=OrganizationsState),
        listed(
            OrganizationsState,
            rx.el.ul(rx.foreach(OrganizationsState.items, _card), class_name="cards"),
            bones=card_bones(),
            nothing=rx.cond(OrganizationsState.search != "", _no_results(), _none()),
            what="organizations",
            still="Their keys and rooms go on working.",
        ),
        rx.cond(OrganizationsState.deleted.length() > 0, _deleted()),
        new_organization_dialog(),
        homeless_too=True,
    )


def _card(row: rx.Var[OrganizationRow]) -> rx.Component:
    return rx.el.li(
        rx.el.article(
            card_top(
                row.initial,
                rx.el.h2(rx.el.bdi(row.name)),
                copy_text(row.id, "the organization's id"),
                tag(row.role),
            ),
            rx.el.div(
                rx.el.span(icon("credit-card"), row.plan_words),
                rx.el.span(icon("users"), row.members),
                rx.cond(row.requires_second_factor, rx.el.span(icon("shield-check"), "second factor")),
                class_name="project-facts",
            ),
            rx.el.div(
                button("Open", small=True, on_click=ShellState.use_organization(row.id)),
                rx.cond(row.may_change, button("Settings…", small=True, opens=RENAME + row.id)),
                rx.cond(row.may_delete, button("Delete…", small=True, variant="danger", opens=DELETE + row.id)),
                class_name="with-note",
            ),
            class_name="card project-card",
        ),
        rx.cond(row.may_change, rename_dialog(row)),
        rx.cond(row.may_delete, delete_dialog(row)),
        key=row.id,
    )


def _deleted() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2("Deleted"), class_name="card-head"),
        rx.el.div(
            rx.el.p(
                "What was deleted less than 30 days ago can be restored with its projects. Keys stay revoked.",
                class_name="small quiet",
            ),
            rx.el.ul(rx.foreach(OrganizationsState.deleted, _deleted_row), class_name="activity"),
            class_name="stack",
        ),
        class_name="card below-filters",
    )


def _deleted_row(row: rx.Var[DeletedRow]) -> rx.Component:
    return rx.el.li(
        rx.el.p(
            rx.el.strong(rx.el.bdi(row.name)),
            rx.el.span(
                " deleted ",
                moment(row.deleted_at),
                ", gone for good on ",
                moment(row.until, how="day"),
                class_name="quiet",
            ),
            class_name="deleted-words",
        ),
        button("Restore", small=True, icon_name="undo-2", on_click=OrganizationsState.restore(row.id)),
        key=row.id,
        class_name="activity-row",
    )


def _none() -> rx.Component:
    return nothing_yet(
        "building-2",
        "You belong to no organization",
        "Make one of your own; a name is all it takes. Or ask somebody to invite you to theirs.",
        button("Create an organization", icon_name="plus", opens=NEW_ORGANIZATION),
    )


def _no_results() -> rx.Component:
    return no_match(
        "No organization matches",
        "Search looks at names and ids. Try fewer letters.",
        button("Show all organizations", on_click=OrganizationsState.set_search("")),
    )
