"""What a name or another short text of people may hold. One rule for every place where somebody names something."""

from __future__ import annotations

import re

from pulse_dash.core.errors import FieldError

NAME_LENGTH = 128
# Unicode's categories Cc and Cs.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Also those that browsers read as dots of a host.
_JOINED_DOT = re.compile(r"(?<=\w)[.\u3002\uff0e\uff61](?=\w)")
# Letters by Unicode's word, and nothing on the screen: fillers of Hangul, the empty pattern of Braille; and the blank.
_BLANKS = frozenset(" \u115f\u1160\u2800\u3164\uffa0")


def name_problem(text: str, *, most: int = NAME_LENGTH) -> str | None:
    """Why this cannot be a name, as a sentence; None when it can."""
    if not text.strip():
        return "Must not be empty."
    if not any(letter.isprintable() and letter not in _BLANKS for letter in text):
        return "Must hold something that can be seen."
    if len(text) > most:
        return f"Must be at most {most} characters."
    if has_controls(text):
        return "Must not hold control characters."
    return None


def text_errors(*named: tuple[str, str | None], most_bytes: int = 200) -> list[FieldError]:
    """The fields among these that cannot name a room or somebody in it; a None is not looked at."""
    errors: list[FieldError] = []
    for name, text in named:
        if text is None:
            continue
        if has_controls(text):
            errors.append(FieldError(name, "Must not hold control characters."))
        elif len(text.encode()) > most_bytes:
            errors.append(FieldError(name, f"Must be at most {most_bytes} bytes of UTF-8."))
    return errors


def on_one_line(text: str) -> str:
    """The text for a mail's subject: whatever a name holds, it stays one line and no header follows it."""
    return " ".join(_CONTROLS.sub(" ", text).split())[:200]


def in_a_mail(name: str) -> str:
    """The name for the text of a mail. Whoever signs up chooses it and whom it is sent to, so nothing in it is an
    address that mail programs make a link of: those break at its dots and its slashes."""
    return _JOINED_DOT.sub(". ", on_one_line(name).replace("://", ": //"))


def hello(name: str) -> str:
    """How a mail begins."""
    return f"Hello {in_a_mail(name)},\n\n"


def has_controls(text: str) -> bool:
    """Whether the text holds a control character or half of a surrogate pair."""
    # Neither can be printed, and whether a text can is asked in less time than a search takes.
    return not text.isprintable() and _CONTROLS.search(text) is not None


def name_errors(**names: str) -> list[FieldError]:
    """The fields among these that cannot be names."""
    return [FieldError(field, problem) for field, text in names.items() if (problem := name_problem(text))]
