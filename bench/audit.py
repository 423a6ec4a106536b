"""The audit log among many entries: a page by each filter beside the same among few, the file, verify, what an entry
adds to its change, and 64 writers.

    python -m bench.audit [--entries 200000] [--few 10000] [--organizations 20]

It asks core directly, with the embedded store, so it shows no network and no other database. File and verify are read
by a process of their own, as on a node that serves, and its start is in their time. Ratios are of one run. On a machine
that does other things too, a second of the processor's says more than one of the clock, and verify is set beside what
decoding and hashing the same entries takes alone. The promise is made for 1,000,000 entries; making those takes some
minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import logging
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bson
import structlog
from bson.codec_options import CodecOptions

from bench import raw
from pulse_dash.core import accounts, audit, audit_export, audit_verify, projects
from pulse_dash.core.access import Anonymous
from pulse_dash.core.audit import Filters
from pulse_dash.core.clock import SystemClock
from pulse_dash.core.passwords import Passwords
from pulse_dash.core.work import Work
from pulse_dash.services import Services, assemble
from pulse_dash.settings import load_settings
from pulse_dash.store.audit_chain import AT_ONCE, Chains
from pulse_dash.store.connect import connect
from pulse_dash.store.engine import Document
from pulse_dash.store.records import both

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ACTIONS = ("project.updated", "session.started", "token.created", "key.created", "member.invited", "key.revoked")
ROUNDS, CHANGES, PROJECTS, WRITERS = 31, 300, 50, 64
# Seconds in which a process that has done its job is gone, and what it took is counted.
_ENDS_WITHIN = 0.5


def entry(org_id: str, number: int, every: timedelta) -> Document:
    """One of many. Each filter leaves about an eighth of them, so that few have a page of it too."""
    action = ACTIONS[min(number % 8, 5)]
    person, thing = number // 3 % 8, number // 5 % 8
    return {
        "_id": f"aud_{org_id[4:]}{number:010}",
        "org_id": org_id,
        "at": BEGAN + every * number,
        "actor": {"type": "user", "id": f"usr_{person:026}", "name": f"Person {person}", "email": f"p{person}@x.com"},
        "action": action,
        "resource": {
            "type": action.partition(".")[0],
            "id": f"prj_{thing:026}",
            "name": f"Class {thing} of {'the morning' if number % 7 == 6 else 'the evening'}",
        },
        "status": "failure" if number % 8 == 7 else "success",
        "ip": "203.0.113.9",
        "user_agent": "curl/8",
        "request_id": f"req_{number:020}",
        "changes": {"name": {"before": f"Class {number}", "after": f"Class {number + 1}"}},
    }


async def filled(folder: Path, entries: int, organizations: int) -> tuple[Services, list[str]]:
    """A store with so many entries in so many chains, written as nodes write them."""
    settings = load_settings(pulse_data_dir=folder)
    engine = await connect(mongo_uri=None, database="pulse", data_dir=settings.data_dir)
    await engine.prepare()
    services = assemble(settings, engine, SystemClock(), Passwords(password_cost=4), apart=True)
    ids = [services.parts.ids.make("org") for _ in range(organizations)]
    each = entries // organizations
    every = timedelta(days=300) / each
    organization = engine.collection("organizations")
    for org_id in ids:
        members = [{"user_id": f"usr_{0:026}", "role": "owner", "joined_at": BEGAN}]
        await organization.insert_one(
            {"_id": org_id, "version": 1, "pending": [], "name": "Acme", "plan": "free", "members": members}
            | {"created_by": f"usr_{0:026}", "created_at": BEGAN, "updated_at": BEGAN, "deleted_at": None}
        )
    for first in range(0, each, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, each))
        for org_id in ids:
            await services.parts.store.chains.append(org_id, [entry(org_id, number, every) for number in numbers])
    return services, ids


def asked(org_id: str) -> dict[str, Filters]:
    """Each filter alone; every one of them leaves more than a page, so that equal work is compared."""
    middle, some = BEGAN + timedelta(days=150), timedelta(days=75)
    return {
        "none": Filters(org_id),
        "from and to": Filters(org_id, since=middle - some, before=middle + some),
        "user": Filters(org_id, user=f"usr_{7:026}"),
        "action": Filters(org_id, action="key.created"),
        "project.*": Filters(org_id, action="project.*"),
        "resource": Filters(org_id, resource=f"prj_{3:026}"),
        "status": Filters(org_id, status="failure"),
        "search": Filters(org_id, search="morning"),
        "search for an action": Filters(org_id, search="updated"),
    }


async def page(services: Services, filters: Filters, cursor: str | None) -> tuple[float, str | None]:
    """Milliseconds of a page of 50, and the cursor of the next."""
    began = time.perf_counter()
    found = await audit.listing(services.system("a bench"), filters, limit=50, cursor=cursor)
    took = (time.perf_counter() - began) * 1_000
    if cursor is None and not found.items:
        raise SystemExit(f"Nothing is found by {filters}")
    return took, found.next_cursor


async def pages(few: tuple[Services, str], many: tuple[Services, str]) -> dict[str, tuple[float, float]]:
    """By each filter a first and a second page among few and among many, in turn; the middle of some rounds."""
    took: dict[str, tuple[float, float]] = {}
    for name in asked(few[1]):
        seconds: dict[str, list[float]] = {few[1]: [], many[1]: []}
        cursors: dict[str, str | None] = {}
        for _ in range(ROUNDS):
            for services, org_id in (few, many):
                before = cursors.get(org_id)
                one, after = await page(services, asked(org_id)[name], before)
                seconds[org_id].append(one)
                cursors[org_id] = None if before else after
        took[name] = statistics.median(seconds[few[1]]), statistics.median(seconds[many[1]])
    return took


async def exported(work: Work, org_id: str, form: Any) -> tuple[float, float, float, float]:
    """Rows a second, rows a second of the processor's, by how many MB this process grew at most, and how many the
    process that reads took."""
    before, rows, beside, worked, began = _peak_mb(), 0, 0.0, await _worked(), time.perf_counter()
    begun = await audit_export.begin(work, Filters(org_id), form)
    async for chunk in begun.chunks():
        rows += chunk.count(b"\n")
        beside = max(beside, _beside_mb())
    took = time.perf_counter() - began
    return rows / took, rows / (await _worked() - worked), _peak_mb() - before, beside


async def verified(services: Services, org_id: str) -> tuple[float, float]:
    """Entries a second, and a second of the processor's."""
    worked, began = await _worked(), time.perf_counter()
    found = await audit_verify.walk(services.system("a bench"), org_id)
    took = time.perf_counter() - began
    if not found.fits:
        raise SystemExit(f"It does not fit: {found.fault}")
    return found.entries / took, found.entries / (await _worked() - worked)


