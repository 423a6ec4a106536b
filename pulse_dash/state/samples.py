"""The same request in curl, Python and JavaScript, with values quoted for the language they stand in."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass

LANGUAGES = (("curl", "curl"), ("python", "Python"), ("javascript", "JS"))

# What the page paints: our addresses and calls as names, keys and settings as values.
_PAINTED = re.compile(r"(?P<name>https?://[^\s\"']+|/v1/[a-z/]+)|(?P<value>pulse_key_\w+|\$?PULSE_SECRET)")


@dataclass(frozen=True)
class Piece:
    """A stretch of code of one colour."""

    text: str
    kind: str


@dataclass(frozen=True)
class Sample:
    """One language's text, to copy, and its pieces, to read."""

    language: str
    label: str
    text: str
    pieces: list[Piece]


def minting(*, address: str, public: str, room: str, identity: str) -> list[Sample]:
    """How a server asks for a token; the secret is never in it, it comes from the environment."""
    body = {"room": room, "identity": identity}
    texts = {
        "curl": (
            f"curl {shlex.quote(address + '/v1/tokens/create')} \\\n"
            f'  -H "X-Pulse-Key: {public}" \\\n'
            f'  -H "X-Pulse-Secret: $PULSE_SECRET" \\\n'
            f"  -d {shlex.quote(json.dumps(body, ensure_ascii=False))}"
        ),
        "python": (
            "import os, httpx\n\n"
            "answer = httpx.post(\n"
            f"    {json.dumps(address + '/v1/tokens/create')},\n"
            "    headers={\n"
            f'        "X-Pulse-Key": {json.dumps(public)},\n'
            '        "X-Pulse-Secret": os.environ["PULSE_SECRET"],\n'
            "    },\n"
            f"    json={json.dumps(body, ensure_ascii=True)},\n"
            ")\n"
            'token = answer.raise_for_status().json()["token"]'
        ),
        "javascript": (
            f"const answer = await fetch({json.dumps(address + '/v1/tokens/create')}, {{\n"
            '  method: "POST",\n'
            "  headers: {\n"
            f'    "X-Pulse-Key": {json.dumps(public)},\n'
            '    "X-Pulse-Secret": process.env.PULSE_SECRET,\n'
            "  },\n"
            f"  body: JSON.stringify({json.dumps(body, ensure_ascii=True)}),\n"
            "});\n"
            "const { token, url } = await answer.json();"
        ),
    }
    return [_sample(language, word, texts[language]) for language, word in LANGUAGES]


def _sample(language: str, word: str, text: str) -> Sample:
    pieces, at = [], 0
    for found in _PAINTED.finditer(text):
        if found.start() > at:
            pieces.append(Piece(text[at : found.start()], ""))
        pieces.append(Piece(found.group(), found.lastgroup or ""))
        at = found.end()
    pieces.append(Piece(text[at:], ""))
    return Sample(language, f"Mint a token with {word}", text, pieces)
