"""The notice that LiveKit runs rooms and tells nothing of them, with the lines to paste."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.buttons import copy_icon
from pulse_dash.components.states import notice
from pulse_dash.state.silence import SilenceState


def silence_notice() -> rx.Component:
    """Nothing while everything is heard."""
    return rx.cond(
        SilenceState.yaml != "",
        rx.el.div(
            notice(
                rx.el.div(
                    rx.el.strong("LiveKit runs rooms and tells Pulse nothing of them."),
                    rx.el.span(copy_icon(SilenceState.yaml, "the lines for livekit.yaml"), class_name="push"),
                    class_name="row",
                ),
                rx.el.span(
                    "So who joins and leaves is seen seconds later than it could be. ",
                    rx.cond(
                        SilenceState.own,
                        "Put these lines into your server's livekit.yaml and start it again.",
                        "Whoever runs this installation puts these lines into livekit.yaml and starts LiveKit again; "
                        "livekit-server --dev sends no webhooks, make livekit does.",
                    ),
                ),
                rx.el.pre(
                    rx.el.code(SilenceState.yaml),
                    class_name="code",
                    tab_index=0,
                    custom_attrs={"aria-label": "Lines for livekit.yaml"},
                ),
                tone="warn",
            ),
            class_name="above-stats",
        ),
    )
