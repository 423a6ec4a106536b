"""The Makefile: every command is there, has its sentence, and CI runs what people run."""

from __future__ import annotations

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROMISED = {"run", "test", "check", "engines", "demo", "bench", "soak", "help"}


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def make(*arguments: str) -> str:
    return subprocess.run(["make", *arguments], cwd=ROOT, text=True, capture_output=True, check=True).stdout


def test_every_promised_command_exists() -> None:
    assert targets() >= PROMISED


def test_help_lists_every_command_with_its_sentence() -> None:
    listed = re.findall(r"^make (\w+) +\S.{20,}$", make("help"), re.MULTILINE)

    assert set(listed) == targets()


def test_make_alone_is_help() -> None:
    assert make() == make("help")


@pytest.mark.parametrize("target", sorted(targets()))
def test_no_file_of_the_same_name_can_hide_a_command(target: str) -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert phony
    assert target in phony[1].split()


@pytest.mark.parametrize("target", sorted(targets()))
def test_every_command_runs_a_script_that_is_there(target: str) -> None:
    planned = make("--dry-run", target)

    scripts = re.findall(r"\bdeploy/\w+\.py\b", planned)
    modules = [name for name in re.findall(r" -m ([\w.]+)", planned) if name.startswith(("pulse_dash", "bench"))]

    assert all((ROOT / script).is_file() for script in scripts)
    assert all(find_spec(name) for name in modules)


def test_ci_runs_the_engines_the_checks_and_the_tests_in_this_order() -> None:
    script = (ROOT / ".ci" / "run").read_text()

    assert re.findall(r"^step make (\w+)$", script, re.MULTILINE) == ["engines", "check", "test"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
