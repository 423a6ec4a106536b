"""Regions as `REGIONS` names them: what cannot be read stops the start with words that hold no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pulse_dash.core import regions
from pulse_dash.settings import SettingsError, load_settings

OWN = {"name": "eu-west", "url": "wss://eu.example.com", "key": "eukey", "secret": "a-secret-of-eu-west-that-is-long"}


def test_without_a_word_there_are_three_on_the_installations_livekit() -> None:
    assert [(each.name, each.url) for each in regions.read("")] == [(name, "") for name in regions.DEFAULT]


def test_a_list_and_a_file_say_the_same(tmp_path: Path) -> None:
    text = json.dumps([{"name": "home"}, OWN])
    file = tmp_path / "regions.json"
    file.write_text(text)

    found = regions.read(text)
    assert [each.name for each in found] == ["home", "eu-west"]
    assert (found[1].url, found[1].api_key, found[1].api_secret.reveal()) == (OWN["url"], OWN["key"], OWN["secret"])
    assert [each.name for each in regions.read(str(file))] == ["home", "eu-west"]


@pytest.mark.parametrize(
    "listed",
    [
        [],
        {},
        ["eu-west"],
        [{"name": ""}],
        [{"name": "EU West"}],
        [{"name": "eu"}, {"name": "eu"}],
        [OWN, {**OWN, "name": "eu-east"}],
        [{**OWN, "colour": "red"}],
        [{**OWN, "url": "eu.example.com"}],
        [{"name": "eu", "secret": OWN["secret"]}],
        [{**OWN, "key": 1}],
    ],
)
def test_what_is_no_list_of_regions_stops_the_start_and_tells_no_secret(
    listed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="REGIONS is not usable") as refused:
        load_settings(pulse_data_dir=tmp_path / "data", regions=json.dumps(listed))

    assert OWN["secret"] not in str(refused.value)


def test_a_region_with_the_key_of_the_livekit_of_all_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="eu-west in REGIONS has the LIVEKIT_API_KEY"):
        load_settings(pulse_data_dir=tmp_path / "data", regions=json.dumps([{**OWN, "key": "devkey"}]))


def test_neither_text_nor_a_file_that_is_not_there_stops_with_a_sentence() -> None:
    for text in ("[", "/nowhere/regions.json"):
        with pytest.raises(ValueError, match="it is"):
            regions.read(text)


def test_production_refuses_a_short_secret_of_a_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    strong = {name: f"{name}-0123456789-abcdefghij-KLMNOP" for name in ("jwt_secret", "api_key_pepper")}
    with pytest.raises(SettingsError, match="REGIONS is too short"):
        load_settings(
            pulse_env="production",
            public_url="https://pulse.example.com",
            encryption_keys="encryption-0123456789-abcdefghij-KL",
            regions=json.dumps([{**OWN, "secret": "short"}]),
            **strong,
        )
