"""The public status page: components, 90 days of bars, uptime with its formula.

It is served whole from memory, so it stands while the database is away, and reads the same without scripts.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from pulse_dash.api.docs import POLICY
from pulse_dash.api.status_subscription_page import form
from pulse_dash.core import incidents, status
from pulse_dash.core.access import Anonymous
from pulse_dash.core.checks import Result, Status
from pulse_dash.core.incidents import OVER, Incident, in_words
from pulse_dash.core.status import History
from pulse_dash.core.traffic import MINUTES, Percentiles
from pulse_dash.core.uptime import FORMULA, Bar, BarStatus
from pulse_dash.services import Services

router = APIRouter(include_in_schema=False)

_HEADERS = {"Content-Security-Policy": f"{POLICY}; form-action 'self'", "Cache-Control": "no-cache"}
_WHOLE: dict[Status, str] = {
    "operational": "Everything is operational",
    "degraded": "Something works less well than it should",
    "down": "Pulse is down",
    "unknown": "Not known yet: nothing was checked lately",
}
_WORDS: dict[Status, str] = {
    "operational": "Operational",
    "degraded": "Degraded",
    "down": "Down",
    "unknown": "Unknown",
}
_DAY_WORDS: dict[BarStatus, str] = {**_WORDS, "maintenance": "Maintenance"}
_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><noscript><meta http-equiv="refresh" content="300"></noscript>
<title>{whole} · Pulse status</title>
<script src="/theme.js"></script><script src="/status.js" defer></script>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
{styles}
</head>
<body class="status-body">
<main class="status-page">
<header class="status-head"><img src="/logo.svg" alt="" width="28" height="28"><span>Pulse status</span></header>
<h1 class="status-whole status-{status}">{whole}</h1>
<p class="quiet">As of {at} UTC. {projects}</p>
<section aria-label="Components">{legend}{components}</section>
<section aria-labelledby="incidents"><h2 id="incidents">Incidents and maintenance</h2>{incidents}</section>
<section aria-labelledby="subscribe"><h2 id="subscribe">Be told of incidents</h2>{subscribe}</section>
<section aria-labelledby="requests"><h2 id="requests">Answers of the API</h2><p>{requests}</p></section>
<section aria-labelledby="formula"><h2 id="formula">How uptime is counted</h2>
<p>Every part is checked every 15 seconds. <code>{formula}</code>, in seconds of the last 90 days; a slow answer is an
answer. Maintenance counts neither way. Time in which nothing was checked is <em>unknown</em>: it is drawn grey and
counts neither way.</p></section>
<footer class="quiet"><a href="/v1/status">The same as JSON</a>
· <a href="/status.atom">Feed</a>
· <a href="/docs/status">What is checked</a></footer>
</main>
</body>
</html>
"""
_SHOWN = 20
_STYLES = "".join(
    f'<link rel="stylesheet" href="/{name}.css">' for name in ("served", "tokens", "fonts", "pulse", "parts", "status")
)


@router.get("/status")
async def page(request: Request) -> Response:
    """Everything from memory: no question is asked while somebody waits. Who asks in the same second reads the same."""
    services: Services = request.app.state.services
    second, body = getattr(request.app.state, "status_page", (0, ""))
    if second != int(services.parts.clock.time()):
        second, body = request.app.state.status_page = int(services.parts.clock.time()), _written(services)
    return HTMLResponse(body, headers=_HEADERS)


def _written(services: Services) -> str:
    work = services.as_(Anonymous())
    now = status.now(work)
    titles = {each.component.name: each.component.title for each in now.standings}
    projects = "1 project" if now.active_projects == 1 else f"{now.active_projects:,} projects"
    return _DOCUMENT.format(
        styles=_STYLES,
        status=now.status,
        whole=_WHOLE[now.status],
        at=_moment(work.clock.now()),
        projects=f"{projects}; this node runs since {_length(now.uptime_seconds)}.",
        legend=_legend(),
        components="".join(map(_component, status.history(work))),
        subscribe=_subscribe(mails=services.parts.post.delivers),
        incidents=_incidents(incidents.listing(work), titles, work.clock.now()),
        requests=_requests(services.parts.board.traffic.look()),
        formula=FORMULA,
    )


def _component(history: History) -> str:
    component, result = history.standing.component, history.standing.result
    name = result.status if result else "unknown"
    seconds = history.seconds
    figures = (
        f"{seconds.good // 1000:,} s good, {seconds.slow // 1000:,} s slow, {seconds.failed // 1000:,} s failed, "
        f"{history.unknown_seconds:,.0f} s unknown{_maintained(seconds.maintained)}"
    )
    return (
        f'<article class="status-part"><div class="status-line"><h2>{html.escape(component.title)}</h2>'
        f'<span class="status-word status-{name}">{_WORDS[name]}</span></div>{_said(result)}'
        f"{_drawn(component.title, history)}"
        f'<div class="status-line quiet"><span>90 days ago</span><span>{history.uptime_in_words}</span>'
        "<span>today</span></div>"
        f'<p class="status-figures quiet">{figures}</p></article>'
    )


