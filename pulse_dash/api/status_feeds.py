"""Status for machines that know other shapes: Statuspage's v2 JSON, an Atom feed, a badge. All from memory."""

from __future__ import annotations

import html
import re
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from pulse_dash.core import incidents, status
from pulse_dash.core.access import Anonymous
from pulse_dash.core.board import Standing
from pulse_dash.core.checks import Status
from pulse_dash.core.clock import in_utc
from pulse_dash.core.incidents import OVER, Incident, in_words
from pulse_dash.core.work import Work
from pulse_dash.services import Services

router = APIRouter(include_in_schema=False)

_HEADERS = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
# Statuspage has no word for "not known"; it must not look green.
_COMPONENT: dict[Status, str] = {
    "operational": "operational",
    "degraded": "degraded_performance",
    "down": "major_outage",
    "unknown": "degraded_performance",
}
_WHOLE: dict[Status, tuple[str, str]] = {
    "operational": ("none", "All Systems Operational"),
    "degraded": ("minor", "Partially Degraded Service"),
    "down": ("critical", "Major Service Outage"),
    "unknown": ("minor", "Status Unknown"),
}
_BADGE: dict[Status, str] = {"operational": "#067647", "degraded": "#93560a", "down": "#b42318", "unknown": "#475467"}
# Letters that XML has no way to hold.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@router.get("/api/v2/summary.json")
async def summary(request: Request) -> Response:
    work = _work(request)
    known = incidents.listing(work)
    now = work.clock.now()
    open_now = [each for each in known if each.status_at(now) not in OVER]
    return _json(
        work,
        components=_components(work),
        incidents=[_incident(work, each) for each in open_now if each.kind == "incident"],
        scheduled_maintenances=[_incident(work, each) for each in open_now if each.kind == "maintenance"],
        status=_whole(work),
    )


@router.get("/api/v2/status.json")
async def whole(request: Request) -> Response:
    work = _work(request)
    return _json(work, status=_whole(work))


@router.get("/api/v2/components.json")
async def components(request: Request) -> Response:
    work = _work(request)
    return _json(work, components=_components(work))


@router.get("/api/v2/incidents.json")
async def all_incidents(request: Request) -> Response:
    work = _work(request)
    known = [each for each in incidents.listing(work) if each.kind == "incident"]
    return _json(work, incidents=[_incident(work, each) for each in known])


@router.get("/status.atom")
async def feed(request: Request) -> Response:
    work = _work(request)
    known, url = incidents.listing(work), f"{work.parts.policy.public_url.rstrip('/')}/status"
    newest = max((each.updated_at for each in known), default=work.clock.now())
    body = (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{_xml(url)}</id><title>Pulse status</title><updated>{in_utc(newest)}</updated>"
        f'<link rel="self" href="{_xml(url)}.atom"/><link href="{_xml(url)}"/><author><name>Pulse</name></author>'
        f"{''.join(_entry(url, each) for each in known)}</feed>"
    )
    return Response(body, headers=_HEADERS, media_type="application/atom+xml")


@router.get("/status/badge.svg")
async def badge(request: Request) -> Response:
    now = status.now(_work(request)).status
    body = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="136" height="20" role="img" aria-label="status: {now}">'
        '<rect width="50" height="20" rx="3" fill="#344054"/>'
        f'<rect x="47" width="89" height="20" rx="3" fill="{_BADGE[now]}"/>'
        '<g fill="#fff" font-family="Verdana,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="24" y="14">status</text><text x="91" y="14">{now}</text></g></svg>'
    )
    return Response(body, headers=_HEADERS, media_type="image/svg+xml")


def _work(request: Request) -> Work:
    services: Services = request.app.state.services
    return services.as_(Anonymous())


def _json(work: Work, **parts: Any) -> Response:
    url = f"{work.parts.policy.public_url.rstrip('/')}/status"
    about = {"id": "pulse", "name": "Pulse", "url": url, "time_zone": "Etc/UTC", "updated_at": in_utc(work.clock.now())}
    return Response(orjson.dumps({"page": about, **parts}), headers=_HEADERS, media_type="application/json")


def _whole(work: Work) -> dict[str, str]:
    indicator, words = _WHOLE[status.now(work).status]
    return {"indicator": indicator, "description": words}


def _components(work: Work) -> list[dict[str, Any]]:
    return [_component(work, number, each) for number, each in enumerate(status.now(work).standings, 1)]


def _component(work: Work, number: int, standing: Standing) -> dict[str, Any]:
    name, now = standing.component.name, work.clock.now()
    state = _COMPONENT[standing.result.status if standing.result else "unknown"]
    maintained = any(each.covers(name, now) for each in incidents.listing(work))
    checked = in_utc(standing.result.checked_at if standing.result else now)
    return {
        "id": name,
        "name": standing.component.title,
        "status": "under_maintenance" if maintained else state,
        "created_at": checked,
        "updated_at": checked,
        "position": number,
        "description": None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": "pulse",
        "group": False,
        "only_show_if_degraded": False,
    }


def _incident(work: Work, incident: Incident) -> dict[str, Any]:
    url = f"{work.parts.policy.public_url.rstrip('/')}/status#{incident.id}"
    told = [
        {
            "id": f"{incident.id}-{number}",
            "status": each.status,
            "body": each.body,
            "incident_id": incident.id,
            "created_at": in_utc(each.at),
            "updated_at": in_utc(each.at),
            "display_at": in_utc(each.at),
        }
        for number, each in enumerate(incident.updates, 1)
    ]
    monitored = next((each.at for each in incident.updates if each.status == "monitoring"), None)
    return {
        "id": incident.id,
        "name": incident.title,
        "status": incident.status_at(work.clock.now()),
        "impact": "maintenance" if incident.kind == "maintenance" else incident.impact,
        "shortlink": url,
        "page_id": "pulse",
        "created_at": in_utc(incident.created_at),
        "updated_at": in_utc(incident.updated_at),
        "started_at": in_utc(incident.started_at),
        "monitoring_at": in_utc(monitored) if monitored else None,
        "resolved_at": in_utc(incident.resolved_at) if incident.resolved_at else None,
        "scheduled_for": in_utc(incident.started_at) if incident.kind == "maintenance" else None,
        "scheduled_until": in_utc(incident.ends_at) if incident.ends_at else None,
        # Statuspage tells the newest word first.
        "incident_updates": told[::-1],
        "components": [{"id": name, "name": name} for name in incident.components],
    }


def _entry(url: str, incident: Incident) -> str:
    words = "\n".join(f"{each.at:%Y-%m-%d %H:%M} UTC {in_words(each.status)}: {each.body}" for each in incident.updates)
    place = f"{url}#{incident.id}"
    return (
        f"<entry><id>{_xml(place)}</id><title>{_xml(incident.title)}</title>"
        f'<updated>{in_utc(incident.updated_at)}</updated><link href="{_xml(place)}"/>'
        f'<content type="text">{_xml(words)}</content></entry>'
    )


def _xml(text: str) -> str:
    return html.escape(_NOT_XML.sub("\ufffd", text), quote=True)
