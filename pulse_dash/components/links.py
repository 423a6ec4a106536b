"""Links: between pages of ours without loading the document again, and plain ones for all else.

`rx.el.a` is React Router's link too, which would look for /docs among the pages.
"""

from __future__ import annotations

from typing import Any

import reflex as rx


class _PageLink(rx.el.A):
    library = "react-router"
    tag = "Link"
    alias = "PageLink"
    _is_tag_in_global_scope = False

    to: rx.Var[str]
    replace: rx.Var[bool]
    prevent_scroll_reset: rx.Var[bool]


class _SideLink(_PageLink):
    """Says aria-current="page" by itself on its page."""

    tag = "NavLink"
    alias = "SideLink"

    end: rx.Var[bool]


def page_link(*children: Any, to: Any, **props: Any) -> rx.Component:
    """To a page of ours; `to` is a path built from ids, never from what a visitor typed."""
    return _PageLink.create(*children, to=to, **props)


def side_link(*children: Any, to: str, exactly: bool = False, **props: Any) -> rx.Component:
    """A link of the side."""
    return _SideLink.create(*children, to=to, end=exactly, **props)


def plain_link(*children: Any, href: str, **props: Any) -> rx.Component:
    """An anchor as HTML knows it: another document, or a place in this one."""
    return rx.el.A.create(*children, href=href, **props)
