"""Plotly's own shape of our charts. Dates and numbers only: colours and fonts are the stylesheet's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

# Keeps the labels of the two axes from touching in the corner.
AWAY = {"ticks": "outside", "ticklen": 6, "tickcolor": "rgba(0,0,0,0)"}


def layout(*, xaxis: Mapping[str, Any], yaxis: Mapping[str, Any]) -> dict[str, Any]:
    """A plot that fills its place, is read by hovering, and is never dragged."""
    return {
        "autosize": True,
        "margin": {"l": 40, "r": 8, "t": 8, "b": 24},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "hovermode": "x unified",
        "dragmode": False,
        "xaxis": {"fixedrange": True, "showgrid": False, "zeroline": False, "nticks": 6, **AWAY, **xaxis},
        "yaxis": {"fixedrange": True, "rangemode": "tozero", "zeroline": False, "nticks": 5, **AWAY, **yaxis},
    }


def time_plot(
    lines: Mapping[str, Sequence[tuple[datetime, float | None]]], *, unit: str, until: datetime, span: timedelta
) -> dict[str, Any]:
    """One line for each name, in UTC, over the span that ends now; a None is a gap."""
    window = [f"{at:%Y-%m-%d %H:%M:%S}" for at in (until - span, until)]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                # A line begins at the second point, so one that stands alone is a dot.
                "marker": {"size": [6 if alone else 0 for alone in _alone([value for _, value in points])]},
                "x": [f"{at:%Y-%m-%d %H:%M}" for at, _ in points],
                "y": [value for _, value in points],
                "line": {"width": 2},
                "connectgaps": False,
                "hovertemplate": f"{name} %{{y:,.1f}} {unit}<extra></extra>",
            }
            for name, points in lines.items()
        ],
        "layout": layout(xaxis={"tickformat": "%H:%M", "type": "date", "range": window}, yaxis={"tickformat": ",~g"}),
    }


def _alone(values: Sequence[float | None]) -> list[bool]:
    """Which of the values have no neighbour that a line could be drawn to."""
    beside = [None, *values, None]
    return [beside[place] is None and beside[place + 2] is None for place in range(len(values))]
