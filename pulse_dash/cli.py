"""The commands of an installation. What they do is told elsewhere; here is how they are called and what they print."""

from __future__ import annotations

import argparse
import asyncio
import sys
import warnings
from collections.abc import Sequence

from jwt.warnings import InsecureKeyLengthWarning

from pulse_dash import logs
from pulse_dash.core import health
from pulse_dash.core.errors import PulseError
from pulse_dash.services import Services
from pulse_dash.settings import Settings, SettingsError, load_settings

START_LIVEKIT = "make livekit"


def main(arguments: Sequence[str]) -> int:
    """Run one command; answers the process's exit status."""
    asked = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        logs.set_up(production=settings.production, quiet=not settings.production)
        if not settings.production:
            # LiveKit's development secret is six letters long, and everybody knows it.
            warnings.simplefilter("ignore", InsecureKeyLengthWarning)
        return _run(settings, api_only=asked.api_only)
    except (SettingsError, PulseError) as error:
        print(str(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pulse_dash", description="Pulse Control Plane")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="build the dashboard if its sources changed, then serve")
    run.add_argument("--api-only", action="store_true", help="serve the API without the dashboard, as a further node")
    return parser


def _run(settings: Settings, *, api_only: bool) -> int:
    from pulse_dash import asgi, frontend  # noqa: PLC0415 - importing them takes a second, which `--help` need not

    try:
        if not api_only:
            frontend.show_progress()
            frontend.build()
        app = (asgi.api if api_only else asgi.dashboard)(settings, on_start=_say_where)
        asyncio.run(asgi.serve(app, settings))
    except (asgi.PortTaken, frontend.NotBuilt) as error:
        print(str(error), file=sys.stderr)
        return 1
    return 0


async def _say_where(services: Services) -> None:
    """Tell the person at the terminal where to go next."""
    settings, engine = services.settings, services.engine
    livekit = next(part for part in (await health.look(services.system("start"))).parts if part.name == "livekit")
    lines = [f"Pulse     {settings.public_url}"]
    if engine.name == "embedded":
        lines.append(f"Store     embedded, in {engine.where}")
    else:
        lines.append(f"Store     MongoDB, {engine.where}")
    if livekit.colour == "green":
        lines.append(f"LiveKit   answers at {settings.livekit_host}")
    else:
        lines.append(f"LiveKit   {livekit.detail.rstrip('.')} ({settings.livekit_host or 'not configured'}).")
        if not settings.production:
            lines.append(f"          Start one in another terminal:  {START_LIVEKIT}")
    lines.append("Stop      Ctrl-C")
    print("\n" + "\n".join(lines) + "\n", flush=True)
