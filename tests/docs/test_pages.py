"""The documentation and the code say the same, both ways."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pulse_dash
from pulse_dash.api.app import make_fastapi
from pulse_dash.core.access import KEY_PERMISSIONS, ROLES, Permission, Role
from pulse_dash.core.errors import PulseError
from pulse_dash.services import Services
from pulse_dash.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README, API, ROLES_PAGE = ((ROOT / name).read_text("utf-8") for name in ("README.md", "docs/API.md", "docs/ROLES.md"))

# What HTTP and the API's front refuse before any rule is asked; they have no class in the family.
_OF_THE_FRONT = {
    "bad_request",
    "body_too_large",
    "cross_site",
    "internal_error",
    "malformed_json",
    "method_not_allowed",
    "not_an_object",
}


def test_the_api_page_names_exactly_the_routes_that_exist(services: Services) -> None:
    paths = make_fastapi(services).openapi()["paths"]
    existing = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}
    named = set(re.findall(r"^\| `((?:GET|POST|PUT|DELETE) /[^`?]*)`", API, re.MULTILINE))

    assert named == existing


def test_the_api_page_names_exactly_the_codes_that_errors_have() -> None:
    table = API.partition("| code | status |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    named = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}

    assert named == {error.code for error in _errors()} | _OF_THE_FRONT


def test_the_readme_names_exactly_the_settings_that_exist() -> None:
    named = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", README, re.MULTILINE))

    assert named == {name.upper() for name in Settings.model_fields}


def test_the_readme_describes_each_setting_in_the_settings_own_words() -> None:
    for name, field in Settings.model_fields.items():
        assert f"| `{name.upper()}` |" in README
        assert field.description is not None
        assert f"| {field.description} |" in README, name


def test_the_roles_page_shows_the_table_that_the_code_uses() -> None:
    shown = {
        cells[1].strip(" `"): [cell.strip() == "✓" for cell in cells[2:-1]]
        for line in ROLES_PAGE.splitlines()
        if (cells := line.split("|")) and len(cells) == 7 and "`" in cells[1]
    }

    assert shown == {permission.value: [permission in ROLES[role] for role in Role] for permission in Permission}


def test_the_roles_page_names_what_a_key_may_do() -> None:
    sentence = ROLES_PAGE.partition("A project's key holds")[2].partition(". ")[0]

    assert set(re.findall(r"`([a-z.]+)`", sentence)) == {permission.value for permission in KEY_PERMISSIONS}


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} → {target}"


def _errors() -> set[type[PulseError]]:
    """Every error that a caller can meet; the family's root is never raised by itself."""
    for module in pkgutil.walk_packages(pulse_dash.__path__, "pulse_dash."):
        if module.name.split(".")[1] in {"core", "store", "api", "adapters"}:
            importlib.import_module(module.name)
    found: set[type[PulseError]] = set()
    waiting = [PulseError]
    while waiting:
        children = waiting.pop().__subclasses__()
        waiting += children
        found |= {child for child in children if child.__module__.startswith("pulse_dash.")}
    return found
