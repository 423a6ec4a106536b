"""The head of a page: crumbs, its one h1, a true sentence, and at most one primary action."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.icons import icon
from pulse_dash.components.links import plain_link


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


def page_head(trail: rx.Component, title: Any, sentence: Any, *actions: Any, docs: str = "") -> rx.Component:
    """Crumbs, title and sentence on the left, actions on the right (below them on a phone).

    `docs` is where the documentation speaks of this page: its page and, after `#`, the section."""
    heading = rx.el.h1(title)
    return rx.el.header(
        rx.el.div(
            trail,
            rx.el.div(heading, _docs_link(docs), class_name="page-title") if docs else heading,
            sentence,
            class_name="page-words",
        ),
        *([rx.el.div(*actions, class_name="page-actions")] if actions else []),
        class_name="page-head",
    )


def page_action(may: Any, action: rx.Component, who_may: str) -> rx.Component:
    """The page's action; for those whose role has it not, who does it, in the same place, so that nothing moves."""
    return rx.cond(may, action, rx.el.span(icon("lock"), rx.el.span(who_may), class_name="page-action-of-others"))


def _docs_link(docs: str) -> rx.Component:
    return plain_link(
        icon("book-open"),
        href=f"/docs/{docs}",
        title="Read about it in the docs",
        class_name="button-icon docs-link",
        custom_attrs={"aria-label": "Read about it in the docs"},
    )
