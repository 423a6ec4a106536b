"""The Connections tab: the project's LiveKit and bucket, its own or the installation's, each with its test."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.badges import badge, tag
from pulse_dash.components.buttons import button, copy_icon, copy_text
from pulse_dash.components.dialog import breaks, dialog, dialog_actions, form_dialog, refusal
from pulse_dash.components.fields import field, select
from pulse_dash.components.states import bone, failed, notice
from pulse_dash.state.connections import ConnectionsState, LiveKitShown, StorageShown, TriedShown
from pulse_dash.state.project import ProjectState

_OWN_LIVEKIT = "own-livekit"
_OWN_STORAGE = "own-storage"
_NO_LIVEKIT = "give-up-livekit"
_NO_STORAGE = "give-up-storage"


def connections_tab() -> rx.Component:
    """Both cards."""
    state = ConnectionsState
    return rx.el.div(
        rx.cond(
            state.problem != "",
            failed(
                "The connections could not be read.",
                state.problem,
                state.reference,
                retry=state.load,
                still="Rooms and recordings go on.",
            ),
        ),
        rx.cond(
            state.loaded,
            rx.fragment(_livekit_card(), _storage_card()),
            rx.cond(state.problem == "", rx.fragment(_bones(), _bones())),
        ),
        class_name="project-wide stack",
    )


def _bones() -> rx.Component:
    return rx.el.section(
        rx.el.div(bone("bone-title"), class_name="card-head"),
        rx.el.div(bone("bone-long"), bone("bone-short"), bone("bone-line"), class_name="stack"),
        class_name="card",
    )


def _card(
    title: str,
    own: Any,
    *dialogs: rx.Component,
    shown: rx.Component,
    shared: str,
    tried: rx.Var[TriedShown | None],
    part: str,
    on_try: Any,
    give: tuple[str, str],
    give_up: str,
) -> rx.Component:
    """One connection: whose it is, what is told of it, its test, and the way to another. `give` opens with words."""
    opens, words = give
    busy = ConnectionsState.trying == part
    return rx.el.section(
        rx.el.div(
            rx.el.h2(title),
            rx.cond(own, badge("Own", "good"), tag("Shared")),
            class_name="card-head",
        ),
        rx.el.div(
            rx.cond(own, shown, rx.el.p(shared, class_name="quiet prose")),
            _tried(tried),
            rx.cond(
                ProjectState.may.change_projects,
                rx.el.div(
                    button(
                        rx.cond(busy, "Testing…", "Test connection"), icon_name="plug", disabled=busy, on_click=on_try
                    ),
                    button(rx.cond(own, "Replace…", words), opens=opens),
                    rx.cond(own, button("Use the installation's…", variant="danger", opens=give_up)),
                    class_name="row-wrap",
                ),
                rx.el.p("A developer, an admin or an owner of the organization changes it.", class_name="hint"),
            ),
            class_name="stack",
        ),
        *dialogs,
        class_name="card",
    )


def _tried(tried: rx.Var[TriedShown | None]) -> rx.Component:
    """What came of a test, said where it was asked for."""
    return rx.el.div(
        rx.cond(
            tried,
            rx.cond(
                tried.tone == "good",
                notice(tried.sentence, tone="good"),
                notice(tried.sentence, tone="bad", role="alert"),
            ),
        ),
        custom_attrs={"aria-live": "polite"},
    )


def _fact(name: str, value: Any) -> tuple[rx.Component, rx.Component]:
    return rx.el.dt(name), rx.el.dd(value)


# --- LiveKit ----------------------------------------------------------------------------------------------------


def _livekit_card() -> rx.Component:
    own = ConnectionsState.livekit
    return _card(
        "LiveKit",
        own,
        _livekit_dialog(),
        _no_livekit_dialog(),
        shown=_own_livekit(own),
        shared="Rooms of this project run on the LiveKit of this installation, apart from every other project's. "
        "With a LiveKit of its own the project has that server for itself.",
        tried=ConnectionsState.tried_livekit,
        part="livekit",
        on_try=ConnectionsState.try_livekit,
        give=(_OWN_LIVEKIT, "Use your own LiveKit…"),
        give_up=_NO_LIVEKIT,
    )


def _own_livekit(own: rx.Var[LiveKitShown]) -> rx.Component:
    return rx.fragment(
        rx.el.dl(
            *_fact("Address", copy_text(own.url, "LiveKit's address")),
            *_fact("API key", rx.el.code(own.key)),
            *_fact("API secret", rx.el.code(own.secret)),
            class_name="facts",
        ),
        rx.el.div(
            rx.el.div(
                rx.el.h3("Let it tell Pulse what happens"),
                rx.el.span(copy_icon(own.yaml, "the lines for livekit.yaml"), class_name="push"),
                class_name="row",
            ),
            rx.el.p(
                "Put this into the server's livekit.yaml, with the whole API key, and start it again.",
                class_name="small quiet",
            ),
            rx.el.pre(
                rx.el.code(own.yaml),
                class_name="code",
                tab_index=0,
                custom_attrs={"aria-label": "Lines for livekit.yaml"},
            ),
            class_name="stack-tight",
        ),
    )


def _livekit_dialog() -> rx.Component:
    return form_dialog(
        "A LiveKit of the project's own",
        _field("Address", "livekit", "url", "wss://livekit.example.com", first=True),
        _field("API key", "livekit", "api_key", "APIxxxxxxxx"),
        _field("API secret", "livekit", "api_secret", "", type="password"),
        before=breaks(
            "New tokens lead there at once. Rooms that are running now stay where they are.",
            "One LiveKit key serves one project. Rooms there have no prefix.",
            "The secret is encrypted and never shown again.",
        ),
        state=ConnectionsState,
        id=_OWN_LIVEKIT,
        does="Save",
        on_submit=ConnectionsState.give_livekit,
    )


def _no_livekit_dialog() -> rx.Component:
    return _give_up_dialog(
        "Use the installation's LiveKit",
        "New tokens lead to the installation's LiveKit at once.",
        "Rooms on your own server go on, and Pulse neither lists nor ends them any more.",
        "The stored key and secret are deleted.",
        id=_NO_LIVEKIT,
        on_click=ConnectionsState.give_up_livekit,
    )


def _give_up_dialog(title: str, *consequences: str, id: str, on_click: Any) -> rx.Component:
    return dialog(
        title,
        breaks(*consequences),
        refusal(ConnectionsState),
        dialog_actions(button("Use the installation's", variant="deadly", on_click=on_click)),
        id=id,
        closes_on=ConnectionsState.changes,
        on_open=ConnectionsState.forget,
    )


# --- storage ----------------------------------------------------------------------------------------------------


def _storage_card() -> rx.Component:
    own = ConnectionsState.storage
    return _card(
        "Storage",
        own,
        _storage_dialog(),
        _no_storage_dialog(),
        shown=_own_storage(own),
        shared="What this project stores goes into the installation's bucket. "
        "With a bucket of its own it stays with you.",
        tried=ConnectionsState.tried_storage,
        part="storage",
        on_try=ConnectionsState.try_storage,
        give=(_OWN_STORAGE, "Use your own bucket…"),
        give_up=_NO_STORAGE,
    )


def _own_storage(own: rx.Var[StorageShown]) -> rx.Component:
    return rx.el.dl(
        *_fact("Provider", own.provider),
        *_fact("Bucket", copy_text(own.bucket, "the bucket's name")),
        *_fact("Address", copy_text(own.endpoint, "the storage's address")),
        *_fact("Region", own.region),
        *_fact("Access key", rx.el.code(own.key)),
        *_fact("Secret", rx.el.code(own.secret)),
        rx.cond(own.public_url != "", rx.fragment(*_fact("Public address", copy_text(own.public_url, "it")))),
        class_name="facts",
    )


def _storage_dialog() -> rx.Component:
    return form_dialog(
        "A bucket of the project's own",
        select(
            "Provider",
            rx.el.option("Amazon S3, or what speaks like it", value="s3"),
            rx.el.option("Cloudflare R2", value="r2"),
            id="storage-provider",
            name="provider",
            default_value="s3",
        ),
        _field("Bucket", "storage", "bucket", "recordings"),
        _field("Address", "storage", "endpoint", "https://…", optional="S3 has its region's by default; R2 needs it."),
        _field("Region", "storage", "region", "eu-west-1", optional="R2 needs none."),
        _field("Access key", "storage", "access_key_id", "AKIA…"),
        _field("Secret", "storage", "secret_access_key", "", type="password"),
        _field(
            "Public address",
            "storage",
            "public_url",
            "https://cdn.example.com",
            optional="Where everybody may read the files, if anywhere.",
        ),
        before=breaks(
            "What is stored from now on goes there; what was stored before stays where it is.",
            "The keys need to read, write and delete objects in this bucket. The secret is encrypted.",
        ),
        state=ConnectionsState,
        id=_OWN_STORAGE,
        does="Save",
        on_submit=ConnectionsState.give_storage,
    )


def _no_storage_dialog() -> rx.Component:
    return _give_up_dialog(
        "Use the installation's bucket",
        "What is stored from now on goes into the installation's bucket.",
        "Files in your own bucket stay there; Pulse forgets its keys.",
        id=_NO_STORAGE,
        on_click=ConnectionsState.give_up_storage,
    )


def _field(
    label: str, part: str, name: str, placeholder: str, *, type: str = "text", optional: str = "", first: bool = False
) -> rx.Component:
    return field(
        label,
        id=f"{part}-{name}",
        name=name,
        type=type,
        error=ConnectionsState.errors.get(f"{part}.{name}", ""),
        required=not optional,
        max_length=512,
        placeholder=placeholder,
        # Browsers offer saved log-ins for a password field, whatever it is for.
        auto_complete="new-password" if type == "password" else "off",
        spell_check=False,
        hint=optional or None,
        says={"missing": f"{label} is needed."},
        custom_attrs={"data-first": ""} if first else {},
    )
