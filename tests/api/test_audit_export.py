"""The audit log as a file: whole, harmless, told of in the log itself, and verified by who has nothing of ours."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from pulse_dash.api import audit
from pulse_dash.core import audit_export, projects
from pulse_dash.core.access import Role
from pulse_dash.core.audit import Filters
from pulse_dash.core.audit_export import COLUMNS
from pulse_dash.core.errors import Forbidden, NotFound
from pulse_dash.store import audit_log
from pulse_dash.store.audit_form import GENESIS, canonical, linked, shown
from tests.api.asserting import assert_refused
from tests.core.intruding import before
from tests.doubles import BreakableEngine, MovableClock
from tests.hostile import NAMES
from tests.people import Person, Town
from tests.store.things import NOON

__all__ = ["before"]

PATH = "/v1/audit-logs/export"
VERIFIER = Path(__file__).resolve().parents[2] / "docs" / "examples" / "verify_audit_export.py"


@pytest.fixture
async def owner(town: Town, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Somebody whose project had every hostile name; a log of several slices."""
    monkeypatch.setattr(audit_log, "SLICE", 7)
    person = await town.person()
    house = await town.project(person)
    for number, name in enumerate(NAMES.values()):
        clock.move(number % 2 / 1000)
        await projects.change(town.work(person), house.id, name=name)
    return person


