"""The Webhooks tab: which addresses are told what happens in the project's rooms, and what they were told lately."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.badges import badge
from pulse_dash.components.buttons import button, copy_icon
from pulse_dash.components.dialog import breaks, form_dialog
from pulse_dash.components.fields import field
from pulse_dash.components.lists import list_choice, section_bones
from pulse_dash.components.secret import signing_secret
from pulse_dash.components.states import empty, failed, not_offered
from pulse_dash.components.times import moment
from pulse_dash.state.secret import SecretState
from pulse_dash.state.webhooks import WHEN, DeliveryRow, WebhookRow, WebhooksState

_NEW = "new-webhook"


def webhooks_tab() -> rx.Component:
    """The webhooks, and what they were told."""
    return rx.el.div(
        rx.cond(
            WebhooksState.problem != "",
            failed(
                "The webhooks could not be read.",
                WebhooksState.problem,
                WebhooksState.reference,
                retry=WebhooksState.load,
                still="What waits to be sent is sent as soon as the database is back.",
            ),
        ),
        rx.cond(
            WebhooksState.loaded,
            rx.cond(WebhooksState.hidden, _hidden(), _there()),
            rx.cond(WebhooksState.problem == "", section_bones()),
        ),
        _new_dialog(),
        class_name="stack",
    )


def _hidden() -> rx.Component:
    return not_offered(
        "Your role does not see webhooks",
        "What they are told speaks of people in rooms. An admin or an owner of the organization sees them.",
        "eye-off",
    )


def _there() -> rx.Component:
    return rx.cond(
        WebhooksState.rows.length() == 0,
        rx.fragment(
            rx.el.section(
                empty(
                    "webhook",
                    "No webhook yet",
                    "A webhook is an address of yours that gets a signed POST when a room starts or ends and when "
                    "somebody joins or leaves.",
                    button("Add a webhook…", variant="primary", opens=_NEW),
                ),
                class_name="card",
            ),
        ),
        rx.fragment(
            rx.cond(SecretState.secret != "", signing_secret("a message", another="ask for a new secret")),
            rx.cond(
                WebhooksState.full,
                rx.el.p("A project has ten webhooks at most. Remove one to add another.", class_name="small quiet"),
                rx.el.div(button("Add a webhook…", icon_name="plus", opens=_NEW)),
            ),
            rx.foreach(WebhooksState.rows, _webhook),
            rx.foreach(WebhooksState.rows, _dialogs),
            _deliveries(),
        ),
    )


def _webhook(webhook: rx.Var[WebhookRow]) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2(rx.el.bdi(webhook.host), class_name="one-line"),
            rx.cond(webhook.enabled, badge("On", "good"), badge("Off", "idle")),
            class_name="card-head",
        ),
        rx.el.div(
            rx.el.div(
                rx.el.code(webhook.url, class_name="one-line"),
                copy_icon(webhook.url, "the address"),
                class_name="value",
            ),
            rx.el.p(webhook.told, " Created ", moment(webhook.created_at), ".", class_name="small quiet"),
            rx.el.div(
                button(
                    "Send a test",
                    small=True,
                    icon_name="send",
                    disabled=~webhook.enabled,
                    on_click=WebhooksState.test(webhook.id),
                ),
                button("Change…", small=True, opens="change-" + webhook.id),
                button("New secret…", small=True, opens="rotate-" + webhook.id),
                rx.cond(
                    webhook.enabled,
                    button("Switch off", small=True, on_click=WebhooksState.switch(webhook.id, False)),
                    button("Switch on", small=True, on_click=WebhooksState.switch(webhook.id, True)),
                ),
                button("Remove…", small=True, variant="danger", opens="remove-" + webhook.id),
                class_name="row-wrap",
            ),
            class_name="stack",
        ),
        class_name="card",
        key=webhook.id,
    )


def _deliveries() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("What they were told"),
            rx.el.div(
                list_choice(
                    "State of the delivery",
                    rx.el.option("Everything", value=""),
                    rx.el.option("Waiting", value="waiting"),
                    rx.el.option("Delivered", value="delivered"),
                    rx.el.option("Given up", value="dead"),
                    id="delivery-state",
                    value=WebhooksState.chosen,
                    on_change=WebhooksState.choose,
                ),
                class_name="push",
            ),
            class_name="card-head",
        ),
        rx.cond(
            WebhooksState.items.length() == 0,
            empty(
                "send",
                rx.cond(WebhooksState.chosen == "", "Nothing was told yet", "Nothing is in this state"),
                "What happens in a room stands here for 30 days, with what each address answered.",
                small=True,
            ),
            rx.fragment(
                rx.el.table(
                    rx.el.thead(
                        rx.el.tr(
                            rx.el.th("Event"),
                            rx.el.th("To"),
                            rx.el.th("State"),
                            rx.el.th("Outcome"),
                            rx.el.th("When"),
                            rx.el.th(rx.el.span("Actions", class_name="seen-by-readers")),
                        )
                    ),
                    rx.el.tbody(rx.foreach(WebhooksState.items, _delivery)),
                    class_name="table table-folds",
                ),
            ),
        ),
        rx.cond(
            (WebhooksState.next_cursor != "") | (WebhooksState.cursor != ""),
            rx.el.nav(
                button("Newest", small=True, disabled=WebhooksState.cursor == "", on_click=WebhooksState.newest),
                button(
                    "Older",
                    small=True,
                    icon_name="chevron-right",
                    disabled=WebhooksState.next_cursor == "",
                    on_click=WebhooksState.older,
                ),
                class_name="pager",
                custom_attrs={"aria-label": "Pages of the list"},
            ),
        ),
        class_name="card card-flush",
    )


def _delivery(delivery: rx.Var[DeliveryRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(rx.el.code(delivery.type), class_name="cell-name"),
        rx.el.td(rx.el.bdi(delivery.host), class_name="cell-words", custom_attrs={"data-label": "To"}),
        rx.el.td(badge(delivery.word, delivery.tone), custom_attrs={"data-label": "State"}),
        rx.el.td(
            rx.el.span(
                delivery.outcome, rx.cond(delivery.next_at != "", rx.fragment(", again ", moment(delivery.next_at)))
            ),
            class_name="cell-words",
            custom_attrs={"data-label": "Outcome"},
        ),
        rx.el.td(moment(delivery.created_at), custom_attrs={"data-label": "When"}),
        rx.el.td(
            rx.cond(
                delivery.over,
                button("Send again", small=True, on_click=WebhooksState.replay(delivery.id)),
            ),
            class_name="cell-actions",
        ),
        key=delivery.id,
    )


def _fields(prefix: Any, webhook: rx.Var[WebhookRow] | None = None) -> tuple[rx.Component, ...]:
    url: Any = "" if webhook is None else webhook.url
    return (
        field(
            "Address",
            id=prefix + "-url",
            name="url",
            type="url",
            default_value=url,
            key=url,
            error=WebhooksState.errors.get("url", ""),
            required=True,
            max_length=2048,
            auto_complete="off",
            placeholder="https://api.example.com/pulse",
            hint="HTTPS, and reachable from the internet. It has 15 seconds to answer 2xx.",
            says={"missing": "Where do the messages go? https:// and a host."},
            custom_attrs={"data-first": ""},
        ),
        rx.el.fieldset(
            rx.el.legend("Tell it when"),
            *(
                _box(prefix, name, words.capitalize(), None if webhook is None else webhook.events)
                for name, words in WHEN.items()
            ),
            _hint(webhook),
            rx.el.p(WebhooksState.errors.get("events", ""), class_name="field-error", role="alert"),
            class_name="boxes",
        ),
    )


def _hint(webhook: rx.Var[WebhookRow] | None) -> rx.Component:
    usual = "Tick none to tell it everything, also events that Pulse adds later."
    if webhook is None:
        return rx.el.p(usual, class_name="hint")
    chosen = rx.fragment("Chosen over the API, it also stays told of ", webhook.besides.join(", "), ".")
    return rx.el.p(rx.cond(webhook.besides.length() > 0, chosen, usual), class_name="hint")


def _box(prefix: Any, name: str, words: str, events: Any) -> rx.Component:
    ticked = {} if events is None else {"default_checked": events.contains(name), "key": events.join(",")}
    return rx.el.label(rx.el.input(type="checkbox", name=f"event-{name}", id=prefix + f"-{name}", **ticked), words)


def _new_dialog() -> rx.Component:
    return form_dialog(
        "Add a webhook",
        *_fields("webhook"),
        state=WebhooksState,
        id=_NEW,
        does="Add",
        on_submit=WebhooksState.create,
    )


def _dialogs(webhook: rx.Var[WebhookRow]) -> rx.Component:
    return rx.fragment(
        form_dialog(
            rx.fragment("Change ", rx.el.bdi(webhook.host)),
            rx.el.input(type="hidden", name="webhook_id", default_value=webhook.id),
            *_fields("change-" + webhook.id, webhook),
            state=WebhooksState,
            id="change-" + webhook.id,
            does="Save",
            on_submit=WebhooksState.change,
        ),
        form_dialog(
            rx.fragment("A new secret for ", rx.el.bdi(webhook.host)),
            rx.el.input(type="hidden", name="webhook_id", default_value=webhook.id),
            before=breaks(
                "The new secret is shown once.",
                "For a day both secrets sign each message; then the old one proves nothing any more.",
            ),
            state=WebhooksState,
            id="rotate-" + webhook.id,
            does="Make a new secret",
            on_submit=WebhooksState.rotate,
        ),
        form_dialog(
            rx.fragment("Remove ", rx.el.bdi(webhook.host)),
            rx.el.input(type="hidden", name="webhook_id", default_value=webhook.id),
            before=breaks(
                "It is told nothing any more, and what waits for it is not sent.",
                "Its secret is gone for good.",
            ),
            state=WebhooksState,
            id="remove-" + webhook.id,
            does="Remove",
            on_submit=WebhooksState.remove,
            variant="deadly",
        ),
        key=webhook.id,
    )