def _said(result: Result | None) -> str:
    """How long it took. Why it failed stays with the operators: a sentence may name hosts and ports."""
    if result is None:
        return '<p class="quiet">Not checked yet.</p>'
    took = "no answer" if result.latency_ms is None else f"{result.latency_ms:g} ms"
    return f'<p class="quiet">Last check {_moment(result.checked_at)} UTC: {took}.</p>'


def _drawn(title: str, history: History) -> str:
    rects = "".join(
        f'<rect class="status-{bar.status}" x="{number * 10}" y="0" width="7" height="34" rx="2">'
        f"<title>{_told(bar)}</title></rect>"
        for number, bar in enumerate(history.bars)
    )
    label = f"{html.escape(title)}, day by day for 90 days"
    return (
        f'<svg class="status-bars" viewBox="0 0 897 34" preserveAspectRatio="none" role="img" aria-label="{label}">'
        f"{rects}</svg>"
    )


def _told(bar: Bar) -> str:
    failed, slow = bar.seconds.failed // 1000, bar.seconds.slow // 1000
    return (
        f"{bar.day}: {_DAY_WORDS[bar.status]}; {failed} s failed, {slow} s slow, {bar.unknown_seconds:.0f} s unknown"
        f"{_maintained(bar.seconds.maintained)}"
    )


def _maintained(milliseconds: int) -> str:
    """In minutes, where there was any."""
    return f", {max(1, round(milliseconds / 60_000)):,} min maintenance" if milliseconds else ""


def _legend() -> str:
    """What the colours of the bars mean."""
    items = "".join(f'<li class="status-{name}">{words}</li>' for name, words in _DAY_WORDS.items())
    return f'<ul class="status-legend" aria-label="Colours of the days">{items}</ul>'


def _incidents(known: Sequence[Incident], titles: Mapping[str, str], now: datetime) -> str:
    """What goes on first, then the newest."""
    if not known:
        return '<p class="quiet">None is known.</p>'
    ordered = sorted(known[:_SHOWN], key=lambda each: each.status_at(now) in OVER)
    return "".join(_incident(each, titles, now) for each in ordered)


def _affects(incident: Incident, titles: Mapping[str, str]) -> str:
    named = ", ".join(titles.get(name, name) for name in incident.components)
    return f"{html.escape(named)} · " if named else ""


def _incident(incident: Incident, titles: Mapping[str, str], now: datetime) -> str:
    """Operators' words are text, whatever stands in them."""
    state = incident.status_at(now)
    ends = incident.resolved_at or incident.ends_at
    began = _moment(incident.started_at)
    span = f"{began} to {_moment(ends)} UTC" if ends else f"since {began} UTC"
    told = "".join(
        f"<li><strong>{html.escape(in_words(each.status))}</strong> <bdi>{html.escape(each.body)}</bdi> "
        f'<span class="quiet">{_moment(each.at)} UTC</span></li>'
        for each in reversed(incident.updates)
    )
    after = f"<p><strong>Afterwards</strong> <bdi>{html.escape(incident.postmortem)}</bdi></p>"
    colour = "operational" if state in OVER else "unknown" if incident.kind == "maintenance" else "down"
    return (
        f'<article class="status-part" id="{html.escape(incident.id)}"><div class="status-line">'
        f"<h3><bdi>{html.escape(incident.title)}</bdi></h3>"
        f'<span class="status-word status-{colour}">{html.escape(in_words(state))}</span></div>'
        f'<p class="quiet">{_affects(incident, titles)}{span}</p><ul class="status-told">{told}</ul>'
        f"{after if incident.postmortem else ''}</article>"
    )


def _subscribe(*, mails: bool) -> str:
    """The form only where a mail would leave."""
    others = 'a <a href="/docs/status">webhook</a> or the <a href="/status.atom">feed</a>'
    if not mails:
        return f"<p>By {others}. This installation sends no mail.</p>"
    return f"{form()}<p>One mail asks you to confirm; each one after holds a link that ends them. Or by {others}.</p>"


def _requests(seen: Percentiles) -> str:
    if seen.p50 is None or seen.p95 is None or seen.p99 is None:
        return f"No requests in the last {MINUTES} minutes."
    figures = " · ".join(
        f"{name} {value * 1000:.1f} ms" for name, value in (("p50", seen.p50), ("p95", seen.p95), ("p99", seen.p99))
    )
    return f"{figures}, of {seen.requests:,} requests in the last {MINUTES} minutes; {seen.failed:,} failed."


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _length(seconds: int) -> str:
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min"
