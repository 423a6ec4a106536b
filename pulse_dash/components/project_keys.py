"""The Keys tab: the first key with its secret while it can be seen, the other keys, and how to mint with them."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.badges import badge
from pulse_dash.components.buttons import button, copy_text, opening_icon
from pulse_dash.components.code import samples
from pulse_dash.components.dialog import breaks, confirm_dialog, form_dialog
from pulse_dash.components.fields import field, select
from pulse_dash.components.lists import list_tools
from pulse_dash.components.pager import pager
from pulse_dash.components.secret import copy_now, key_value, secret_value
from pulse_dash.components.states import bone, empty, failed
from pulse_dash.components.times import moment
from pulse_dash.state.keys import KeyRow, KeysState
from pulse_dash.state.project import ProjectState
from pulse_dash.state.secret import SecretState

_NEW_KEY = "new-key"


def keys_tab() -> rx.Component:
    """Everything about keys."""
    return rx.el.div(
        rx.el.div(
            rx.cond(
                KeysState.problem != "",
                failed(
                    "The keys could not be read.",
                    KeysState.problem,
                    KeysState.reference,
                    retry=KeysState.load,
                    still="They go on working.",
                ),
            ),
            rx.cond(
                KeysState.loaded,
                rx.fragment(
                    rx.cond(
                        KeysState.first,
                        _first(KeysState.first),
                        rx.cond(SecretState.secret != "", _just_made(), _no_key()),
                    ),
                    _others(),
                ),
                rx.cond(KeysState.problem == "", _bones()),
            ),
            class_name="stack",
        ),
        rx.el.div(
            rx.cond(
                KeysState.loaded,
                samples(
                    "Mint a token",
                    KeysState.samples,
                    rx.el.p(
                        "Answers a LiveKit token for four hours. Rooms of this project never meet rooms of another.",
                        class_name="small quiet",
                    ),
                    name="keys-language",
                ),
                rx.el.section(bone("bone-title"), class_name="card samples-bones"),
            ),
            class_name="stack",
        ),
        _new_key_dialog(),
        class_name="project",
    )


def _shown_here(key_id: Any) -> rx.Var[bool]:
    return (SecretState.secret != "") & (SecretState.key_id == key_id)


def _first(key: rx.Var[KeyRow]) -> rx.Component:
    shown = _shown_here(key.id)
    return rx.fragment(
        rx.cond(shown, copy_now()),
        rx.el.section(
            rx.el.div(
                rx.el.h2(rx.el.bdi(key.name)),
                badge(key.status, key.tone),
                rx.el.span(_last_used(key), class_name="small quiet push"),
                class_name="card-head",
            ),
            rx.el.div(
                key_value(key.public),
                rx.cond(shown, secret_value(SecretState.secret)),
                rx.cond(
                    key.old_until != "",
                    rx.el.p(
                        "The pair before this one works until it ends, ",
                        moment(key.old_until),
                        ".",
                        class_name="small quiet",
                    ),
                ),
                rx.el.div(
                    rx.cond(
                        shown, button("I have copied it", small=True, icon_name="check", on_click=SecretState.put_away)
                    ),
                    rx.cond(
                        ProjectState.may.regenerate_keys,
                        button("Regenerate…", small=True, icon_name="refresh-cw", opens="regenerate-" + key.id),
                    ),
                    rx.cond(
                        ProjectState.may.revoke_keys,
                        rx.fragment(
                            button("Revoke…", small=True, variant="danger", opens="revoke-" + key.id),
                            rx.el.span("Revoked keys are refused everywhere within a second.", class_name="hint"),
                        ),
                    ),
                    class_name="with-note",
                ),
                class_name="stack",
            ),
            class_name="card",
        ),
        _regenerate_dialog(key),
        _revoke_dialog(key),
    )


def _just_made() -> rx.Component:
    """A key whose document is on its way (under a second), with the secret that will not come back."""
    return rx.fragment(
        copy_now(),
        rx.el.section(
            rx.el.div(key_value(SecretState.public), secret_value(SecretState.secret), class_name="stack"),
            class_name="card",
        ),
    )


def _no_key() -> rx.Component:
    return rx.el.section(
        empty(
            "key-round",
            "No key works at the moment",
            "A key lets a server of yours ask for tokens. All keys of this project are revoked.",
            rx.cond(ProjectState.may.create_keys, button("New key…", icon_name="plus", opens=_NEW_KEY)),
            small=True,
        ),
        class_name="card",
    )


def _last_used(key: rx.Var[KeyRow]) -> rx.Component:
    return rx.cond(
        key.last_used_at != "", rx.fragment("last used ", moment(key.last_used_at)), rx.fragment("not used yet")
    )


def _others() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Other keys"),
            rx.cond(
                ProjectState.may.create_keys,
                rx.el.div(button("New key…", small=True, icon_name="plus", opens=_NEW_KEY), class_name="push"),
            ),
            class_name="card-head",
        ),
        rx.cond(
            (KeysState.pages > 1) | (KeysState.search != ""),
            rx.el.div(
                list_tools(what="keys", state=KeysState, placeholder="Search by name, or a whole API key"),
                class_name="card-note",
            ),
        ),
        rx.cond(
            KeysState.others.length() == 0,
            rx.el.p(
                rx.cond(
                    KeysState.besides == 0,
                    "One key per server is easiest to revoke when that server is compromised.",
                    "No other key matches. Try fewer letters, or the whole API key.",
                ),
                class_name="small quiet card-note",
                custom_attrs={"aria-live": "polite"},
            ),
            rx.el.table(
                rx.el.thead(
                    rx.el.tr(
                        rx.el.th("Name", scope="col"),
                        rx.el.th("Key", scope="col"),
                        rx.el.th("Created", scope="col"),
                        rx.el.th("Last used", scope="col"),
                        rx.el.th("Status", scope="col"),
                        rx.el.th(rx.el.span("Actions", class_name="seen-by-readers"), scope="col"),
                    )
                ),
                rx.el.tbody(rx.foreach(KeysState.others, _row)),
                class_name="table table-folds table-keys",
            ),
        ),
        rx.cond(KeysState.pages > 1, pager(KeysState)),
        rx.foreach(KeysState.others, _row_dialogs),
        class_name="card card-flush",
    )


def _row(key: rx.Var[KeyRow]) -> rx.Component:
    shown = _shown_here(key.id)
    return rx.fragment(
        rx.el.tr(
            rx.el.td(rx.el.bdi(key.name), class_name="cell-name"),
            rx.el.td(
                copy_text(key.public, "API key", shown=key.short),
                custom_attrs={"data-label": "Key"},
            ),
            rx.el.td(moment(key.created_at), custom_attrs={"data-label": "Created"}),
            rx.el.td(
                rx.cond(key.last_used_at != "", moment(key.last_used_at), rx.fragment("never")),
                custom_attrs={"data-label": "Last used"},
            ),
            rx.el.td(badge(key.status, key.tone), custom_attrs={"data-label": "Status"}),
            rx.el.td(
                rx.cond(
                    key.alive,
                    rx.el.span(
                        rx.cond(
                            ProjectState.may.regenerate_keys,
                            opening_icon("refresh-cw", "Regenerate…", "regenerate-" + key.id),
                        ),
                        rx.cond(
                            ProjectState.may.revoke_keys,
                            opening_icon("ban", "Revoke…", "revoke-" + key.id),
                        ),
                        class_name="row row-close",
                    ),
                ),
                class_name="cell-actions",
            ),
        ),
        rx.cond(
            shown,
            rx.el.tr(
                rx.el.td(
                    rx.el.div(
                        copy_now(),
                        key_value(SecretState.public),
                        secret_value(SecretState.secret),
                        rx.el.div(
                            button("I have copied it", small=True, icon_name="check", on_click=SecretState.put_away)
                        ),
                        class_name="stack cell-secret",
                    ),
                    col_span=6,
                )
            ),
        ),
    )


def _row_dialogs(key: rx.Var[KeyRow]) -> rx.Component:
    return rx.cond(key.alive, rx.fragment(_regenerate_dialog(key), _revoke_dialog(key)))


def _new_key_dialog() -> rx.Component:
    return form_dialog(
        "New key",
        field(
            "Name",
            id="new-key-name",
            name="name",
            error=KeysState.errors.get("name", ""),
            required=True,
            max_length=128,
            placeholder="staging",
            auto_complete="off",
            hint="Where it is used: one key per server is easiest to revoke.",
            says={"missing": "Name it after where it is used."},
            custom_attrs={"data-first": ""},
        ),
        state=KeysState,
        id=_NEW_KEY,
        does="Create key",
        on_submit=KeysState.create,
    )


def _regenerate_dialog(key: rx.Var[KeyRow]) -> rx.Component:
    return form_dialog(
        rx.fragment("Regenerate ", rx.el.bdi(key.name)),
        rx.el.input(type="hidden", name="key_id", default_value=key.id),
        select(
            "The old pair",
            rx.el.option("stops now", value="0"),
            rx.el.option("works for 1 more hour", value="3600"),
            rx.el.option("works for 24 more hours", value="86400"),
            id="grace-" + key.id,
            name="grace",
            default_value="0",
        ),
        before=breaks(
            "This key gets a new API key and a new secret; the secret is shown once.",
            "Servers that send the old pair are refused when it ends: change them first, or give them time.",
            "Tokens that were minted already stay good until they expire.",
        ),
        state=KeysState,
        id="regenerate-" + key.id,
        does="Regenerate",
        on_submit=KeysState.regenerate,
    )


def _revoke_dialog(key: rx.Var[KeyRow]) -> rx.Component:
    return confirm_dialog(
        "Revoke",
        key.name,
        "Every server that uses this key is refused within a second, everywhere.",
        "It cannot be undone. If you only want a new secret, regenerate it instead.",
        label="Type the key's name to revoke it",
        about=("key_id", key.id),
        state=KeysState,
        id="revoke-" + key.id,
        does="Revoke key",
        on_submit=KeysState.revoke,
    )


def _bones() -> rx.Component:
    """As high as the first key's card and the card of the others."""
    return rx.fragment(
        rx.el.section(
            rx.el.div(bone("bone-title"), class_name="card-head"),
            rx.el.div(bone("bone-short"), bone("bone-line"), bone("bone-short"), class_name="stack"),
            class_name="card key-bones",
        ),
        rx.el.section(rx.el.div(bone("bone-title"), class_name="card-head"), class_name="card key-bones-more"),
    )
