"""Status: whether Pulse works now and worked lately, what goes on, and what the organization's projects need."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.badges import badge
from pulse_dash.components.buttons import button_class, copy_words
from pulse_dash.components.chart import line_chart, line_legend
from pulse_dash.components.icons import icon
from pulse_dash.components.incident_dialogs import incident_actions, incident_dialogs, row_actions
from pulse_dash.components.links import page_link, plain_link
from pulse_dash.components.page_head import crumbs, page_head
from pulse_dash.components.shell import shell
from pulse_dash.components.states import bone, empty, failed
from pulse_dash.components.times import moment
from pulse_dash.state.service_projects import FactRow, ProjectHealthRow, ServiceProjectsState
from pulse_dash.state.service_status import (
    DAY_WORDS,
    DayBar,
    DaysRow,
    IncidentRow,
    PartRow,
    ServiceStatusState,
    ToldRow,
)
from pulse_dash.state.shell import ShellState

# Database, API, LiveKit and joining: what an installation has before storage and mail.
_PARTS = 4


def page() -> rx.Component:
    """/service-status"""
    return shell(
        page_head(
            crumbs(rx.el.bdi(ShellState.organization_name, class_name="one-line")),
            "Status",
            rx.el.p(
                rx.cond(ServiceStatusState.loaded, ServiceStatusState.sentence, bone()),
                class_name="page-sentence",
                custom_attrs={"aria-live": "polite"},
            ),
            plain_link(icon("external-link"), "Public page", href="/status", class_name=button_class()),
            docs="status",
        ),
        rx.el.div(
            rx.el.div(_parts(), _days(), _incidents()),
            rx.el.div(_latency(), _answers(), _projects()),
            class_name="service",
        ),
        incident_dialogs(),
        homeless_too=True,
    )


def _parts() -> rx.Component:
    return _card(
        "Parts",
        rx.el.ul(rx.foreach(ServiceStatusState.parts, _part), class_name="part-list"),
        bones=_bones(rx.el.div(bone(), class_name="part-line")),
        note="checked every 15 seconds",
    )


def _part(row: rx.Var[PartRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.h3(row.title),
            rx.el.span(row.took, class_name="part-took"),
            badge(row.word, row.tone),
            class_name="part-line",
        ),
        rx.cond(row.why != "", rx.el.p(row.why, class_name="small quiet")),
        key=row.name,
    )


def _days() -> rx.Component:
    return _card(
        "Ninety days",
        rx.fragment(
            rx.el.ul(rx.foreach(ServiceStatusState.days, _days_of), class_name="part-list"),
            _legend(),
        ),
        bones=rx.fragment(
            _bones(rx.el.div(bone(), class_name="part-line"), rx.el.div(bone(), class_name="day-bars")), _legend()
        ),
    )


def _legend() -> rx.Component:
    return rx.el.ul(
        *(rx.el.li(words, class_name=f"status-{name}") for name, words in DAY_WORDS.items()),
        class_name="status-legend",
        custom_attrs={"aria-label": "Colours of the days"},
    )


def _days_of(row: rx.Var[DaysRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.h3(row.title),
            rx.el.span(row.uptime, class_name="part-took"),
            class_name="part-line",
        ),
        rx.el.svg(
            rx.foreach(row.bars, _bar),
            view_box="0 0 897 34",
            preserve_aspect_ratio="none",
            role="img",
            class_name="day-bars",
            custom_attrs={"aria-label": row.title + ", day by day for 90 days: " + row.uptime},
        ),
        key=row.title,
    )


def _bar(bar: rx.Var[DayBar]) -> rx.Component:
    return rx.el.svg.rect(
        rx.el.title(bar.says), x=bar.left.to_string(), y="0", width="7", height="34", rx="2", class_name=bar.status
    )


def _latency() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Time to answer"),
            rx.el.span("ms, last hour", class_name="small quiet push"),
            class_name="card-head",
        ),
        line_chart(ServiceStatusState.figure, ServiceStatusState.chart_says, loaded=ServiceStatusState.loaded),
        line_legend(ServiceStatusState.lines),
        class_name="card",
    )


def _answers() -> rx.Component:
    figures = (
        ("Median", ServiceStatusState.p50),
        ("95 % within", ServiceStatusState.p95),
        ("99 % within", ServiceStatusState.p99),
        ("Requests", ServiceStatusState.requests),
    )
    loaded = ServiceStatusState.loaded
    return rx.el.section(
        rx.el.div(
            rx.el.h2("API response times"),
            rx.el.span("last minutes", class_name="small quiet push"),
            class_name="card-head",
        ),
        rx.el.dl(
            *(part for word, figure in figures for part in (rx.el.dt(word), rx.el.dd(rx.cond(loaded, figure, bone())))),
            class_name="figure-list",
        ),
        class_name="card",
    )


def _incidents() -> rx.Component:
    return _card(
        "Incidents and maintenance",
        rx.cond(
            ServiceStatusState.incidents.length() > 0,
            rx.el.ul(rx.foreach(ServiceStatusState.incidents, _incident), class_name="incident-list"),
            empty(
                "circle-check",
                "Nothing happened that anybody knows of",
                "An incident opens by itself after three failed checks in a row, and closes after two good ones.",
                small=True,
            ),
        ),
        bones=rx.el.div(bone(), bone(), class_name="empty empty-small incident-bones"),
        actions=incident_actions(),
    )


def _incident(row: rx.Var[IncidentRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(rx.el.h3(rx.el.bdi(row.title)), badge(row.word, row.tone), class_name="part-line"),
        rx.el.p(
            rx.cond(row.affects != "", row.affects + " · ", ""),
            rx.cond(row.state == "scheduled", "begins ", "began "),
            moment(row.began),
            rx.cond(row.ended != "", rx.el.span(rx.cond(row.over, ", ended ", ", ends "), moment(row.ended))),
            class_name="small quiet",
        ),
        rx.el.ul(rx.foreach(row.told, _told), class_name="told-list"),
        rx.cond(
            row.afterwards != "",
            rx.el.p(rx.el.strong("Afterwards "), rx.el.bdi(row.afterwards), class_name="small incident-after"),
        ),
        row_actions(row),
        key=row.id,
        id=row.id,
    )


def _told(row: rx.Var[ToldRow]) -> rx.Component:
    return rx.el.li(
        rx.el.strong(row.word), " ", rx.el.bdi(row.body), " ", rx.el.span(moment(row.at), class_name="quiet")
    )


def _projects() -> rx.Component:
    state = ServiceProjectsState
    return rx.el.section(
        rx.el.div(rx.el.h2("Your projects"), class_name="card-head"),
        rx.cond(
            state.problem != "",
            failed("The projects could not be looked at.", state.problem, state.reference, retry=state.load),
        ),
        rx.cond(
            state.loaded,
            rx.cond(
                state.rows.length() > 0,
                rx.el.ul(rx.foreach(state.rows, _project), class_name="health-list"),
                empty(
                    "folder-kanban",
                    "No projects yet",
                    "Each shows here whether its keys, its LiveKit, its storage and its events are well.",
                    page_link("Go to Projects", to="/projects", class_name=button_class(small=True)),
                    small=True,
                ),
            ),
            rx.cond(state.problem == "", rx.el.div(*(bone() for _ in range(3)), class_name="stack")),
        ),
        rx.cond(
            state.more > 0,
            rx.el.p("And ", state.more, " more, which are not looked at here.", class_name="small quiet"),
        ),
        class_name="card",
    )


def _project(row: rx.Var[ProjectHealthRow]) -> rx.Component:
    return rx.el.li(
        rx.el.details(
            rx.el.summary(icon("chevron-right"), rx.el.bdi(row.name, class_name="one-line"), badge(row.word, row.tone)),
            rx.el.ul(
                rx.foreach(row.facts, _fact),
                rx.el.li(page_link("Open the project", to=row.href, class_name="link")),
                class_name="fact-list",
            ),
            open=row.opened,
        ),
        key=row.id,
    )


def _fact(row: rx.Var[FactRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(rx.el.span(row.sentence), badge(row.word, row.tone), class_name="part-line"),
        rx.cond(row.advice != "", rx.el.p(row.advice, class_name="quiet")),
        rx.cond(row.paste != "", copy_words(row.paste, "the lines")),
    )


def _bones(*shape: rx.Component) -> rx.Component:
    """Rows of the shape that the real ones have, so that nothing moves when these come."""
    return rx.el.ul(*(rx.el.li(*shape) for _ in range(_PARTS)), class_name="part-list")


def _card(
    title: str, content: rx.Component, *, bones: rx.Component, note: str = "", actions: rx.Component | None = None
) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2(title),
            *([rx.el.span(note, class_name="small quiet push")] if note else []),
            *([actions] if actions is not None else []),
            class_name="card-head",
        ),
        rx.cond(ServiceStatusState.loaded, content, bones),
        class_name="card",
    )
