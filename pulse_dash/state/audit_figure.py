"""The histogram of the audit log as plotly takes it; colours and fonts are the stylesheet's. Numbers and times only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pulse_dash.core.audit import Bar

_MILLISECOND = timedelta(milliseconds=1)


def figure_of(bars: list[Bar], ends: datetime) -> dict[str, Any]:
    """What was done, and on top of it what was refused; a stretch is chosen by dragging over it."""
    width = (ends - bars[0].at) / len(bars)
    middles = [(bar.at + width / 2).replace(tzinfo=None).isoformat(timespec="milliseconds") for bar in bars]
    begins = [f"{bar.at:%-d %b, %H:%M} UTC" for bar in bars]
    highest = max((bar.total for bar in bars), default=0)
    shared: dict[str, Any] = {
        "type": "bar",
        "x": middles,
        "width": round(width * 0.76 / _MILLISECOND),
        "customdata": begins,
    }
    done = [bar.total - bar.failures for bar in bars]
    refused = [bar.failures for bar in bars]
    return {
        "data": [
            {**shared, "y": done, "hovertemplate": "%{customdata}: %{y:,} done<extra></extra>"},
            {**shared, "y": refused, "hovertemplate": "%{customdata}: %{y:,} refused<extra></extra>"},
        ],
        "layout": {
            "autosize": True,
            "barmode": "stack",
            "barcornerradius": 2,
            "margin": {"l": 0, "r": 0, "t": 4, "b": 2},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "showlegend": False,
            "hovermode": "closest",
            "dragmode": "select",
            "selectdirection": "h",
            "selections": [],
            "selectionrevision": middles[0],
            "xaxis": {
                "fixedrange": True,
                "visible": False,
                "range": [each.replace(tzinfo=None).isoformat(timespec="milliseconds") for each in (bars[0].at, ends)],
            },
            "yaxis": {"fixedrange": True, "visible": False, "range": [0, max(highest, 4)]},
        },
    }
