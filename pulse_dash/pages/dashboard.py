"""The dashboard: what is live, what was counted, and the next step to a first participant."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.activity import recent_activity
from pulse_dash.components.buttons import button, button_class
from pulse_dash.components.chart import day_chart, figures_table
from pulse_dash.components.icons import icon
from pulse_dash.components.links import page_link, plain_link
from pulse_dash.components.new_project import NEW_PROJECT
from pulse_dash.components.page_head import crumbs, page_action, page_head
from pulse_dash.components.shell import shell
from pulse_dash.components.silence import silence_notice
from pulse_dash.components.stat import stat
from pulse_dash.components.states import bone, command, empty, failed, notice
from pulse_dash.components.times import greeting
from pulse_dash.state.dashboard import DashboardState, DayRow, Step
from pulse_dash.state.shell import ShellState


def page() -> rx.Component:
    """/"""
    return shell(
        page_head(
            crumbs(rx.el.bdi(ShellState.organization_name, class_name="one-line")),
            rx.cond(ShellState.loaded, rx.el.span(greeting(), ", ", rx.el.bdi(ShellState.first_name)), "Dashboard"),
            rx.el.p(
                rx.cond(DashboardState.loaded, DashboardState.sentence, bone()),
                class_name="page-sentence page-sentence-long",
                custom_attrs={"aria-live": "polite"},
            ),
            plain_link(icon("book-open"), "Docs", href="/docs", class_name=button_class()),
            page_action(
                ShellState.may.create_projects,
                button("New project", variant="primary", icon_name="plus", opens=NEW_PROJECT),
                "A developer can create projects",
            ),
        ),
        rx.el.div(
            rx.cond(
                DashboardState.problem != "",
                failed(
                    "The figures could not be read.",
                    DashboardState.problem,
                    DashboardState.reference,
                    retry=DashboardState.load,
                    still="Rooms that are running are not touched by this.",
                ),
            ),
            rx.cond(DashboardState.loaded & ~DashboardState.livekit_answers, _livekit_away()),
            silence_notice(),
            _stats(),
            rx.el.div(
                _tokens(),
                _first_participant(),
                recent_activity(),
                _ways(),
                class_name="dashboard",
            ),
        ),
    )


def _livekit_away() -> rx.Component:
    return rx.el.div(
        notice(
            rx.el.strong("LiveKit does not answer."),
            rx.el.span("Tokens can be minted, but nobody can join until it runs. On this machine one line starts it:"),
            command(DashboardState.livekit_command),
            tone="warn",
        ),
        class_name="above-stats",
    )


def _stats() -> rx.Component:
    loaded = DashboardState.loaded
    live_note = rx.cond(DashboardState.livekit_answers, "in all rooms", "LiveKit does not answer")
    requests_note = rx.fragment("this month, " + DashboardState.requests_today + " today")
    return rx.el.div(
        stat("users", "People live now", DashboardState.people_live, live_note, loaded=loaded),
        stat(
            "video",
            "Rooms live",
            DashboardState.rooms_live,
            rx.cond(DashboardState.livekit_answers, "across all projects", "LiveKit does not answer"),
            loaded=loaded,
        ),
        stat(
            "key-round",
            "Tokens today",
            DashboardState.tokens_today,
            rx.fragment(
                rx.cond(
                    DashboardState.tokens_change != "",
                    rx.el.span(
                        DashboardState.tokens_change + " ",
                        class_name=rx.cond(DashboardState.tokens_tone == "good", "good", "strong"),
                    ),
                ),
                "against " + DashboardState.tokens_yesterday + " yesterday",
            ),
            loaded=loaded,
        ),
        stat("activity", "API requests", DashboardState.requests_month, requests_note, loaded=loaded),
        class_name="stats",
    )


def _tokens() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Tokens per day"),
            rx.el.span("Last 30 days, UTC", class_name="legend push"),
            rx.cond(DashboardState.compares, rx.el.span("30 days before", class_name="legend legend-before")),
            class_name="card-head",
        ),
        rx.cond(
            DashboardState.loaded & ~DashboardState.any_tokens,
            empty("key-round", "No tokens yet", "Each token that your servers mint counts here.", small=True),
            day_chart(DashboardState.figure, DashboardState.chart_says, loaded=DashboardState.loaded),
        ),
        figures_table(
            "Tokens and API requests per day", ("Day", "Tokens", "API requests"), rx.foreach(DashboardState.days, _day)
        ),
        class_name="card tokens",
    )


def _day(row: rx.Var[DayRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(row.day),
        rx.el.td(row.tokens, class_name="cell-number"),
        rx.el.td(row.requests, class_name="cell-number"),
    )


def _first_participant() -> rx.Component:
    skeleton = rx.el.li(
        rx.el.span(class_name="step-mark"), rx.el.div(bone(), class_name="step-words"), class_name="step"
    )
    return rx.el.section(
        rx.el.div(
            rx.el.h2("First participant"),
            rx.cond(
                DashboardState.loaded,
                rx.el.span(DashboardState.steps_done, " of 4", class_name="small quiet push"),
            ),
            class_name="card-head",
        ),
        rx.cond(
            DashboardState.loaded,
            rx.el.ol(rx.foreach(DashboardState.steps, _step), class_name="steps"),
            rx.el.ol(*[skeleton] * 4, class_name="steps", custom_attrs={"aria-hidden": "true"}),
        ),
        class_name="card",
    )


def _step(step: rx.Var[Step]) -> rx.Component:
    return rx.el.li(
        rx.el.span(
            rx.cond(
                step.done,
                rx.fragment(icon("check"), rx.el.span("Done:", class_name="seen-by-readers")),
                step.number,
            ),
            class_name="step-mark",
        ),
        rx.el.div(
            rx.el.span(step.name, class_name="step-name"),
            rx.el.bdi(step.note, class_name="step-note"),
            class_name="step-words",
        ),
        rx.cond(
            ~step.done,
            rx.cond(
                step.href == "",
                rx.cond(ShellState.may.create_projects, button("Create", small=True, opens=NEW_PROJECT)),
                rx.cond(
                    (DashboardState.projects > 0) & ShellState.may.create_tokens,
                    page_link(step.action, to=step.href, class_name=button_class(small=True)),
                ),
            ),
        ),
        class_name=rx.cond(step.done, "step step-done", "step"),
    )


def _ways() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2("Quick actions"), class_name="card-head"),
        rx.el.ul(
            rx.cond(
                ShellState.may.create_projects,
                rx.el.li(
                    rx.el.button(
                        icon("folder-plus"),
                        _way_words("New project", "Its own keys, rooms and figures"),
                        icon("chevron-right", also="icon-go"),
                        type="button",
                        class_name="way",
                        custom_attrs={"data-opens-dialog": NEW_PROJECT, "aria-haspopup": "dialog"},
                    )
                ),
            ),
            rx.cond(
                (DashboardState.try_at != "") & ShellState.may.create_tokens,
                rx.el.li(
                    page_link(
                        icon("play"),
                        _way_words("Try it", "Mint a token and join from this page"),
                        icon("chevron-right", also="icon-go"),
                        to=DashboardState.try_at,
                        class_name="way",
                    )
                ),
            ),
            rx.el.li(
                plain_link(
                    icon("book-open"),
                    _way_words("Docs", "Every endpoint, with what it answers"),
                    icon("chevron-right", also="icon-go"),
                    href="/docs",
                    class_name="way",
                )
            ),
            class_name="ways",
        ),
        class_name="card",
    )


def _way_words(name: str, note: str) -> rx.Component:
    return rx.el.span(
        rx.el.span(name, class_name="step-name"), rx.el.span(note, class_name="step-note"), class_name="way-words"
    )
