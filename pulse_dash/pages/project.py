"""One project: its head, its tabs, and what the chosen tab shows. The tab stands in the address."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.buttons import button_class, copy_text
from pulse_dash.components.icons import icon
from pulse_dash.components.links import page_link
from pulse_dash.components.page_head import crumbs, page_head, page_title
from pulse_dash.components.project_bans import bans_tab
from pulse_dash.components.project_connections import connections_tab
from pulse_dash.components.project_keys import keys_tab
from pulse_dash.components.project_settings import danger_tab, settings_tab
from pulse_dash.components.project_try import try_tab
from pulse_dash.components.project_webhooks import webhooks_tab
from pulse_dash.components.reveal import reveal
from pulse_dash.components.shell import shell
from pulse_dash.components.silence import silence_notice
from pulse_dash.components.states import bone, empty, failed
from pulse_dash.components.times import moment
from pulse_dash.state.project import ProjectState

_TABS = (
    ("keys", "Keys"),
    ("try", "Try it"),
    ("connections", "Connections"),
    ("webhooks", "Webhooks"),
    ("bans", "Bans"),
    ("settings", "Settings"),
    ("danger", "Danger zone"),
)


def page() -> rx.Component:
    """/projects/[project_id]"""
    return shell(
        page_title(rx.cond(ProjectState.missing, "No such project", ProjectState.name)),
        rx.cond(ProjectState.missing, _missing(), _there()),
    )


def _there() -> rx.Component:
    return rx.fragment(
        page_head(
            crumbs(
                page_link("Projects", to="/projects"),
                rx.cond(ProjectState.loaded, rx.el.bdi(ProjectState.name, class_name="one-line"), "Project"),
            ),
            rx.cond(ProjectState.loaded, rx.el.bdi(ProjectState.name), bone("bone-title")),
            rx.el.div(
                rx.cond(
                    ProjectState.loaded,
                    rx.fragment(
                        copy_text(ProjectState.id, "the project's id"),
                        rx.el.span("·", class_name="dot"),
                        rx.el.span(ProjectState.region),
                        rx.el.span("·", class_name="dot"),
                        rx.el.span("created ", moment(ProjectState.created_at, how="day")),
                    ),
                    bone(),
                ),
                class_name="page-facts",
            ),
            rx.cond(
                (ProjectState.tab != "try") & (~ProjectState.loaded | ProjectState.may.create_tokens),
                # On a phone the tab of that name is near enough.
                page_link(
                    icon("play"), "Try it", to=_to("try"), replace=True, class_name=f"{button_class()} wide-only"
                ),
            ),
            docs="api#projects-and-keys",
        ),
        rx.el.nav(
            *(
                page_link(
                    word,
                    # A phone has no room for all of them.
                    rx.cond(ProjectState.tab == tab, reveal()),
                    to=_to(tab),
                    replace=True,
                    class_name="tab",
                    custom_attrs={"aria-current": rx.cond(ProjectState.tab == tab, "page", "false")},
                )
                for tab, word in _TABS
            ),
            class_name="tabs",
            custom_attrs={"aria-label": "Parts of the project"},
        ),
        rx.cond(
            ProjectState.problem != "",
            failed(
                "The project could not be read.",
                ProjectState.problem,
                ProjectState.reference,
                retry=ProjectState.load,
                still="Its keys and rooms go on working.",
            ),
        ),
        silence_notice(),
        rx.match(
            ProjectState.tab,
            ("try", try_tab()),
            ("connections", connections_tab()),
            ("webhooks", webhooks_tab()),
            ("bans", bans_tab()),
            ("settings", settings_tab()),
            ("danger", danger_tab()),
            keys_tab(),
        ),
    )


def _to(tab: str) -> str:
    """The same page with another tab, whatever its id."""
    return f"?tab={tab}"


def _missing() -> rx.Component:
    return rx.fragment(
        page_head(
            crumbs(page_link("Projects", to="/projects"), "Nothing here"), "There is no such project", rx.fragment()
        ),
        rx.el.section(
            empty(
                "folder-search",
                "Nothing under this id",
                "It may have been deleted, or it belongs to an organization you are not working in.",
                page_link("All projects", to="/projects", class_name=button_class()),
            ),
            class_name="card",
        ),
    )
