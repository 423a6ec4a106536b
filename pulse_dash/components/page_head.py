"""The head of a page: crumbs, its one h1, a true sentence, and at most one primary action."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.icons import icon


class _PageTitle(rx.Component):
    library = "$/public/react/title.jsx"
    tag = "PageTitle"

    words: rx.Var[str]


def page_title(words: Any) -> rx.Component:
    """The document's title follows what the page shows; empty leaves the page's own."""
    return _PageTitle.create(words=words)


def crumbs(*steps: Any) -> rx.Component:
    """Where one is; the last step is here."""
    items = [
        rx.el.li(
            *([icon("chevron-right")] if place else []),
            step,
            custom_attrs={"aria-current": "page"} if place == len(steps) - 1 else {},
        )
        for place, step in enumerate(steps)
    ]
    return rx.el.nav(rx.el.ol(*items, class_name="crumbs"), custom_attrs={"aria-label": "Where you are"})


def page_head(trail: rx.Component, title: Any, sentence: Any, *actions: Any) -> rx.Component:
    """Crumbs, title and sentence on the left, actions on the right (below them on a phone)."""
    return rx.el.header(
        rx.el.div(trail, rx.el.h1(title), sentence, class_name="page-words"),
        *([rx.el.div(*actions, class_name="page-actions")] if actions else []),
        class_name="page-head",
    )
