"""The dialogs of the account: another password, signing out elsewhere, and API tokens."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.dialog import breaks, form_dialog
from pulse_dash.components.fields import field, own_password_field, select
from pulse_dash.state.account import LIVES, AccountState, TokenRow
from pulse_dash.state.second_factor import SecondFactorState

PASSWORD = "change-password"  # noqa: S105 - a dialog's id
ADDRESS = "change-address"
END_OTHERS = "end-others"
ERASE = "erase-account"
NEW_TOKEN = "new-token"  # noqa: S105 - a dialog's id


def address_dialog() -> rx.Component:
    """Another address to sign in with."""
    return form_dialog(
        "Change your email",
        field(
            "New email",
            id="new-address",
            name="email",
            type="email",
            error=AccountState.errors.get("email", ""),
            auto_complete="email",
            required=True,
            max_length=254,
            says={"missing": "Enter the new address.", "mismatch": "An email looks like name@example.com."},
            custom_attrs={"data-first": ""},
        ),
        own_password_field(id="address-password", error=AccountState.errors.get("password", ""), first=False),
        before=breaks(
            "A link goes to the new address; until it is opened you sign in as before.",
            "The address that you have now is told, and links that were mailed to it then open nothing.",
        ),
        state=AccountState,
        id=ADDRESS,
        does="Mail the link",
        on_submit=AccountState.move,
    )


def password_dialog() -> rx.Component:
    """Another password."""
    return form_dialog(
        "Change your password",
        own_password_field(
            "Present password",
            id="present",
            name="present",
            error=AccountState.errors.get("present", ""),
            missing="Enter the password that you have now.",
        ),
        field(
            "New password",
            id="password",
            name="password",
            type="password",
            error=AccountState.errors.get("password", ""),
            auto_complete="new-password",
            required=True,
            min_length=10,
            max_length=128,
            hint="10 characters or more. A sentence is fine.",
            says={"missing": "Choose a password.", "short": "At least 10 characters."},
        ),
        before=breaks("Every other sign-in of yours ends within a second.", "Your API tokens go on working."),
        state=AccountState,
        id=PASSWORD,
        does="Change password",
        on_submit=AccountState.change_password,
    )


def end_others_dialog() -> rx.Component:
    """Signing out everywhere else."""
    return form_dialog(
        "Sign out everywhere else",
        before=breaks(
            "Every other sign-in of yours ends, and its open pages sign out, within a second.",
            "Your API tokens go on working; revoke those that you do not know.",
        ),
        state=AccountState,
        id=END_OTHERS,
        does="Sign out everywhere else",
        on_submit=AccountState.end_others,
        variant="deadly",
    )


def new_token_dialog() -> rx.Component:
    """A token for a script."""
    return form_dialog(
        "New API token",
        field(
            "Name",
            id="new-token-name",
            name="name",
            error=AccountState.errors.get("token_name", ""),
            required=True,
            max_length=128,
            placeholder="nightly export",
            auto_complete="off",
            hint="What uses it. It acts as you, with the role that you have in each organization.",
            says={"missing": "Name it after what uses it."},
            custom_attrs={"data-first": ""},
        ),
        select(
            "Runs out after",
            *(rx.el.option(words, value=days) for days, words in LIVES.items()),
            id="new-token-days",
            name="days",
            default_value="90",
        ),
        state=AccountState,
        id=NEW_TOKEN,
        does="Create token",
        on_submit=AccountState.create_token,
    )


def revoke_dialog(row: rx.Var[TokenRow]) -> rx.Component:
    """Stopping a token."""
    return form_dialog(
        rx.fragment("Revoke ", rx.el.bdi(row.name)),
        rx.el.input(type="hidden", name="token_id", default_value=row.id),
        before=breaks("Whatever uses it is refused everywhere within a second.", "It cannot be undone."),
        state=AccountState,
        id="revoke-" + row.id,
        does="Revoke token",
        on_submit=AccountState.revoke_token,
        variant="deadly",
    )


def erase_dialog() -> rx.Component:
    """The end of the account, with what breaks by it."""
    return form_dialog(
        "Erase your account",
        own_password_field("Password", id="erase-password", error=AccountState.errors.get("password", "")),
        rx.cond(
            SecondFactorState.on,
            field(
                "Code of your app, or a recovery code",
                id="erase-code",
                name="code",
                error=AccountState.errors.get("code", ""),
                auto_complete="one-time-code",
                max_length=64,
            ),
        ),
        before=breaks(
            "Nothing brings it back. You are signed out everywhere within a second.",
            "Your API tokens stop: scripts that use them fail.",
            "You leave every organization. What you made there stays, and their projects' keys go on working.",
            "The audit log keeps your id with what you did; your name, address and IP in it become unreadable.",
        ),
        state=AccountState,
        id=ERASE,
        does="Erase my account",
        on_submit=AccountState.erase,
        variant="deadly",
    )
