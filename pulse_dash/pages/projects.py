"""The organization's projects as cards, with search, choices and paging in the address."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.badges import badge
from pulse_dash.components.buttons import button, copy_text
from pulse_dash.components.icons import icon
from pulse_dash.components.links import page_link
from pulse_dash.components.lists import card_bones, card_top, list_choice, list_tools, listed, no_match, nothing_yet
from pulse_dash.components.new_project import NEW_PROJECT
from pulse_dash.components.page_head import crumbs, page_action, page_head
from pulse_dash.components.shell import shell
from pulse_dash.state.projects import ProjectCard, ProjectsState
from pulse_dash.state.shell import ShellState


def page() -> rx.Component:
    """/projects"""
    never_any = ProjectsState.loaded & (ProjectsState.total == 0) & ~ProjectsState.filtered
    return shell(
        page_head(
            crumbs(rx.el.bdi(ShellState.organization_name, class_name="one-line")),
            "Projects",
            rx.el.p("Each project has its own keys, rooms and figures.", class_name="page-sentence"),
            page_action(
                ShellState.may.create_projects,
                button("New project", variant="primary", icon_name="plus", opens=NEW_PROJECT),
                "A developer can create projects",
            ),
            docs="api#projects-and-keys",
        ),
        rx.cond(never_any, rx.fragment(), _tools()),
        listed(
            ProjectsState,
            rx.el.ul(
                rx.foreach(ProjectsState.items, _card),
                rx.cond((ProjectsState.pages == 1) & ShellState.may.create_projects, rx.el.li(_new_card())),
                class_name="cards",
            ),
            bones=card_bones(),
            nothing=rx.cond(ProjectsState.filtered, _no_results(), _none_yet()),
            what="projects",
            still="Their keys and rooms go on working.",
        ),
    )


def _tools() -> rx.Component:
    return list_tools(
        list_choice(
            "Region",
            rx.el.option("All regions", value=""),
            rx.foreach(ShellState.regions, lambda region: rx.el.option(region, value=region)),
            id="region",
            value=ProjectsState.region,
            on_change=ProjectsState.set_region,
        ),
        list_choice(
            "Traffic",
            rx.el.option("Live and idle", value=""),
            rx.el.option("Live now", value="live"),
            rx.el.option("Idle", value="idle"),
            id="traffic",
            value=ProjectsState.traffic,
            on_change=ProjectsState.set_traffic,
        ),
        list_choice(
            "Order",
            rx.el.option("Oldest first", value=""),
            rx.el.option("Newest first", value="newest"),
            rx.el.option("By name", value="name"),
            id="order",
            value=ProjectsState.order,
            on_change=ProjectsState.set_order,
        ),
        what="projects",
        state=ProjectsState,
    )


def _card(project: rx.Var[ProjectCard]) -> rx.Component:
    return rx.el.li(
        rx.el.article(
            card_top(
                project.initial,
                rx.el.h2(page_link(rx.el.bdi(project.name), to="/projects/" + project.id, class_name="cover")),
                copy_text(project.id, "the project's id"),
                badge(project.health, project.tone),
            ),
            rx.el.div(
                _fact("map-pin", "Region", project.region),
                rx.cond(project.live != "", _fact("users", "People", project.live)),
                _fact("key-round", "Tokens", project.tokens),
                class_name="project-facts",
            ),
            class_name="card project-card",
        ),
        key=project.id,
    )


def _fact(icon_name: str, label: str, words: Any) -> rx.Component:
    return rx.el.span(icon(icon_name), rx.el.span(f"{label}: ", class_name="seen-by-readers"), words, title=label)


def _new_card() -> rx.Component:
    return rx.el.button(
        icon("plus"),
        "New project",
        type="button",
        class_name="card-new",
        custom_attrs={"data-opens-dialog": NEW_PROJECT, "aria-haspopup": "dialog"},
    )


def _none_yet() -> rx.Component:
    return nothing_yet(
        "folder-kanban",
        "No projects yet",
        rx.fragment(
            "A project is one app of yours: it has its own keys, and its rooms never meet another project's. ",
            rx.cond(
                ShellState.may.create_projects,
                "Start with one; a name is all it takes.",
                "A developer, an admin or an owner of the organization makes the first.",
            ),
        ),
        rx.cond(
            ShellState.may.create_projects,
            button("Create the first project", icon_name="plus", opens=NEW_PROJECT),
        ),
    )


def _no_results() -> rx.Component:
    return no_match(
        "No project matches",
        "Search looks at names and ids. Try fewer letters, another region, or live and idle together.",
        button("Show all projects", on_click=ProjectsState.clear),
    )
