"""The card of the second factor on the account's page, in each of its four states, with its dialogs."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.badges import badge
from pulse_dash.components.buttons import button, button_class, copy_icon, copy_words
from pulse_dash.components.dialog import breaks, form_dialog, refusal
from pulse_dash.components.fields import field, own_password_field
from pulse_dash.components.icons import icon
from pulse_dash.components.links import plain_link
from pulse_dash.components.states import bone, failed, notice
from pulse_dash.components.times import moment
from pulse_dash.state.second_factor import SecondFactorState

SET_UP = "set-up-factor"
NEW_CODES = "new-recovery-codes"
TURN_OFF = "turn-factor-off"


def factor_card() -> rx.Component:
    """Off, being set up, on with codes to keep, or on."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Second factor"),
            rx.cond(SecondFactorState.on, badge("On", "good")),
            rx.cond(
                SecondFactorState.loaded & (SecondFactorState.secret == "") & (SecondFactorState.codes.length() == 0),
                rx.cond(
                    SecondFactorState.on,
                    rx.el.div(
                        button("New recovery codes…", small=True, opens=NEW_CODES),
                        button("Turn off…", small=True, variant="danger", opens=TURN_OFF),
                        class_name="push with-note",
                    ),
                    rx.el.div(button("Set up…", small=True, opens=SET_UP), class_name="push"),
                ),
            ),
            class_name="card-head",
        ),
        rx.cond(
            SecondFactorState.problem != "",
            failed(
                "Your second factor could not be read.",
                SecondFactorState.problem,
                SecondFactorState.reference,
                retry=SecondFactorState.load,
            ),
            rx.cond(
                SecondFactorState.loaded, _standing(), rx.el.div(bone(), bone("bone-short"), class_name="stack-tight")
            ),
        ),
        class_name="card",
    )


def factor_dialogs() -> rx.Component:
    """What is asked before something changes."""
    return rx.fragment(_set_up_dialog(), _new_codes_dialog(), _turn_off_dialog())


def _standing() -> rx.Component:
    return rx.cond(
        SecondFactorState.codes.length() > 0,
        _codes(),
        rx.cond(
            SecondFactorState.secret != "",
            _setting_up(),
            rx.cond(
                SecondFactorState.on,
                rx.el.p(
                    "Signing in asks for a code of your authenticator app, since ",
                    moment(SecondFactorState.since),
                    ". ",
                    rx.cond(
                        SecondFactorState.codes_left > 0,
                        rx.fragment(SecondFactorState.codes_left, " of 10 recovery codes are left."),
                        rx.el.strong("No recovery code is left: make new ones before you lose the app."),
                    ),
                    class_name="small quiet prose",
                ),
                rx.el.p(
                    "Your password alone signs you in. With an authenticator app, whoever learns your password still "
                    "stays outside.",
                    class_name="small quiet prose",
                ),
            ),
        ),
    )


def _setting_up() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.svg(
                rx.el.title("The QR code for your authenticator app"),
                rx.el.path(d=SecondFactorState.qr),
                view_box=SecondFactorState.qr_box,
                role="img",
                custom_attrs={"shapeRendering": "crispEdges"},
            ),
            class_name="qr",
        ),
        rx.el.div(
            rx.el.p("Scan this with your authenticator app, then enter the code that it shows."),
            rx.el.div(
                rx.el.span("Or type this into the app", class_name="label"),
                rx.el.div(
                    rx.el.code(SecondFactorState.secret, class_name="wraps"),
                    copy_icon(SecondFactorState.secret, "the secret"),
                    class_name="value",
                ),
                class_name="field",
            ),
            refusal(SecondFactorState),
            rx.el.form(
                _code_field("first-code", recovery=False),
                rx.el.div(
                    button("Turn on", type="submit", variant="primary"),
                    button("Cancel", small=True, variant="quiet", on_click=SecondFactorState.put_away),
                    class_name="row",
                ),
                on_submit=SecondFactorState.confirm,
                class_name="stack",
                no_validate=True,
                custom_attrs={"data-checked": ""},
            ),
            class_name="stack",
        ),
        class_name="qr-beside",
    )


def _codes() -> rx.Component:
    return rx.el.div(
        notice(
            rx.el.span(
                rx.el.strong("Keep these recovery codes now."),
                " Each signs you in once when the app is lost. They can never be shown again.",
            ),
            tone="warn",
        ),
        rx.el.ul(
            rx.foreach(SecondFactorState.codes, lambda code: rx.el.li(rx.el.code(code), key=code)),
            class_name="recovery-codes",
            custom_attrs={"aria-label": "Recovery codes"},
        ),
        rx.el.div(
            rx.el.span(copy_words(SecondFactorState.codes_text, "the recovery codes"), class_name="value-secret"),
            plain_link(
                icon("download"),
                "Download",
                href=SecondFactorState.codes_file,
                download="pulse-recovery-codes.txt",
                class_name=button_class(small=True),
            ),
            button("I have kept them", small=True, icon_name="check", on_click=SecondFactorState.put_away),
            class_name="with-note",
        ),
        class_name="stack",
    )


def _code_field(id: str, *, recovery: bool = True) -> rx.Component:
    return field(
        "Code",
        id=id,
        name="code",
        error=SecondFactorState.errors.get("code", ""),
        required=True,
        max_length=64,
        auto_complete="one-time-code",
        class_name="input input-mono",
        hint="Of your authenticator app, or a recovery code." if recovery else None,
        auto_focus=not recovery,
        says={"missing": "Enter the code."},
        custom_attrs={"data-first": "", "autoCapitalize": "none", "spellCheck": "false"},
    )


def _set_up_dialog() -> rx.Component:
    return form_dialog(
        "Set up a second factor",
        own_password_field(id="factor-password", error=SecondFactorState.errors.get("password", "")),
        before=breaks(
            "Signing in then asks for a code of an authenticator app, beside the password.",
            "Once it is on, every other sign-in of yours ends. Your API tokens go on working.",
        ),
        state=SecondFactorState,
        id=SET_UP,
        does="Continue",
        on_submit=SecondFactorState.begin,
    )


def _new_codes_dialog() -> rx.Component:
    return form_dialog(
        "New recovery codes",
        _code_field("renewing-code"),
        before=breaks("The recovery codes that you have now open nothing any more."),
        state=SecondFactorState,
        id=NEW_CODES,
        does="Make new codes",
        on_submit=SecondFactorState.renew_codes,
    )


def _turn_off_dialog() -> rx.Component:
    return form_dialog(
        "Turn off your second factor",
        _code_field("last-code"),
        before=breaks(
            "Your password alone signs you in.",
            "Organizations that ask everybody for a second factor hold you back until you set one up again.",
        ),
        state=SecondFactorState,
        id=TURN_OFF,
        does="Turn it off",
        on_submit=SecondFactorState.turn_off,
        variant="deadly",
    )
