"""The Recent activity card: who did what, in sentences, with the time as people say it."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.links import page_link
from pulse_dash.components.states import bone, empty, failed
from pulse_dash.components.times import moment
from pulse_dash.state.activity import ActivityRow, ActivityState


def recent_activity() -> rx.Component:
    """The newest entries of the organization's audit log."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Recent activity"),
            page_link("Audit log", to="/audit", class_name="link card-link push"),
            class_name="card-head",
        ),
        rx.cond(
            ActivityState.problem != "",
            failed(
                "The activity could not be read.",
                ActivityState.problem,
                ActivityState.reference,
                retry=ActivityState.load,
            ),
        ),
        rx.cond(
            ActivityState.loaded,
            rx.cond(
                ActivityState.rows.length() == 0,
                empty(
                    "activity",
                    "Nothing has happened yet",
                    "Whoever makes, changes or deletes something here is named in this place.",
                    small=True,
                ),
                rx.el.ul(rx.foreach(ActivityState.rows, _row), class_name="activity"),
            ),
            rx.cond(
                ActivityState.problem == "",
                rx.el.ul(*[_bones()] * 4, class_name="activity", custom_attrs={"aria-hidden": "true"}),
            ),
        ),
        class_name="card",
    )


def _row(row: rx.Var[ActivityRow]) -> rx.Component:
    return rx.el.li(
        rx.el.bdi(row.initials, class_name="initials", custom_attrs={"aria-hidden": "true"}),
        rx.el.p(
            rx.el.strong(rx.el.bdi(row.who)),
            " ",
            row.before,
            rx.cond(row.thing != "", rx.el.strong(rx.el.bdi(row.thing))),
            row.after,
            class_name="activity-words",
        ),
        rx.el.span(moment(row.at), class_name="activity-time"),
        key=row.id,
        class_name="activity-row",
    )


def _bones() -> rx.Component:
    return rx.el.li(bone("bone-round"), bone(), class_name="activity-row")