async def exported(client: httpx.AsyncClient, person: Person, **asked: Any) -> str:
    asked = {"org_id": person.organization.id, **asked}
    answer = await client.get(PATH, headers=person.headers, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.content.decode()


async def test_another_tenants_log_is_404(client: httpx.AsyncClient, town: Town, owner: Person) -> None:
    stranger, house = await town.person(), await town.house()
    for headers in (stranger.headers, dict(house.headers)):
        for more in ("", "&format=pdf", "&action=no.such"):
            asked = f"{PATH}?org_id={owner.organization.id}{more}"
            assert_refused(await client.get(asked, headers=headers), NotFound)


async def test_a_csv_holds_each_entry_once_oldest_first_and_runs_nowhere(
    client: httpx.AsyncClient, owner: Person
) -> None:
    listed: list[str] = []
    cursor: dict[str, str] = {}
    rows = list(csv.reader(io.StringIO(await exported(client, owner), newline="")))
    while True:
        page = (await client.get("/v1/audit-logs", headers=owner.headers, params={"limit": 100, **cursor})).json()
        listed += [entry["id"] for entry in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert tuple(rows[0]) == COLUMNS
    assert [row[COLUMNS.index("id")] for row in rows[1:]] == listed[::-1]
    for row in rows[1:]:
        assert not any(text.lstrip()[:1] in set("=+-@＝＋－＠") for text in row)
    # A quote stands before what a spreadsheet would run.
    names = {row[COLUMNS.index("resource_name")].replace("'", "") for row in rows[1:]}
    for name in list(NAMES.values())[:-1]:
        assert name.strip().replace("'", "") in names


async def test_a_viewer_gets_no_addresses(client: httpx.AsyncClient, owner: Person, town: Town) -> None:
    viewer = await town.member(owner.organization, Role.VIEWER)
    asked = {"org_id": owner.organization.id}

    rows = list(csv.DictReader(io.StringIO(await exported(client, replace(viewer, organization=owner.organization)))))
    listed = (await client.get("/v1/audit-logs", headers=viewer.headers, params=asked)).json()["items"]
    refused = await client.get(PATH, headers=viewer.headers, params={**asked, "format": "jsonl"})

    assert {row["actor_email"] for row in rows} == {"", viewer.actor.email}
    assert {entry["actor"]["email"] for entry in listed} <= {None, viewer.actor.email}
    assert_refused(refused, Forbidden)


async def test_it_is_an_attachment_of_its_kind(client: httpx.AsyncClient, owner: Person) -> None:
    for form, kind in (("csv", "text/csv; charset=utf-8"), ("jsonl", "application/jsonl")):
        asked = {"org_id": owner.organization.id, "format": form}
        answer = await client.get(PATH, headers=owner.headers, params=asked)
        assert answer.headers["content-type"] == kind
        assert answer.headers["content-disposition"].startswith('attachment; filename="audit-log-org_')


async def test_an_export_stands_in_the_log_with_its_filters_and_without_words_of_people(
    client: httpx.AsyncClient, owner: Person
) -> None:
    someone = "Grace grace@example.net"
    await exported(client, owner, action="project.*", search=someone, user=someone, resource="project")

    (entry,) = (await client.get("/v1/audit-logs", headers=owner.headers, params={"action": "audit.exported"})).json()[
        "items"
    ]

    assert entry["actor"]["id"] == owner.actor.id
    assert entry["resource"]["id"] == owner.organization.id
    assert {name: change["after"] for name, change in entry["changes"].items()} == {
        "format": "csv",
        "action": "project.*",
        "resource": "project",
        "search": "set",
        "user": "set",
    }


async def test_a_filter_holds_for_the_file_too(client: httpx.AsyncClient, owner: Person) -> None:
    lines = (await exported(client, owner, format="jsonl", action="project.created")).splitlines()

    assert [json.loads(line).get("action") for line in lines] == ["project.created", None]


async def test_a_store_that_goes_away_leaves_no_file_that_looks_whole(
    town: Town, owner: Person, engine: BreakableEngine
) -> None:
    begun = await audit_export.begin(town.work(owner), Filters(org_id=owner.organization.id), "csv")
    chunks = audit.unbroken(begun)
    await anext(chunks)
    engine.gone = True

    with pytest.raises(audit.CutShort):
        await anext(chunks)


# --- verified by somebody who has nothing of ours ----------------------------------------------------------------


def _lines(file: Path) -> list[str]:
    # Not splitlines: a name may hold a separator of lines.
    return file.read_text("utf-8").rstrip("\n").split("\n")


def verifier(*arguments: str | Path) -> tuple[int, str]:
    command = [sys.executable, "-I", "-S", str(VERIFIER), *map(str, arguments)]
    run = subprocess.run(command, text=True, capture_output=True, env={}, check=False)
    return run.returncode, run.stdout + run.stderr


@pytest.fixture
async def file(client: httpx.AsyncClient, owner: Person, tmp_path: Path) -> Path:
    path = tmp_path / "export.jsonl"
    path.write_text(await exported(client, owner, format="jsonl"), encoding="utf-8")
    return path


def test_an_export_that_nobody_touched_fits(file: Path) -> None:
    key = json.loads(_lines(file)[-1])["checkpoint"]["key"]

    status, said = verifier(file, "--key", key)

    assert status == 0, said
    assert "entries fit" in said
    assert "gaps" not in said
    assert "1 checkpoints fit" in said


async def test_an_export_of_both_forms_fits(
    client: httpx.AsyncClient, owner: Person, town: Town, tmp_path: Path, before: pytest.MonkeyPatch
) -> None:
    await town.project(owner)
    await exported(client, owner)
    before.undo()
    path = tmp_path / "both.jsonl"
    path.write_text(await exported(client, owner, format="jsonl"), encoding="utf-8")

    forms = {json.loads(line).get("version") for line in _lines(path)}
    status, said = verifier(path)

    assert forms == {1, 2, None}
    assert status == 0, said


def test_whatever_an_entry_holds_is_hashed_alike_without_us(tmp_path: Path) -> None:
    held: dict[str, Any] = {
        "é\u2028": [1, -1, 2**31, 2**62, True, None, [], {}],
        "a": 1.5,
        "0": {"z": b"\0", "y": "\0x"},
    }
    entries = [{"_id": f"aud_{number}", "at": NOON, "action": "x.y", "changes": held} for number in range(3)]
    lines = [canonical({**shown(link), "hash": link["hash"]}) for link in linked(entries, 0, GENESIS)]
    path = tmp_path / "held.jsonl"
    path.write_bytes(b"\n".join(lines))

    status, said = verifier(path)

    assert status == 0, said


def _edited(lines: list[str]) -> list[str]:
    return [*lines[:3], lines[3].replace('"status":"success"', '"status":"failure"'), *lines[4:]]


def _taken_out(lines: list[str]) -> list[str]:
    return lines[:3] + lines[4:]


def _doubled(lines: list[str]) -> list[str]:
    return [*lines, lines[3]]


def _other_end(lines: list[str]) -> list[str]:
    last = json.loads(lines[-1])
    last["checkpoint"]["hash"] = "0" * 64
    return [*lines[:-1], json.dumps(last)]


def _no_entry(lines: list[str]) -> list[str]:
    return [*lines, '{"x":1}']


@pytest.mark.parametrize("attack", [_edited, _doubled, _other_end, _no_entry])
def test_an_export_that_was_changed_does_not_fit(file: Path, attack: Any) -> None:
    changed = attack(_lines(file))
    file.write_text("\n".join(changed) + "\n", encoding="utf-8")

    status, said = verifier(file)

    assert status == 1, said


def test_what_was_taken_out_is_a_gap(file: Path) -> None:
    file.write_text("\n".join(_taken_out(_lines(file))), encoding="utf-8", newline="\n")

    assert "with 1 gaps" in verifier(file)[1]


def test_a_checkpoint_of_another_key_is_told(file: Path) -> None:
    status, said = verifier(file, "--key", "0" * 64)

    assert (status, "not signed with this key" in said) == (1, True)


@pytest.fixture
async def later(client: httpx.AsyncClient, owner: Person, town: Town, file: Path, tmp_path: Path) -> Path:
    """The same log after it went on."""
    await town.project(owner)
    path = tmp_path / "later.jsonl"
    path.write_text(await exported(client, owner, format="jsonl"), encoding="utf-8")
    return path


def test_an_older_checkpoint_fits_the_log_that_went_on(file: Path, later: Path, tmp_path: Path) -> None:
    older = tmp_path / "checkpoint.json"
    older.write_text(json.dumps(json.loads(_lines(file)[-1])["checkpoint"]), encoding="utf-8")

    status, said = verifier(later, "--checkpoint", older)

    assert status == 0, said
    assert "2 checkpoints fit" in said
