"""Mail addresses as text: which can exist, how one is kept, and which only look like another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from email_validator import EmailNotValidError, validate_email

from pulse_dash.core.errors import FieldError, Invalid

LONGEST: Final = 320
# Letters of other scripts that in most typefaces are drawn as a Latin one: a part that holds no others reads as Latin.
_DRAWN_AS_LATIN: Final[Mapping[str, frozenset[str]]] = {
    "CYRILLIC": frozenset("асԁеһіјӏорԛѕԝхуъьҽпгѵѡ"),
    "GREEK": frozenset("αγικνορτυωϲϳ"),
    "ARMENIAN": frozenset("ցհոսօզքգ"),
}


def kept_as(email: str) -> str | None:
    """The address as it is kept, None where it is none; whether it receives mail is not asked here."""
    if len(email) > LONGEST:
        return None
    try:
        return validate_email(email.strip(), check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError:
        return None


def address(email: str, field: str = "email") -> str:
    """The address as it is kept. Raises Invalid, naming the field, for what is none."""
    kept = kept_as(email)
    if kept is None:
        raise Invalid(FieldError(field, "Must be an email address."))
    return kept


def plain_address(email: str, field: str = "email") -> str:
    """The address, where it also reads as what it is. Raises Invalid, naming the field, for one that only looks like
    another.

    Refused are parts whose letters come from several scripts, and, under a domain of Latin letters, parts of another
    script all of whose letters are drawn as Latin ones. An address that is Cyrillic to its end is somebody's own."""
    kept = address(email, field)
    latin_domain = kept.rpartition(".")[2].isascii()
    for part in re.split(r"[@.\-_+]", kept):
        letters = {letter for letter in part if letter.isalpha()}
        scripts = {unicodedata.name(letter, "?").partition(" ")[0] for letter in letters}
        if len(scripts) > 1:
            raise Invalid(FieldError(field, "Mixes letters of several scripts. Write it as its owner does."))
        drawn_as_latin = _DRAWN_AS_LATIN.get(next(iter(scripts), ""), frozenset[str]())
        if latin_domain and letters and letters <= drawn_as_latin:
            script = next(iter(scripts)).capitalize()
            raise Invalid(FieldError(field, f"Looks like Latin letters and is {script}. Write it as its owner does."))
    return kept
