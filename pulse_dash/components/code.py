"""Code to copy, in three languages. The switch is radios and the stylesheet; no event leaves the browser for it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.buttons import copy_icon
from pulse_dash.state.samples import LANGUAGES, Piece, Sample


def _piece(piece: rx.Var[Piece]) -> rx.Component:
    classes = rx.match(piece.kind, ("name", "code-name"), ("value", "code-value"), "")
    return rx.el.span(piece.text, class_name=classes)


def _sample(sample: rx.Var[Sample]) -> rx.Component:
    return rx.el.div(
        rx.el.pre(
            rx.el.code(rx.foreach(sample.pieces, _piece)),
            class_name="code",
            tab_index=0,
            custom_attrs={"aria-label": sample.label},
        ),
        class_name="sample sample-" + sample.language,
    )


def _copy(sample: rx.Var[Sample]) -> rx.Component:
    return rx.el.span(copy_icon(sample.text, "the code"), class_name="samples-copy sample sample-" + sample.language)


def samples(title: str, every: Any, *beneath: Any, name: str) -> rx.Component:
    """A card with the same request in each language; `name` keeps two of them on a page apart."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2(title),
            rx.el.fieldset(
                rx.el.legend("Language", class_name="seen-by-readers"),
                *(
                    rx.el.label(
                        rx.el.input(type="radio", name=name, value=language, default_checked=language == "curl"), word
                    )
                    for language, word in LANGUAGES
                ),
                class_name="samples-pick push",
            ),
            rx.foreach(every, _copy),
            class_name="card-head",
        ),
        rx.foreach(every, _sample),
        *beneath,
        class_name="card samples stack-samples",
    )
