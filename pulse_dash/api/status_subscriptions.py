"""Subscribing to incidents over HTTP. Confirming and ending are pages of their own, behind links."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from pulse_dash.api.bodies import Body, Text
from pulse_dash.api.principals import Anybody
from pulse_dash.core import status_subscriptions
from pulse_dash.core.errors import FieldError, Invalid
from pulse_dash.core.outbound import MOST_CHARACTERS

router = APIRouter(prefix="/v1/status/subscriptions", tags=["status"])


class NewSubscription(Body):
    email: Annotated[Text, Field(max_length=320)] | None = None
    url: Annotated[Text, Field(max_length=MOST_CHARACTERS)] | None = None


@router.post("", status_code=202, summary="Ask to be told of incidents, by mail or by webhook")
async def ask(work: Anybody, body: NewSubscription) -> None:
    match body.email, body.url:
        case str(email), None:
            await status_subscriptions.by_mail(work, email)
        case None, str(url):
            await status_subscriptions.by_webhook(work, url)
        case _:
            raise Invalid(FieldError("email", "Name an email or a url, one of them."))
