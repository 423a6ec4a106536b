"""`python -m pulse_dash operator …`, run as whoever stands at the machine runs it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pulse_dash.core import second_factor
from pulse_dash.services import open_services
from pulse_dash.settings import load_settings
from tests.core.authenticator import App
from tests.people import PASSWORD, Person, Town

ROOT = Path(__file__).resolve().parents[2]


async def _somebody(data: Path, *, with_factor: bool) -> Person:
    """A person in the store of that folder, which is closed again."""
    services = await open_services(load_settings(pulse_data_dir=data))
    try:
        town = Town(services)
        person = await town.person()
        if with_factor:
            setup = await second_factor.begin(town.work(person), password=PASSWORD)
            app = App(setup.secret.reveal(), services.parts.clock)  # type: ignore[arg-type]
            await second_factor.confirm(town.work(person), app.code())
        return person
    finally:
        await services.parts.store.logged()
        await services.close()


def operator(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PULSE_DATA_DIR": str(data)}
    command = [sys.executable, "-m", "pulse_dash", "operator", *arguments]
    return subprocess.run(command, cwd=data.parent, env=environment, capture_output=True, text=True)


def test_who_lost_the_second_factor_gets_in_with_the_password_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    person = asyncio.run(_somebody(data, with_factor=True))

    done = operator(data, "reset-factor", person.actor.email)
    again = operator(data, "reset-factor", person.actor.email)

    assert (done.returncode, done.stderr) == (0, "")
    email = person.actor.email
    assert done.stdout == f"{email} signs in with the password alone now. Told by mail: {email}.\n"
    assert (again.returncode, again.stderr) == (1, f"{email} has no second factor.\n")


def test_an_address_without_an_account_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    asyncio.run(_somebody(data, with_factor=False))

    refused = operator(data, "reset-factor", "nobody@example.com")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "There is no account with the address nobody@example.com.\n"


def test_whoever_is_the_last_owner_somewhere_is_not_erased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    person = asyncio.run(_somebody(data, with_factor=False))

    refused = operator(data, "erase", person.actor.email)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("The last owner of Acme")
