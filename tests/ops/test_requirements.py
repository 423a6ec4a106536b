"""What is installed: pinned, explained, and nothing that the code does not use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def pinned(name: str) -> dict[str, str]:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r"))]
    pairs = [line.split("==") for line in lines]
    assert all(len(pair) == 2 for pair in pairs), f"{name} holds a line without =="
    return {normal(package): version for package, version in pairs}


def normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def direct() -> dict[str, str]:
    return {**pinned("requirements.txt"), **pinned("requirements-dev.txt")}


@pytest.mark.parametrize("package", sorted(direct()))
def test_a_direct_dependency_has_the_same_version_in_the_lock(package: str) -> None:
    assert pinned("requirements.lock")[package] == direct()[package]


def test_the_documentation_says_of_every_direct_dependency_why_it_is_there() -> None:
    rows = re.findall(r"^\| `([\w.-]+)` \| \S.{15,} \|$", (ROOT / "docs" / "DEPENDENCIES.md").read_text(), re.MULTILINE)

    assert sorted(rows) == sorted(direct())
