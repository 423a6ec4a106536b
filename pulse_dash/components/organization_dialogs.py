"""What is done to organizations, each in a dialog: making one, renaming it, deleting it with its name typed."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.buttons import button
from pulse_dash.components.dialog import dialog, dialog_actions, typed_name
from pulse_dash.components.fields import field
from pulse_dash.components.states import notice
from pulse_dash.state.organizations import OrganizationRow, OrganizationsState

NEW_ORGANIZATION = "new-organization"
RENAME, DELETE = "rename-", "delete-"


def _refusal() -> rx.Component:
    refused = OrganizationsState.errors
    return rx.cond(refused.contains(""), notice(refused[""], tone="bad", role="alert"))


def new_organization_dialog() -> rx.Component:
    """A name is all it takes."""
    return dialog(
        "New organization",
        _refusal(),
        rx.el.form(
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
            dialog_actions(button("Create organization", variant="primary", type="submit")),
            on_submit=OrganizationsState.create,
            class_name="stack",
            no_validate=True,
            custom_attrs={"data-checked": ""},
        ),
        id=NEW_ORGANIZATION,
        closes_on=OrganizationsState.changes,
        on_open=OrganizationsState.forget,
    )


def rename_dialog(row: rx.Var[OrganizationRow]) -> rx.Component:
    """Another name for it; ids stay."""
    return dialog(
        rx.fragment("Settings of ", rx.el.bdi(row.name)),
        _refusal(),
        rx.el.form(
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
            dialog_actions(button("Save", variant="primary", type="submit")),
            on_submit=OrganizationsState.rename,
            class_name="stack",
            no_validate=True,
            custom_attrs={"data-checked": ""},
        ),
        id=RENAME + row.id,
        closes_on=OrganizationsState.changes,
        on_open=OrganizationsState.forget,
    )


def delete_dialog(row: rx.Var[OrganizationRow]) -> rx.Component:
    """What breaks, and the name to type."""
    return dialog(
        rx.fragment("Delete ", rx.el.bdi(row.name)),
        rx.el.ul(
            rx.el.li("All keys of all its projects stop within a second, for good."),
            rx.el.li("Nobody of its members reaches it any more."),
            rx.el.li("An owner can restore it within 30 days, with its projects and without its keys."),
            class_name="breaks",
        ),
        _refusal(),
        rx.el.form(
            rx.el.input(type="hidden", name="org_id", default_value=row.id),
            typed_name(
                "Type the organization's name to delete it",
                id="confirm-" + row.id,
                name=row.name,
                error=OrganizationsState.errors.get("confirmation", ""),
            ),
            dialog_actions(button("Delete organization", variant="deadly", type="submit")),
            on_submit=OrganizationsState.delete,
            class_name="stack",
            no_validate=True,
            custom_attrs={"data-checked": ""},
        ),
        id=DELETE + row.id,
        closes_on=OrganizationsState.changes,
        on_open=OrganizationsState.forget,
    )
