"""What all bodies and lists share: unknown fields are refused, texts hold no controls, pages are bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from pulse_dash.core.clock import in_utc
from pulse_dash.core.names import NAME_LENGTH, has_controls, name_problem
from pulse_dash.core.work import Page, page_of

T = TypeVar("T")
M = TypeVar("M")
# By what words something is found.
Words = Callable[[M], Iterable[str]]


class Body(BaseModel):
    """A request's body: exact types, no field that we do not know."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Answer(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(frozen=True)


def _named(text: str) -> str:
    if problem := name_problem(text):
        raise ValueError(problem)
    return text


def _without_controls(text: str) -> str:
    if has_controls(text):
        raise ValueError("Must not hold control characters.")
    return text


_CONTROLS = r"\u0000-\u001f\u007f-\u009f"
ONE_LINE = f"^[^{_CONTROLS}]*$"
_NOT_BLANK = rf"^[^{_CONTROLS}]*[^\s{_CONTROLS}][^{_CONTROLS}]*$"


def shown(**schema: Any) -> Any:
    """What OpenAPI tells of a field whose rule is kept elsewhere, so that each refusal has one sentence."""
    return Field(json_schema_extra=schema)


Name = Annotated[str, AfterValidator(_named), shown(minLength=1, maxLength=NAME_LENGTH, pattern=_NOT_BLANK)]
"""What people call something: 1 to 128 characters."""

Text = Annotated[str, AfterValidator(_without_controls), shown(pattern=ONE_LINE)]
"""A text on one line."""

Address = Annotated[Text, Field(min_length=1, max_length=2048)]
"""Where something is reached; what may be named there is core's."""


Moment = Annotated[datetime, PlainSerializer(in_utc, return_type=str)]
"""A time as UTC ISO 8601."""


def _parsed(value: object) -> object:
    """Bodies are read strictly, and JSON has no times."""
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError("Must be a time like 2026-01-31T12:00:00Z; in an address a + is written %2B.") from error


def _keepable(moment: datetime) -> datetime:
    """In UTC, in years that every store and calendar knows."""
    if not 1970 <= moment.year < 9999:
        raise ValueError("Must lie between 1970 and 9998.")
    return moment.astimezone(UTC)


GivenMoment = Annotated[AwareDatetime, BeforeValidator(_parsed), AfterValidator(_keepable)]
"""A time that a body gives, UTC or with its offset."""

PageNumber = Annotated[int, Query(ge=1, le=1_000_000, description="Counts from 1.")]
PageLimit = Annotated[int, Query(ge=1, le=100, description="Items a page.")]
Search = Annotated[Text, Query(max_length=128, description="Part of a name, or a whole id.")]


class Listing(Answer, Generic[T]):
    """One page of a list."""

    items: list[T]
    page: int
    limit: int
    total: int


def listed(page: Page[M], items: list[T]) -> Listing[T]:
    """The page with its items as answers."""
    return Listing(items=items, page=page.page, limit=page.limit, total=page.total)


def cut(items: list[M], page: int, limit: int, *, search: str = "", words: Words[M] = lambda _: ()) -> Page[M]:
    """One page of a list that is short enough to be held whole, of those that `search` is part of a word of."""
    if search:
        part = search.casefold()
        items = [each for each in items if any(part in word.casefold() for word in words(each))]
    return page_of(items, page, limit)
