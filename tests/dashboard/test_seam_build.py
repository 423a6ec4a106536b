"""The dashboard's build: fresh or not, whole or not there, one at a time, and told none of our secrets."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pulse_dash import frontend
from pulse_dash.frontend import NotBuilt, build, built, fingerprint


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in (
        "pulse_dash/pages",
        "pulse_dash/components",
        "pulse_dash/state",
        "pulse_dash/core",
        "pulse_dash/api",
        "assets",
        "reflex.lock",
    ):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "one.txt").write_text(name)
    for name in ("rxconfig.py", "pulse_dash/pulse_dash.py", "pulse_dash/reflex_seam.py"):
        (tmp_path / name).write_text(name)
    return tmp_path


class Exports:
    """Stands in for Reflex's export: counts, and writes what a build leaves behind."""

    def __init__(self) -> None:
        self.count = 0
        self.before: Callable[[Path], None] = lambda _: None

    def __call__(self, source: Path, web: Path, lock: int) -> None:
        self.count += 1
        self.before(source)
        files = frontend.files_of(web)
        files.mkdir(parents=True, exist_ok=True)
        (files / "index.html").write_text((source / "pulse_dash/pages/one.txt").read_text())
        (web / "backend").mkdir(exist_ok=True)


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> Exports:
    stand_in = Exports()
    monkeypatch.setattr(frontend, "_export", stand_in)
    return stand_in


def test_nothing_is_served_before_a_build(checkout: Path) -> None:
    with pytest.raises(NotBuilt, match="frontend build"):
        built(checkout)


def test_a_build_is_found_and_not_repeated(checkout: Path, exports: Exports) -> None:
    place = build(checkout)

    assert (built(checkout), build(checkout), exports.count) == (place, place, 1)


@pytest.mark.parametrize(
    "changed",
    ["pulse_dash/pages/one.txt", "pulse_dash/core/one.txt", "assets/one.txt", "reflex.lock/one.txt", "rxconfig.py"],
)
def test_what_decides_the_files_makes_a_build_stale(checkout: Path, exports: Exports, changed: str) -> None:
    build(checkout)
    (checkout / changed).write_text("changed")

    with pytest.raises(NotBuilt):
        built(checkout)


@pytest.mark.parametrize(
    "changed", ["pulse_dash/api/one.txt", "pulse_dash/pages/__pycache__/a.pyc", "pulse_dash/pages/.hidden", "README.md"]
)
def test_what_does_not_decide_the_files_leaves_it_fresh(checkout: Path, exports: Exports, changed: str) -> None:
    place = build(checkout)
    (checkout / changed).parent.mkdir(exist_ok=True)
    (checkout / changed).write_text("changed")

    assert built(checkout) == place


def test_going_back_to_earlier_sources_needs_no_build(checkout: Path, exports: Exports) -> None:
    first = build(checkout)
    (checkout / "pulse_dash/pages/one.txt").write_text("new")
    build(checkout)
    (checkout / "pulse_dash/pages/one.txt").write_text("pulse_dash/pages")

    assert (build(checkout), exports.count) == (first, 2)


def test_a_build_that_died_is_mended_by_the_next(checkout: Path, exports: Exports) -> None:
    def die(_: Path) -> None:
        raise KeyboardInterrupt

    exports.before = die
    with pytest.raises(KeyboardInterrupt):
        build(checkout)
    with pytest.raises(NotBuilt):
        built(checkout)
    exports.before = lambda _: None

    assert build(checkout) == built(checkout)


def test_what_is_edited_during_a_build_is_built_after_it(checkout: Path, exports: Exports) -> None:
    edited = checkout / "pulse_dash/pages/one.txt"
    exports.before = lambda _: edited.write_text("newer") and None

    place = build(checkout)

    assert (frontend.files_of(place) / "index.html").read_text() == "newer"
    assert (place, exports.count) == (built(checkout), 2)


def test_two_builds_at_once_are_one(checkout: Path, exports: Exports) -> None:
    both_asked = threading.Barrier(2)
    places: list[Path] = []

    def ask() -> None:
        both_asked.wait()
        places.append(build(checkout))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert (len(places), len(set(places)), exports.count) == (2, 1, 1)


def test_old_builds_go(checkout: Path, exports: Exports) -> None:
    for number in range(5):
        (checkout / "pulse_dash/pages/one.txt").write_text(str(number))
        build(checkout)

    assert len(list((checkout / ".build").glob("dashboard-*"))) == 2
    assert built(checkout)


def test_the_build_writes_nothing_but_its_own_folder(checkout: Path, exports: Exports) -> None:
    before = {path.name for path in checkout.iterdir()}
    build(checkout)

    assert {path.name for path in checkout.iterdir()} - before == {".build"}


def test_child_processes_get_named_variables_and_no_secret(tmp_path: Path) -> None:
    given = dict(os.environ) | {
        "JWT_SECRET": "s1",
        "MONGO_URI": "s2",
        "AWS_SECRET_ACCESS_KEY": "s3",
        "HOME": "/home/ada",
    }
    handed = frontend._environment(tmp_path / "web", given)

    assert not {"s1", "s2", "s3"} & set(handed.values())
    assert handed["HOME"] == "/home/ada"
    assert handed["REFLEX_USE_NPM"] == "1"


def test_a_failed_build_says_why(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "rxconfig.py").write_text("raise RuntimeError('a broken page')")

    with pytest.raises(NotBuilt, match="a broken page"):
        build(checkout)


def test_the_fingerprint_is_the_same_for_the_same_sources(checkout: Path) -> None:
    assert fingerprint(checkout) == fingerprint(checkout)


def test_the_command_knows_its_words(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert frontend.main(["destroy"]) == 2
