"""The entries of the audit log: a row each, which opens to what was changed; and the histogram above them."""

from __future__ import annotations

import reflex as rx
from plotly.graph_objects import Figure, layout

from pulse_dash.components.badges import badge
from pulse_dash.components.buttons import button, copy_text
from pulse_dash.components.icons import icon
from pulse_dash.components.states import bone
from pulse_dash.components.times import moment
from pulse_dash.state.audit import AuditState, ChangeRow, EntryRow

_COLUMNS = ("When", "What happened", "Action", "From", "Outcome")


def audit_histogram() -> rx.Component:
    """When it happened; dragging over some of the bars looks at that time alone."""
    return rx.el.section(
        rx.el.h2("When it happened", class_name="seen-by-readers"),
        rx.el.div(
            bone(),
            rx.cond(
                AuditState.loaded & (AuditState.totals != ""),
                rx.el.div(
                    rx.plotly.basic(
                        data=AuditState.figure.to(Figure),
                        template=layout.Template(),
                        config={"displayModeBar": False, "responsive": True, "scrollZoom": False, "doubleClick": False},
                        use_resize_handler=True,
                        on_selected=AuditState.brush,
                        on_click=AuditState.brush,
                    ),
                    class_name="chart-plot card-surface",
                ),
            ),
            class_name="chart chart-low",
            role="img",
            custom_attrs={"aria-label": AuditState.figure_says},
        ),
        rx.el.div(
            rx.el.span(AuditState.begins),
            rx.el.span(rx.cond(AuditState.loaded, AuditState.totals, "Counting…")),
            rx.el.span(AuditState.ends),
            class_name="chart-foot",
        ),
        class_name="card audit-when",
    )


def audit_entries() -> rx.Component:
    """The rows, newest first, and the way to older ones."""
    return rx.fragment(
        rx.el.section(
            rx.el.h2("Entries", class_name="seen-by-readers"),
            _head(),
            rx.el.ul(rx.foreach(AuditState.items, _entry), class_name="audit-list"),
            class_name="card card-flush",
        ),
        rx.cond(
            AuditState.more,
            rx.el.div(button("Older entries", icon_name="chevron-down", on_click=AuditState.older), class_name="pager"),
        ),
    )


def audit_bones() -> rx.Component:
    """Grey rows, as high as entries are."""
    row = rx.el.li(
        rx.el.div(bone(), bone("bone-long"), bone(), bone(), bone(), class_name="audit-row"), class_name="audit-entry"
    )
    return rx.el.section(
        _head(),
        rx.el.ul(*[row] * 8, class_name="audit-list", custom_attrs={"aria-busy": "true", "aria-label": "Loading"}),
        class_name="card card-flush",
    )


def fresh_entries() -> rx.Component:
    """New entries say that they are there; they come in when they are asked for."""
    return rx.el.div(
        rx.cond(
            AuditState.fresh > 0,
            button(
                AuditState.fresh,
                rx.cond(AuditState.fresh == 1, " new entry", " new entries"),
                small=True,
                icon_name="arrow-up",
                on_click=AuditState.show_fresh,
            ),
        ),
        class_name="fresh",
        custom_attrs={"aria-live": "polite"},
    )


def _head() -> rx.Component:
    return rx.el.div(
        *(rx.el.span(name) for name in _COLUMNS),
        class_name="audit-row audit-head",
        custom_attrs={"aria-hidden": "true"},
    )


def _entry(entry: rx.Var[EntryRow]) -> rx.Component:
    return rx.el.li(
        rx.el.details(
            rx.el.summary(
                rx.el.span(moment(entry.at, how="clock"), class_name="audit-at"),
                rx.el.span(
                    rx.el.bdi(entry.initials, class_name="initials", custom_attrs={"aria-hidden": "true"}),
                    rx.el.span(
                        rx.el.strong(rx.el.bdi(entry.who)),
                        " ",
                        entry.before,
                        rx.cond(entry.thing != "", rx.el.strong(rx.el.bdi(entry.thing))),
                        entry.after,
                        class_name="audit-words",
                    ),
                    class_name="audit-what",
                ),
                rx.el.span(entry.action, class_name="audit-code audit-action"),
                rx.el.span(entry.ip, class_name="audit-code audit-from"),
                rx.el.span(badge(entry.status, entry.tone), class_name="audit-outcome"),
                class_name="audit-row",
            ),
            rx.el.div(
                rx.cond(
                    entry.changes.length() > 0,
                    rx.el.table(
                        rx.el.caption("What was changed", class_name="seen-by-readers"),
                        rx.el.thead(
                            rx.el.tr(
                                *(rx.el.th(name, scope="col") for name in ("Field", "Before", "After")),
                            ),
                            class_name="seen-by-readers",
                        ),
                        rx.el.tbody(rx.foreach(entry.changes, _change)),
                        class_name="diff",
                    ),
                    rx.el.p("It changed no field.", class_name="small quiet"),
                ),
                rx.el.dl(
                    _fact("Action", entry.action),
                    rx.cond(entry.ip != "", _fact("From", entry.ip)),
                    rx.cond(entry.user_agent != "", _fact("Program", rx.el.bdi(entry.user_agent))),
                    rx.cond(entry.request_id != "", _fact("Request", copy_text(entry.request_id, "the request id"))),
                    rx.cond(
                        entry.place != "",
                        _fact(
                            "Chain",
                            entry.place,
                            " · ",
                            copy_text(entry.hash, "the hash", shown=rx.fragment("hash ", entry.short_hash)),
                        ),
                    ),
                    class_name="audit-facts",
                ),
                class_name="audit-more",
            ),
        ),
        key=entry.id,
        class_name="audit-entry",
    )


def _change(change: rx.Var[ChangeRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(change.field, scope="row"),
        rx.el.td(icon("minus"), rx.el.del_(rx.el.bdi(change.before)), class_name="diff-before"),
        rx.el.td(icon("plus"), rx.el.ins(rx.el.bdi(change.after)), class_name="diff-after"),
        key=change.field,
    )


def _fact(name: str, *words: rx.Component | rx.Var[str] | str) -> rx.Component:
    return rx.fragment(rx.el.dt(name), rx.el.dd(*words))
