"""The frame of every private page: the side with its organization switcher, links and account, the bar on a phone.

It links to what exists and to nothing else.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.buttons import button_class, copy_place, icon_button
from pulse_dash.components.icons import icon
from pulse_dash.components.links import page_link, plain_link, side_link
from pulse_dash.components.logo import logo
from pulse_dash.components.new_project import new_project_dialog
from pulse_dash.components.palette import palette, search_button
from pulse_dash.components.states import bone, empty, failed, notice
from pulse_dash.state.navigation import ORGANIZATIONS, PLACES, Group, Place
from pulse_dash.state.shell import OrganizationChoice, ShellState


def shell(*page: Any, homeless_too: bool = False) -> rx.Component:
    """The page inside its frame. What it says of people and organizations comes with the session, not with the HTML.

    Who belongs to no organization, or is held back from it, gets the way in instead, unless the page is theirs too."""
    content = rx.fragment(*page)
    return rx.el.div(
        plain_link("Skip to the page", href="#page", class_name="skip"),
        _side(),
        rx.el.div(
            _bar(),
            rx.el.main(
                _away(),
                content
                if homeless_too
                else rx.cond(ShellState.homeless, _homeless(), rx.cond(ShellState.held_back, _held_back(), content)),
                # Last, and held at the window's edge: it comes with the session, and nothing may move for it.
                rx.cond(ShellState.unverified, rx.el.div(_unverified(), class_name="page-last")),
                id="page",
                tab_index=-1,
                class_name="page",
            ),
        ),
        new_project_dialog(),
        palette(),
        rx.el.div(class_name="side-veil", custom_attrs={"aria-hidden": "true"}),
        rx.el.div(id="announcer", role="status", class_name="seen-by-readers"),
        class_name="shell",
    )


def _unverified() -> rx.Component:
    """An address that is not proved yet: what it keeps from working, and the way to another link."""
    words = rx.el.p(
        "Confirm your address with the link that was mailed to ",
        rx.el.bdi(ShellState.email),
        ". Until then you can't invite anybody. ",
        rx.cond(
            ShellState.link_sent,
            rx.el.strong("Another link is on its way."),
            rx.el.button("Send it again", type="button", class_name="link", on_click=ShellState.send_link_again),
        ),
    )
    return notice(words, tone="warn")


def _away() -> rx.Component:
    """Stands in every page, hidden until pulse.js hears that the page cannot be filled; then it stands alone."""
    return rx.el.div(
        rx.el.h1("Pulse is without its database", class_name="seen-by-readers"),
        failed(
            "Pulse cannot read its database at the moment.",
            "This page comes back by itself as soon as it can.",
            "",
            retry=rx.call_script("window.location.reload()"),
            still="Rooms that are running go on; nobody in them notices.",
            besides=plain_link("What works now", href="/status", class_name=button_class(small=True)),
        ),
        rx.el.p("Request ", copy_place("data-away-reference", "the request id"), class_name="row small quiet"),
        class_name="away",
    )


def _homeless() -> rx.Component:
    return rx.el.section(
        rx.el.h1("No organization", class_name="seen-by-readers"),
        empty(
            "building-2",
            "You belong to no organization",
            "Ask somebody to invite you, make one of your own, or restore one that you deleted.",
            page_link("Organizations", to="/organizations", class_name=button_class()),
        ),
        class_name="card",
    )


def _held_back() -> rx.Component:
    return rx.el.section(
        rx.el.h1("Second factor needed", class_name="seen-by-readers"),
        empty(
            "shield-alert",
            rx.fragment(rx.el.bdi(ShellState.organization_name), " asks everybody for a second factor"),
            "You have none yet. Set one up in your account, with an authenticator app; you are in again at once.",
            page_link("Set it up", to="/account", class_name=button_class("primary")),
        ),
        class_name="card",
    )


def _bar() -> rx.Component:
    return rx.el.header(
        icon_button(
            "menu",
            "Open the menu",
            custom_attrs={"data-opens-drawer": "", "aria-controls": "side", "aria-expanded": "false"},
        ),
        logo(),
        rx.el.strong(rx.el.bdi(ShellState.organization_name), class_name="one-line"),
        icon_button("search", "Search or jump to", custom_attrs={"data-opens-search": "", "aria-haspopup": "dialog"}),
        class_name="bar",
    )


def _side() -> rx.Component:
    return rx.el.nav(
        rx.el.div(
            _organization(),
            icon_button("x", "Close the menu", custom_attrs={"data-closes-drawer": ""}),
            class_name="side-top",
        ),
        search_button(),
        *(_group(group, [place for place in PLACES if place.group is group]) for group in Group),
        rx.el.div(_account(), class_name="side-foot"),
        id="side",
        class_name="side",
        custom_attrs={"aria-label": "Main"},
    )


def _group(group: Group, places: list[Place]) -> rx.Component:
    """One link alone needs no word above it."""
    links = rx.el.ul(*(rx.el.li(_link(place)) for place in places), class_name="side-list")
    if group is Group.HOME or len(places) < 2:
        return links if places else rx.fragment()
    title = f"side-{group.name.lower()}"
    links.custom_attrs = {"aria-labelledby": title}
    return rx.fragment(rx.el.p(group.value, id=title, class_name="side-title"), links)


def _link(place: Place) -> rx.Component:
    return side_link(icon(place.icon), place.name, to=place.path, exactly=place.path == "/", class_name="side-link")


def _organization() -> rx.Component:
    return rx.el.div(
        rx.el.button(
            logo(),
            rx.el.span("Switch organization:", class_name="seen-by-readers"),
            rx.cond(
                ShellState.loaded,
                rx.el.span(
                    rx.el.bdi(ShellState.organization_name, class_name="who-name one-line"),
                    rx.el.span(ShellState.plan, class_name="who-more"),
                    class_name="who-words",
                ),
                rx.el.span(bone(), class_name="who-words"),
            ),
            icon("chevrons-up-down"),
            type="button",
            class_name="who",
            custom_attrs={"popoverTarget": "organizations"},
        ),
        rx.el.div(
            rx.el.p("Your organizations", class_name="menu-title"),
            rx.foreach(ShellState.organizations, _choice),
            rx.el.div(class_name="menu-line"),
            page_link(
                rx.el.span(icon(ORGANIZATIONS.icon), class_name="menu-icon"),
                "All organizations",
                to=ORGANIZATIONS.path,
                class_name="menu-item",
                custom_attrs={"data-closes-menu": ""},
            ),
            id="organizations",
            class_name="menu",
            custom_attrs={"popover": "auto"},
        ),
    )


def _choice(choice: rx.Var[OrganizationChoice]) -> rx.Component:
    return rx.el.button(
        rx.el.bdi(choice.initial, class_name="initials", custom_attrs={"aria-hidden": "true"}),
        rx.el.span(
            rx.el.bdi(choice.name, class_name="one-line"),
            rx.el.span(choice.role, class_name="who-more"),
            class_name="who-words",
        ),
        icon("check", also="icon-current"),
        type="button",
        class_name="menu-item",
        on_click=ShellState.use_organization(choice.id),
        custom_attrs={"data-closes-menu": "", "aria-current": rx.cond(choice.current, "true", "false")},
    )


def _account() -> rx.Component:
    return rx.el.div(
        rx.el.button(
            rx.el.bdi(ShellState.initials, class_name="initials", custom_attrs={"aria-hidden": "true"}),
            rx.el.span("Your account:", class_name="seen-by-readers"),
            rx.cond(
                ShellState.loaded,
                rx.el.span(
                    rx.el.bdi(ShellState.name, class_name="who-name one-line"),
                    rx.el.span(ShellState.role, class_name="who-more"),
                    class_name="who-words",
                ),
                rx.el.span(bone(), class_name="who-words"),
            ),
            icon("chevrons-up-down"),
            type="button",
            class_name="who",
            custom_attrs={"popoverTarget": "account"},
        ),
        rx.el.div(
            rx.el.p(rx.el.bdi(ShellState.email), class_name="menu-title one-line"),
            page_link(
                rx.el.span(icon("user-round"), class_name="menu-icon"),
                "Your account",
                to="/account",
                class_name="menu-item",
                custom_attrs={"data-closes-menu": ""},
            ),
            rx.el.div(class_name="menu-line"),
            rx.el.p("Theme", class_name="menu-title", id="theme-label"),
            rx.el.div(
                *(
                    rx.el.button(word, type="button", custom_attrs={"data-sets-theme": theme})
                    for theme, word in (("system", "System"), ("light", "Light"), ("dark", "Dark"))
                ),
                class_name="choice",
                role="group",
                custom_attrs={"aria-labelledby": "theme-label"},
            ),
            rx.el.div(class_name="menu-line"),
            rx.el.form(
                rx.el.button(
                    rx.el.span(icon("log-out"), class_name="menu-icon"),
                    "Sign out",
                    type="submit",
                    class_name="menu-item",
                ),
                action="/session/end",
                method="post",
                on_submit=None,  # else Reflex keeps the browser from sending it
            ),
            id="account",
            class_name="menu",
            custom_attrs={"popover": "auto"},
        ),
    )
