"""A request that is sent again under one `Idempotency-Key` has one effect and one answer, for a day.

It knows callers, routes and answers as data; which requests take a key, and how it comes, is told by the API.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import structlog

from pulse_dash.core.access import KeyActor, UserActor, open_because
from pulse_dash.core.errors import Conflict, FieldError, Invalid, PulseError, Unavailable
from pulse_dash.core.vault import Unreadable
from pulse_dash.core.work import Work
from pulse_dash.store.kept_answers import KeptAnswer

log = structlog.get_logger(__name__)

KEPT = timedelta(hours=24)
SECRETS_KEPT = timedelta(minutes=10)
# Fields of answers that are shown once; a repeated answer has null in their place when their minutes are over.
SECRETS = frozenset({"pulse_api_secret", "secret", "access_token", "refresh_token", "accept_url"})

Answer = dict[str, Any]


class KeyReused(Invalid):
    """The key came with another body before."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            FieldError("Idempotency-Key", "Was sent with another body before. Take a new key for a new request."),
            detail="This Idempotency-Key belongs to another request.",
        )


class InProgress(Conflict):
    """The same request is being done, or was cut off in the middle and nobody knows how far it came."""

    code = "in_progress"
    retry_after = 1

    def __init__(self) -> None:
        super().__init__("The first request with this Idempotency-Key is not answered yet. Ask again in a moment.")


class AnswerUnreadable(Conflict):
    """It was done; the key that encrypted its answer is gone."""

    code = "answer_unreadable"

    def __init__(self) -> None:
        super().__init__("This was done before, but its answer can no longer be read. Look at what is there.")


@dataclass(frozen=True, slots=True)
class Given:
    """An answer, and whether it was given before."""

    answer: Answer
    repeated: bool


@open_because("whether the caller may do it was asked before; here they meet their own requests only")
async def once(work: Work, *, key: str, route: str, body: str, do: Callable[[], Awaitable[Answer]]) -> Given:
    """Do it, unless this caller sent the same under the same key within a day: then answer as at that time.

    What is refused is not kept, and the key is free again. After a crash in the middle it never runs a second time.
    Raises KeyReused, InProgress, AnswerUnreadable, and what `do` raises."""
    answers = work.as_system("answers to requests that come again").store.kept_answers
    caller, now = _caller(work), work.clock.now()
    answer_id = work.parts.vault.request_mac(caller, route, key)
    body_mac = work.parts.vault.request_mac(caller, route, key, body)
    if not await answers.claim(answer_id, body_mac, now=now, until=now + KEPT):
        return Given(_again(work, await answers.find(answer_id), body_mac), repeated=True)
    try:
        answer = await do()
    except PulseError:
        try:
            await answers.release(answer_id)
        except Unavailable:
            answers.release_later(answer_id)
        raise
    plain, secrets = _apart(answer)
    seal = work.parts.vault.sealed
    try:
        await answers.keep(
            answer_id,
            answer=seal(json.dumps(plain).encode()),
            secrets=seal(json.dumps(secrets).encode()),
            secrets_until=work.clock.now() + SECRETS_KEPT,
        )
    except Unavailable:
        # It was done, and its caller hears so; who asks again is told that it is in progress, and nothing runs twice.
        log.warning("idempotency.answer_not_kept", route=route)
    return Given(answer, repeated=False)


@open_because("a job of the house; it reads no answer")
async def forget(work: Work) -> None:
    """Remove what is over: answers after a day, their secrets after ten minutes."""
    await work.store.kept_answers.forget(work.clock.now())


def _caller(work: Work) -> str:
    actor = work.actor
    return actor.id if isinstance(actor, UserActor | KeyActor) else f"address {work.call.ip}"


def _again(work: Work, found: KeptAnswer | None, body_mac: str) -> Answer:
    if found is None:
        # Given up between the claim and this look.
        raise InProgress
    if found.body != body_mac:
        raise KeyReused
    if found.answer is None:
        raise InProgress
    try:
        answer: Answer = json.loads(work.parts.vault.opened(found.answer))
        if found.secrets and found.secrets_until and found.secrets_until > work.clock.now():
            return {**answer, **json.loads(work.parts.vault.opened(found.secrets))}
    except Unreadable as error:
        raise AnswerUnreadable from error
    return answer


def _apart(answer: Answer) -> tuple[Answer, Answer]:
    """The answer without its secrets, and the whole of each field that holds one."""
    plain = _without_secrets(answer)
    return plain, {name: value for name, value in answer.items() if plain[name] != value}


def _without_secrets(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inside = cast("dict[str, Any]", value)
    return {name: None if name in SECRETS else _without_secrets(each) for name, each in inside.items()}
