"""What verify found, and the place to paste a checkpoint that left the house."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.buttons import button, button_class, copy_text
from pulse_dash.components.fields import field
from pulse_dash.components.icons import icon
from pulse_dash.components.links import plain_link
from pulse_dash.components.states import notice
from pulse_dash.components.times import moment
from pulse_dash.state.audit import AuditState
from pulse_dash.state.audit_verdict import VerdictState


def verify_button() -> rx.Component:
    """Walks the chain."""
    return button(
        rx.cond(VerdictState.verifying, "Verifying…", "Verify"),
        icon_name="shield-check",
        on_click=VerdictState.verify,
        disabled=VerdictState.verifying,
    )


def verdict() -> rx.Component:
    """The last result, until it is put away; there for readers from the beginning."""
    return rx.el.div(
        rx.cond(VerdictState.errors.contains(""), notice(VerdictState.errors[""], tone="bad", role="alert")),
        rx.cond(
            VerdictState.asked,
            rx.cond(VerdictState.tone == "good", notice(*_words(), tone="good"), notice(*_words(), tone="bad")),
        ),
        custom_attrs={"aria-live": "polite"},
    )


def _words() -> tuple[rx.Component, ...]:
    return (
        rx.el.strong(VerdictState.verdict),
        rx.cond(VerdictState.entry_id != "", rx.el.span(copy_text(VerdictState.entry_id, "the entry's id"))),
        rx.cond(VerdictState.beyond != "", rx.el.span(VerdictState.beyond)),
        rx.cond(
            VerdictState.anchor != "",
            rx.el.span(
                VerdictState.anchor,
                rx.cond(
                    VerdictState.anchored_at != "", rx.fragment(" It left ", moment(VerdictState.anchored_at), ".")
                ),
            ),
        ),
        rx.el.details(
            rx.el.summary(icon("chevron-right"), "Compare with a checkpoint"),
            rx.el.form(
                field(
                    "The line that was mailed, sent or put into the bucket, or the last one of an export as JSON Lines",
                    id="checkpoint",
                    name="checkpoint",
                    error=VerdictState.errors.get("checkpoint", ""),
                    auto_complete="off",
                    placeholder='{"at":"…","chain":"org_…",…}',
                ),
                rx.el.div(
                    button("Compare", small=True, type="submit"),
                    rx.cond(
                        AuditState.sees_people,
                        plain_link(
                            icon("download"),
                            "Export JSON Lines",
                            href=AuditState.download_lines,
                            download="audit-log.jsonl",
                            class_name=button_class(small=True),
                        ),
                    ),
                    button("Close", small=True, variant="quiet", on_click=VerdictState.close),
                    class_name="with-note",
                ),
                on_submit=VerdictState.compare,
                class_name="stack",
                no_validate=True,
            ),
            class_name="card-opens",
        ),
    )
