"""The commands of an installation. What they do is told elsewhere; here is how they are called and what they print."""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import uvloop
from jwt.warnings import InsecureKeyLengthWarning

from pulse_dash import logs
from pulse_dash.core import audit_verify, erasure, factor_reset, health, operators
from pulse_dash.core.errors import PulseError
from pulse_dash.interrupts import ending_at_once
from pulse_dash.services import Services, open_services
from pulse_dash.settings import Settings, SettingsError, load_settings
from pulse_dash.store import connect

_NOT_IN_A_BACKUP = (
    "ENCRYPTION_KEYS, JWT_SECRET and API_KEY_PEPPER are not in a backup, and without them it cannot be used: they "
    "stand in the environment, or in development in PULSE_DATA_DIR/secrets.json."
)


def main(arguments: Sequence[str]) -> int:
    """Run one command; answers the process's exit status."""
    try:
        asked = _parser().parse_args(arguments)
        settings = load_settings()
        logs.set_up(production=settings.production, quiet=not settings.production)
        if not settings.production:
            # LiveKit's development secret is six letters long, and everybody knows it.
            warnings.simplefilter("ignore", InsecureKeyLengthWarning)
        if asked.command == "store":
            return _store(settings, asked)
        if asked.command == "operator":
            return asyncio.run(_operator(settings, asked.doing, asked.address, vouched=asked.vouch))
        if asked.command == "audit":
            given = asked.checkpoint.read_text("utf-8").strip() if asked.checkpoint else None
            return asyncio.run(_audit(settings, asked.organization, given))
        return _run(settings, api_only=asked.api_only)
    except (SettingsError, PulseError, OSError, UnicodeError) as error:
        print(str(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pulse_dash", description="Pulse Control Plane")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="build the dashboard if its sources changed, then serve")
    run.add_argument("--api-only", action="store_true", help="serve the API without the dashboard, as a further node")
    operator = commands.add_parser(
        "operator", help="who runs this installation, and what they do for people; Pulse must be stopped, or on MongoDB"
    )
    operator.add_argument("doing", choices=("add", "remove", "list", "reset-factor", "erase"))
    operator.add_argument("address", nargs="?", default="", help="the address of an account")
    operator.add_argument("--vouch", action="store_true", help="add one whose address nobody has proved")
    audit = commands.add_parser("audit", help="look at the audit log; Pulse must be stopped, or on MongoDB")
    looking = audit.add_subparsers(dest="doing", required=True)
    verify = looking.add_parser("verify", help="whether every entry is as it was written")
    verify.add_argument("organization", nargs="?", default="", metavar="ORGANIZATION", help="one only, by its id")
    verify.add_argument("--checkpoint", type=Path, metavar="FILE", help="a line that was mailed, to compare with")
    store = commands.add_parser("store", help="check, back up or restore the embedded store")
    doing = store.add_subparsers(dest="doing", required=True)
    check = doing.add_parser("check", help="whether file, documents and indexes agree; Pulse must be stopped")
    check.add_argument("--rebuild", action="store_true", help="make the indexes that disagree anew")
    back_up = doing.add_parser("backup", help="copy the store into FILE, also while Pulse runs")
    back_up.add_argument("file", type=Path, metavar="FILE")
    restore = doing.add_parser("restore", help="put a backup in the store's place; Pulse must be stopped")
    restore.add_argument("file", type=Path, metavar="FILE")
    return parser


async def _operator(settings: Settings, doing: str, address: str, *, vouched: bool) -> int:
    """Appoint, dismiss or list operators, or take away the second factor of who lost it."""
    services = await open_services(settings)
    try:
        work = services.system("the command line")
        if doing == "list":
            people = await operators.listing(work)
            print("\n".join(person.email for person in people) or "Nobody is an operator.")
            return 0
        if doing == "reset-factor":
            person, told = await factor_reset.reset(work, address)
            print(f"{person.email} signs in with the password alone now. Told by mail: {', '.join(told)}.")
            return 0
        if doing == "erase":
            print(f"The person of {(await erasure.erase(work, address)).id} is erased; nothing brings them back.")
            return 0
        adds = doing == "add"
        person = await (operators.appoint(work, address, vouched=vouched) if adds else operators.dismiss(work, address))
        print(f"{person.email} is {'an operator' if doing == 'add' else 'no operator any more'}.")
        return 0
    finally:
        await services.close()


async def _audit(settings: Settings, organization: str, checkpoint: str | None) -> int:
    """Walk one chain or all, and say of each whether it fits; 1 where one does not."""
    services = await open_services(settings)
    try:
        work, fits = services.system("the command line"), True
        # What a crash left in the documents belongs into the log before it is looked at.
        await work.parts.store.drain()
        async for found in audit_verify.every(work, organization, checkpoint):
            fits = fits and found.fits
            print(audit_verify.told(found))
        return 0 if fits else 1
    finally:
        await services.close()


def _store(settings: Settings, asked: argparse.Namespace) -> int:
    """Say what was found or done; 1 where something disagrees."""
    place = {
        "mongo_uri": settings.mongo_uri.get_secret_value() if settings.mongo_uri else None,
        "database": settings.mongo_db_name,
        "data_dir": settings.data_dir,
    }
    match asked.doing:
        case "check":
            agrees = asyncio.run(connect.check(**place, rebuild=asked.rebuild, note=print))
            print("Documents and indexes agree." if agrees else "Run it again with --rebuild, or restore a backup.")
            return 0 if agrees else 1
        case "backup":
            size = connect.back_up(**place, target=asked.file)
            print(f"{asked.file}: {size:,} bytes. {_NOT_IN_A_BACKUP}")
        case _:
            aside = connect.restore(**place, source=asked.file)
            print(f"Restored. {_NOT_IN_A_BACKUP}" + (f" The store before lies in {aside}." if aside else ""))
    return 0


def _run(settings: Settings, *, api_only: bool) -> int:
    with ending_at_once():
        from pulse_dash import asgi, frontend, server  # noqa: PLC0415 - importing them takes a second, which `--help` need not

    try:
        if not api_only:
            frontend.show_progress()
            frontend.build()
        with ending_at_once():
            app = (asgi.api if api_only else asgi.dashboard)(settings, on_start=_started)
        fast = server.FastLane(asgi.FAST, app.at_once)
        uvloop.run(server.serve(app, host=settings.host, port=settings.port, fast=fast))
    except (server.PortTaken, frontend.NotBuilt) as error:
        print(str(error), file=sys.stderr)
        return 1
    return 0


async def _started(services: Services) -> None:
    # What was imported and built stays until the end: the garbage collector need not walk through it again and again.
    gc.freeze()
    await _say_where(services)


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
            lines.append(f"          Start one in another terminal:  {settings.livekit_command}")
    lines.append("Stop      Ctrl-C")
    print("\n" + "\n".join(lines) + "\n", flush=True)
