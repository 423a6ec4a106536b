"""Series over days or minutes: plotly's small build, loaded after the page; its colours are the stylesheet's.

Who cannot see it opens the same figures as a table beneath it.
"""

from __future__ import annotations

from typing import Any

import reflex as rx
from plotly.graph_objects import Figure, layout

from pulse_dash.components.icons import icon
from pulse_dash.components.states import bone


def _area_paint() -> rx.Component:
    """The soft area's gradient; its two stops are painted by class."""
    return rx.el.svg(
        rx.el.svg.defs(
            rx.el.svg.linear_gradient(
                rx.el.svg.stop(offset="0", class_name="area-from"),
                rx.el.svg.stop(offset="1", class_name="area-to"),
                id="pulse-area",
                x1="0",
                y1="0",
                x2="0",
                y2="1",
            )
        ),
        class_name="unseen",
        custom_attrs={"aria-hidden": "true"},
    )


def day_chart(figure: Any, says: Any, *, loaded: Any) -> rx.Component:
    """One series over days with a soft area, and another behind it."""
    return _chart(figure, says, _area_paint(), loaded=loaded, class_name="chart")


def line_chart(figure: Any, says: Any, *, loaded: Any) -> rx.Component:
    """Up to five lines over time, in the stylesheet's five colours; `line_legend` names them."""
    return _chart(figure, says, loaded=loaded, class_name="chart chart-lines")


def line_legend(names: Any) -> rx.Component:
    """The names of the lines, in the order they are drawn."""
    return rx.el.ul(rx.foreach(names, lambda name: rx.el.li(name, class_name="legend")), class_name="legends")


def _chart(figure: Any, says: Any, *before: rx.Component, loaded: Any, class_name: str) -> rx.Component:
    """`figure` is plotly's data and layout as a State made them; `says` is the chart in one sentence."""
    return rx.el.div(
        *before,
        bone(),
        rx.cond(
            loaded,
            rx.el.div(
                rx.plotly.basic(
                    data=figure.to(Figure),
                    template=layout.Template(),
                    config={"displayModeBar": False, "responsive": True, "scrollZoom": False, "doubleClick": False},
                    use_resize_handler=True,
                ),
                class_name="chart-plot card-surface",
            ),
        ),
        class_name=class_name,
        role="img",
        custom_attrs={"aria-label": says},
    )


def figures_table(caption: str, head: tuple[str, ...], rows: Any) -> rx.Component:
    """The chart's figures as a table; `rows` are the rows drawn already."""
    return rx.el.details(
        rx.el.summary(icon("chevron-right"), "Figures as a table"),
        rx.el.div(
            rx.el.table(
                rx.el.caption(caption, class_name="seen-by-readers"),
                rx.el.thead(
                    rx.el.tr(
                        *(
                            rx.el.th(word, scope="col", class_name="" if not place else "cell-number")
                            for place, word in enumerate(head)
                        )
                    )
                ),
                rx.el.tbody(rows),
                class_name="table",
            ),
            class_name="figures-scroll",
            tab_index=0,
        ),
        class_name="figures",
    )