async def _worked() -> float:
    """The processor's seconds of this process and of those that it began and that have ended."""
    await asyncio.sleep(_ENDS_WITHIN)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


async def alone(services: Services, org_id: str) -> float:
    """Of the same entries, how many a second of the processor's are decoded and their bytes hashed, in memory and
    without comparing anything: what the machine can do at this moment."""
    found: list[bytes] = []
    async for bodies in services.system("a bench").store.audit_log.chained(org_id, -1):
        found += bodies
    options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
    worked = time.process_time()
    for body in found:
        bson.decode(body, options)
        hashlib.sha256(body).hexdigest()
    return len(found) / (time.process_time() - worked)


async def changes(services: Services) -> dict[str, float]:
    """Milliseconds of a change with its entry beside the same writes without one, in turn, each of another project."""
    signed = await accounts.sign_up(
        services.as_(Anonymous()),
        email="bench@example.com",
        password="a sentence for a bench",  # noqa: S106 - of nobody
        name="Ada",
        organization_name="Acme",
    )
    if signed.organization is None or signed.started is None:
        raise SystemExit("Nobody could sign up.")
    work, org_id = services.as_(signed.started.actor), signed.organization.id
    made = [
        (await projects.create(work, org_id=org_id, name=f"Live {number}")).project.id for number in range(PROJECTS)
    ]
    await services.parts.store.logged()
    documents, feed = services.engine.collection("projects"), services.engine.collection("changes")

    async def with_entry(number: int) -> None:
        project_id = made[number % PROJECTS]
        whose = {"org_id": org_id, "resource": "project", "resource_id": project_id, "name": "Live"}
        changed = {"name": {"before": f"Live {number}", "after": f"Live {number + 1}"}}
        entry = work.entry("project.updated", **whose, changes=changed)
        await work.store.projects.change(project_id, {"name": f"Live {number + 1}"}, entry)

    async def without(number: int) -> None:
        """What the change does besides its entry, through the same layers."""
        records, now, project_id = work.store.projects, work.clock.now(), made[number % PROJECTS]
        asked = both(records._one(project_id, records._view.held), {})  # noqa: SLF001
        values = {"name": f"Live {number + 1}", "updated_at": now}
        changed = await documents.find_one_and_update(asked, {"$set": values, "$inc": {"version": 1}})
        change = {"$currentDate": {"at": True}, "$setOnInsert": {"subject": f"projects:{project_id}"}}
        await feed.update_one({"_id": work.new_id("aud")}, change, upsert=True)
        work.parts.bus.say(f"projects:{project_id}")
        records.read(changed or {})

    ways: dict[str, Callable[[int], Awaitable[None]]] = {"with": with_entry, "without": without}
    one: dict[str, list[float]] = {"with": [], "without": []}
    many: dict[str, list[float]] = {"with": [], "without": [], "logged": []}
    for number in range(CHANGES):
        for name in ("with", "without") if number % 2 else ("without", "with"):
            began = time.perf_counter()
            await ways[name](number)
            one[name].append(time.perf_counter() - began)
            # As between two requests: the log is written meanwhile, and its disk is not the next change's.
            await services.parts.store.logged()
    for number in range(ROUNDS):
        for name in ("with", "without") if number % 2 else ("without", "with"):
            began = time.perf_counter()
            await asyncio.gather(*(ways[name](each) for each in range(PROJECTS)))
            many[name].append(time.perf_counter() - began)
            await services.parts.store.logged()
            if name == "with":
                many["logged"].append(time.perf_counter() - began)
    middle = {name: statistics.median(took) for name, took in one.items()}
    burst = {name: statistics.median(took) for name, took in many.items()}
    return {
        "change_ms": middle["with"] * 1_000,
        "bare_ms": middle["without"] * 1_000,
        "ratio": middle["with"] / middle["without"],
        "burst_ratio": burst["with"] / burst["without"],
        "burst_logged_ratio": burst["logged"] / burst["without"],
    }


