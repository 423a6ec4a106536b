"""What stands in every document besides its page: stylesheets, head, the last resort when a page breaks."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.buttons import button_class
from pulse_dash.components.links import plain_link
from pulse_dash.components.logo import logo

STYLESHEETS: tuple[str, ...] = (
    "/tokens.css",
    "/fonts.css",
    "/pulse.css",
    "/shell.css",
    "/parts.css",
    "/pages.css",
)


def _font(name: str) -> rx.Component:
    return rx.el.link(
        rel="preload",
        href=f"/fonts/{name}",
        custom_attrs={"as": "font", "type": "font/woff2", "crossOrigin": "anonymous"},
    )


HEAD: tuple[rx.Component, ...] = (
    # theme.js blocks on purpose: it must speak before the first paint.
    rx.el.script(src="/theme.js"),
    rx.el.script(src="/pulse.js", custom_attrs={"defer": True}),
    _font("inter-latin-wght-normal.woff2"),
    _font("geist-mono-latin-wght-normal.woff2"),
    rx.el.link(rel="icon", href="/favicon.ico", custom_attrs={"sizes": "32x32"}),
    rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
    rx.el.link(rel="apple-touch-icon", href="/apple-touch-icon.png"),
    rx.el.meta(name="color-scheme", content="light dark"),
    rx.el.meta(name="robots", content="noindex"),
)


def broken() -> rx.Component:
    """Instead of a page whose drawing failed; what exactly failed is in the server's log, not here."""
    return rx.el.main(
        logo(),
        rx.el.h1("This page could not be drawn"),
        rx.el.p(
            "It is our mistake, not yours, and it was noted. Nothing you did was lost; loading it again often helps."
        ),
        rx.el.div(
            plain_link("Load again", href="", class_name=button_class("primary")),
            plain_link("Dashboard", href="/", class_name=button_class()),
            class_name="row",
        ),
        class_name="lost",
    )
