"""What is done to organizations, each in a dialog: making one, renaming it, deleting it with its name typed."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.dialog import confirm_dialog, form_dialog
from pulse_dash.components.fields import field, select
from pulse_dash.state.organizations import OrganizationRow, OrganizationsState
from pulse_dash.state.shell import PLANS

NEW_ORGANIZATION = "new-organization"
RENAME, DELETE = "rename-", "delete-"


def new_organization_dialog() -> rx.Component:
    """A name is all it takes."""
    return form_dialog(
        "New organization",
        field(
            "Name",
            id="new-organization-name",
            name="name",
            error=OrganizationsState.errors.get("name", ""),
            required=True,
            max_length=128,
            auto_complete="off",
            placeholder="Acme Studios",
            says={"missing": "Give it a name."},
            custom_attrs={"data-first": ""},
        ),
        rx.el.p("You will be its owner; its projects and people are its own.", class_name="hint"),
        state=OrganizationsState,
        id=NEW_ORGANIZATION,
        does="Create organization",
        on_submit=OrganizationsState.create,
    )


def rename_dialog(row: rx.Var[OrganizationRow]) -> rx.Component:
    """Another name for it, and what it asks of its members; ids stay."""
    return form_dialog(
        rx.fragment("Settings of ", rx.el.bdi(row.name)),
        rx.el.input(type="hidden", name="org_id", default_value=row.id),
        field(
            "Name",
            id="name-" + row.id,
            name="name",
            default_value=row.name,
            key=row.id + row.name,
            error=OrganizationsState.errors.get("name", ""),
            required=True,
            max_length=128,
            auto_complete="off",
            says={"missing": "An organization has a name."},
            custom_attrs={"data-first": ""},
        ),
        rx.el.div(
            rx.el.label(
                rx.el.input(
                    type="checkbox",
                    name="requires_second_factor",
                    default_checked=row.requires_second_factor,
                    key=row.id + row.requires_second_factor.to_string(),
                ),
                "Ask everybody for a second factor",
                class_name="check",
            ),
            rx.el.p(
                "Members without one, and their API tokens, are held back within a second, until they set one up. "
                "Projects' keys go on working.",
                class_name="hint",
            ),
            class_name="field",
        ),
        rx.cond(OrganizationsState.operator, _plan(row)),
        state=OrganizationsState,
        id=RENAME + row.id,
        does="Save",
        on_submit=OrganizationsState.rename,
    )


def _plan(row: rx.Var[OrganizationRow]) -> rx.Component:
    return select(
        "Plan",
        *(rx.el.option(words, value=plan) for plan, words in PLANS.items()),
        id="plan-" + row.id,
        name="plan",
        default_value=row.plan,
        key=row.id + row.plan,
    )


def delete_dialog(row: rx.Var[OrganizationRow]) -> rx.Component:
    """What breaks, and the name to type."""
    return confirm_dialog(
        "Delete",
        row.name,
        "All keys of all its projects stop within a second, for good.",
        "Nobody of its members reaches it any more.",
        "An owner can restore it within 30 days, with its projects and without its keys.",
        label="Type the organization's name to delete it",
        about=("org_id", row.id),
        state=OrganizationsState,
        id=DELETE + row.id,
        does="Delete organization",
        on_submit=OrganizationsState.delete,
    )