async def written_by_many(services: Services) -> int:
    """Entries of 64 writers at once, each a node of its own, in one chain; ends the bench where it forked."""
    org_id, parts = services.parts.ids.make("org"), services.parts
    signing = parts.store.chains._signing  # noqa: SLF001 - each node has the same key
    nodes = [Chains(services.engine, parts.clock, signing, parts.store.people) for _ in range(WRITERS)]
    every = timedelta(seconds=1)

    async def write(number: int, node: Chains) -> None:
        for turn in range(2):
            await node.append(org_id, [entry(org_id, number * 2 + turn, every)])

    await asyncio.gather(*(write(number, node) for number, node in enumerate(nodes)))
    found = await audit_verify.walk(services.system("a bench"), org_id)
    if not found.fits or found.entries != WRITERS * 2:
        raise SystemExit(f"64 writers: {found.entries} entries, {found.fault}")
    return found.entries


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def _beside_mb() -> float:
    """The most that each process of this one's has held, together."""
    pids = Path("/proc/self/task", str(os.getpid()), "children").read_text().split()
    lines = [line for pid in pids for line in Path("/proc", pid, "status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1_024


async def main(arguments: argparse.Namespace) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        few, few_ids = await filled(Path(folder) / "few", arguments.few, arguments.organizations)
        began = time.perf_counter()
        many, many_ids = await filled(Path(folder) / "many", arguments.entries, arguments.organizations)
        made = arguments.entries / (time.perf_counter() - began)
        print(
            f"{arguments.entries:,} entries of {arguments.organizations} organizations, chained at {made:,.0f} a second"
        )
        for name, (small, large) in (await pages((few, few_ids[0]), (many, many_ids[0]))).items():
            figures[f"page_{name}_ms"], figures[f"page_{name}_ratio"] = large, large / small
            print(f"a page of 50, {name}: {large:.2f} ms, {large / small:.2f} times that among {arguments.few:,}")
        work = many.system("a bench")
        for form in ("csv", "jsonl"):
            rows, of_cpu, grown, beside = await exported(work, many_ids[2], form)
            figures[f"export_{form}_rows"], figures[f"export_{form}_mb"] = rows, grown
            figures[f"export_{form}_beside_mb"] = beside
            print(
                f"export as {form}: {rows:,.0f} rows a second, {of_cpu:,.0f} a second of the processor's; "
                f"the process grew by {grown:.1f} MB, the one that reads held {beside:.0f} MB"
            )
        figures["verify"], of_cpu = await verified(many, many_ids[3])
        figures["verify_cpu"], figures["verify_alone"] = of_cpu, await alone(many, many_ids[3])
        print(
            f"verify: {figures['verify']:,.0f} entries a second, {of_cpu:,.0f} a second of the processor's: "
            f"{of_cpu / figures['verify_alone']:.2f} times what decoding and hashing them in memory does "
            f"({figures['verify_alone']:,.0f})"
        )
        figures |= await changes(many)
        print(
            f"a change with its entry {figures['change_ms']:.2f} ms, without {figures['bare_ms']:.2f} ms: "
            f"{figures['ratio']:.2f} times; {PROJECTS} at once {figures['burst_ratio']:.2f} times, "
            f"and until all are in the log {figures['burst_logged_ratio']:.2f} times"
        )
        figures["writers"] = float(await written_by_many(many))
        print(f"{WRITERS} writers: {figures['writers']:.0f} entries, no fork, no gap")
        for services in (few, many):
            await services.close()
    raw.keep("audit", figures)
    print(json.dumps(figures))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--organizations", type=int, default=20)
    asyncio.run(main(parser.parse_args()))
