"""deploy/bootstrap.py: from nothing to a working environment, whatever happens on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "bootstrap.py"
TINY = "import tiny; print('tiny', tiny.VERSION)"


def a_wheel(folder: Path, version: str) -> Path:
    """A package of one line, so that no test here needs a network."""
    wheel = folder / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", f"VERSION = '{version}'\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", f"tiny.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return wheel


def a_checkout(folder: Path) -> Path:
    """As much of a checkout as the script looks at."""
    (folder / "deploy").mkdir(parents=True)
    shutil.copy(SCRIPT, folder / "deploy")
    (folder / "requirements.txt").write_text(f"./{a_wheel(folder, '1.0').name}\n")
    (folder / "requirements-dev.txt").write_text("-r requirements.txt\n")
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return a_checkout(tmp_path / "pulse")


def start(checkout: Path, *arguments: str, program: str = TINY) -> subprocess.Popen[str]:
    command = [sys.executable, "deploy/bootstrap.py", *arguments, "--", "-c", program]
    return subprocess.Popen(
        command, cwd=checkout, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )


def run(checkout: Path, *arguments: str, program: str = TINY) -> tuple[int, str]:
    process = start(checkout, *arguments, program=program)
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


def wait_for(there: Path) -> None:
    until = time.monotonic() + 60
    while not there.exists() and time.monotonic() < until:
        time.sleep(0.005)


def test_a_bare_checkout_gets_its_environment_and_becomes_the_command(checkout: Path) -> None:
    status, output = run(checkout)

    assert status == 0
    assert output.endswith("tiny 1.0\n")
    assert "Installing requirements.txt" in output


def test_a_warm_start_says_nothing_and_asks_nobody(checkout: Path) -> None:
    run(checkout)

    assert run(checkout) == (0, "tiny 1.0\n")


@pytest.mark.parametrize(
    "reached",
    [".venv.lock", ".venv/pulse-install.json", ".venv/bin/python", ".venv/lib/python3.{}/site-packages/pip"],
)
def test_killed_at_whatever_moment_the_next_start_mends(checkout: Path, reached: str) -> None:
    process = start(checkout)
    wait_for(checkout / reached.format(sys.version_info.minor))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)

    status, output = run(checkout)

    assert status == 0
    assert output.endswith("tiny 1.0\n")


def test_a_pip_that_lost_its_parent_is_waited_for_not_disturbed(checkout: Path) -> None:
    process = start(checkout)
    wait_for(checkout / ".venv/bin/python")
    process.kill()

    status, output = run(checkout)
    process.communicate(timeout=60)

    assert status == 0
    assert "Another make is installing" in output
    assert output.endswith("tiny 1.0\n")


def test_ctrl_c_ends_with_a_sentence_and_no_traceback(checkout: Path) -> None:
    process = start(checkout)
    wait_for(checkout / ".venv/bin/python")
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "The next make goes on from here" in output
    assert "Traceback" not in output


def test_two_at_once_wait_for_each_other_and_both_run(checkout: Path) -> None:
    pair = [start(checkout), start(checkout)]
    outputs = [process.communicate(timeout=120)[0] for process in pair]

    assert [process.returncode for process in pair] == [0, 0]
    assert sum("Installing" in output for output in outputs) == 1
    assert sum("Another make is installing in this checkout; waiting for it" in output for output in outputs) == 1


def test_changed_requirements_are_installed_by_the_next_start(checkout: Path) -> None:
    run(checkout)
    (checkout / "requirements.txt").write_text(f"./{a_wheel(checkout, '2.0').name}\n")

    assert run(checkout)[1].endswith("tiny 2.0\n")


def test_who_has_the_development_set_needs_no_second_installation_to_run(checkout: Path) -> None:
    run(checkout, "--dev")

    assert run(checkout) == (0, "tiny 1.0\n")


def test_a_checkout_that_was_moved_makes_its_environment_anew(checkout: Path) -> None:
    run(checkout)
    moved = checkout.rename(checkout.with_name("elsewhere"))

    status, output = run(moved, program="import sys; print(sys.prefix)")

    assert status == 0
    assert output.endswith(f"{moved}/.venv\n")


def test_somebody_elses_environment_is_left_alone(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "theirs").touch()

    status, output = run(checkout)

    assert status == 1
    assert "was not made by this Makefile" in output
    assert (checkout / ".venv" / "theirs").exists()


def test_requirements_that_cannot_be_had_are_a_sentence_and_are_tried_again(checkout: Path) -> None:
    good = (checkout / "requirements.txt").read_text()
    (checkout / "requirements.txt").write_text("./nothing-here-1.0-py3-none-any.whl\n")
    status, output = run(checkout)
    (checkout / "requirements.txt").write_text(good)

    assert status == 1
    assert "run make again to retry" in output
    assert "Traceback" not in output
    assert run(checkout)[0] == 0


def test_a_mark_cut_short_is_no_mark_to_trust(checkout: Path) -> None:
    run(checkout)
    mark = checkout / ".venv" / "pulse-install.json"
    mark.write_text(json.dumps({"at": str(checkout / ".venv"), "state": "installing"}))

    assert run(checkout)[1].endswith("tiny 1.0\n")


def test_a_python_without_venv_is_told_which_package_it_lacks(checkout: Path) -> None:
    hiding = checkout / "hidden"
    hiding.mkdir()
    (hiding / "ensurepip.py").write_text("raise ImportError\n")
    process = subprocess.run(
        [sys.executable, "deploy/bootstrap.py"],
        cwd=checkout, text=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(hiding)},
    )  # fmt: skip

    assert process.returncode == 1
    assert "apt install python3" in process.stderr
    assert len(process.stderr.splitlines()) == 1


def test_a_python_too_old_is_one_sentence(checkout: Path) -> None:
    program = (
        "import runpy, sys, os; sys.version_info = (3, 9, 1); sys.version = '3.9.1 (x)'; os.environ['PATH'] = '';"
        "sys.argv = ['deploy/bootstrap.py']; runpy.run_path('deploy/bootstrap.py', run_name='__main__')"
    )
    process = subprocess.run([sys.executable, "-c", program], cwd=checkout, text=True, capture_output=True)

    assert process.returncode == 1
    assert process.stderr == "Pulse needs Python 3.11 or newer; this is 3.9.1 and no newer one is on the PATH.\n"
