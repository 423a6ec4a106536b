"""The organization's projects as cards, with search, region and paging in the address."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.badges import badge
from pulse_dash.components.buttons import button, copy_text
from pulse_dash.components.icons import icon
from pulse_dash.components.links import page_link
from pulse_dash.components.new_project import NEW_PROJECT, new_project_dialog
from pulse_dash.components.page_head import crumbs, page_head
from pulse_dash.components.pager import pager
from pulse_dash.components.shell import shell
from pulse_dash.components.states import bone, empty, failed
from pulse_dash.state.projects import ProjectCard, ProjectsState
from pulse_dash.state.shell import ShellState


def page() -> rx.Component:
    """/projects"""
    nothing_yet = ProjectsState.loaded & (ProjectsState.total == 0) & ~ProjectsState.filtered
    return shell(
        page_head(
            crumbs(rx.el.bdi(ShellState.organization_name, class_name="one-line")),
            "Projects",
            rx.el.p("Each project has its own keys, rooms and figures.", class_name="page-sentence"),
            button("New project", variant="primary", icon_name="plus", opens=NEW_PROJECT),
        ),
        rx.cond(
            ProjectsState.problem != "",
            failed(
                "The projects could not be read.",
                ProjectsState.problem,
                ProjectsState.reference,
                retry=ProjectsState.load,
                still="Their keys and rooms go on working.",
            ),
        ),
        rx.cond(nothing_yet, _none_yet(), rx.fragment(_filters(), _list())),
        new_project_dialog(),
    )


def _filters() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            icon("search"),
            rx.el.label("Search projects", html_for="search", class_name="seen-by-readers"),
            rx.debounce_input(
                rx.el.input(
                    id="search",
                    type="search",
                    class_name="input",
                    placeholder="Search by name or id",
                    value=ProjectsState.search,
                    on_change=ProjectsState.set_search,
                    max_length=200,
                    auto_complete="off",
                    custom_attrs={"data-search": "", "enterKeyHint": "search"},
                ),
                debounce_timeout=250,
            ),
            class_name="input-search",
        ),
        rx.el.div(
            rx.el.label("Region", html_for="region", class_name="seen-by-readers"),
            rx.el.select(
                rx.el.option("All regions", value=""),
                rx.foreach(ShellState.regions, lambda region: rx.el.option(region, value=region)),
                id="region",
                class_name="select",
                value=ProjectsState.region,
                on_change=ProjectsState.set_region,
            ),
        ),
        class_name="filters",
        role="search",
    )


def _list() -> rx.Component:
    return rx.cond(
        ProjectsState.loaded,
        rx.cond(
            ProjectsState.items.length() == 0,
            _no_results(),
            rx.fragment(
                rx.el.ul(
                    rx.foreach(ProjectsState.items, _card),
                    rx.cond(ProjectsState.pages == 1, rx.el.li(_new_card())),
                    class_name="cards",
                ),
                rx.cond(ProjectsState.pages > 1, pager(ProjectsState)),
            ),
        ),
        rx.cond(
            ProjectsState.problem == "",
            rx.el.ul(*[_bones()] * 3, class_name="cards", custom_attrs={"aria-busy": "true", "aria-label": "Loading"}),
        ),
    )


def _card(project: rx.Var[ProjectCard]) -> rx.Component:
    return rx.el.li(
        rx.el.article(
            rx.el.div(
                rx.el.span(project.initial, class_name="initial", custom_attrs={"aria-hidden": "true"}),
                rx.el.div(
                    rx.el.h2(page_link(rx.el.bdi(project.name), to="/projects/" + project.id, class_name="cover")),
                    copy_text(project.id, "the project's id"),
                    class_name="project-words",
                ),
                badge(project.health, project.tone),
                class_name="project-top",
            ),
            rx.el.div(
                rx.el.span(icon("map-pin"), project.region),
                rx.cond(project.live != "", rx.el.span(icon("users"), project.live)),
                class_name="project-facts",
            ),
            class_name="card project-card",
        )
    )


def _bones() -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.div(
                bone("bone-square"),
                rx.el.div(bone("bone-title"), bone(), class_name="project-words stack-tight"),
                class_name="project-top",
            ),
            bone("bone-short"),
            class_name="card project-card",
        )
    )


def _new_card() -> rx.Component:
    return rx.el.button(
        icon("plus"),
        "New project",
        type="button",
        class_name="card-new",
        custom_attrs={"data-opens-dialog": NEW_PROJECT, "aria-haspopup": "dialog"},
    )


def _none_yet() -> rx.Component:
    return rx.el.section(
        empty(
            "folder-kanban",
            "No projects yet",
            "A project is one app of yours: it has its own keys, and its rooms never meet another project's. "
            "Start with one; a name is all it takes.",
            button("Create the first project", icon_name="plus", opens=NEW_PROJECT),
        ),
        class_name="card",
    )


def _no_results() -> rx.Component:
    return rx.el.section(
        empty(
            "search",
            "No project matches",
            "Search looks at names and ids. Try fewer letters, or another region.",
            button("Show all projects", on_click=ProjectsState.clear),
            small=True,
        ),
        class_name="card below-filters",
        custom_attrs={"aria-live": "polite"},
    )
