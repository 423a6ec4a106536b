"""A project's own LiveKit and bucket over HTTP: how they are given, what is told of them, and whether they work.

Secrets come in and never go out.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from pulse_dash.api.bodies import Address, Answer, Body, Text
from pulse_dash.api.principals import Caller
from pulse_dash.core import connections
from pulse_dash.core.connections import GivenLiveKit, GivenStorage, Tried
from pulse_dash.core.projects import Project
from pulse_dash.core.secret import Secret

router = APIRouter(prefix="/v1/projects/{project_id}", tags=["projects"])

Credential = Annotated[Text, Field(min_length=1, max_length=512)]


class LiveKitBody(Body):
    """A LiveKit of the project's own; both of its key and secret."""

    url: Address
    api_key: Credential
    api_secret: Credential

    def given(self) -> GivenLiveKit:
        return GivenLiveKit(self.url, self.api_key, Secret(self.api_secret))


class StorageBody(Body):
    """A bucket of the project's own; both of its keys."""

    provider: Literal["s3", "r2"]
    bucket: Text
    endpoint: Address | None = Field(None, description="R2 needs it; S3 has the region's by default.")
    region: Text | None = None
    access_key_id: Credential
    secret_access_key: Credential
    public_url: Address | None = Field(None, description="Where the bucket's files are read by everybody.")

    def given(self) -> GivenStorage:
        return GivenStorage(
            provider=self.provider,
            bucket=self.bucket,
            access_key_id=self.access_key_id,
            secret_access_key=Secret(self.secret_access_key),
            endpoint=self.endpoint,
            region=self.region,
            public_url=self.public_url,
        )


class LiveKitAnswer(Answer):
    """What is told of a project's own LiveKit; `webhook_path` is where it sends its events."""

    id: str
    url: str
    api_key_last4: str
    api_secret_last4: str
    webhook_path: str


class StorageAnswer(Answer):
    """What is told of a project's own bucket."""

    provider: str
    bucket: str
    endpoint: str
    region: str
    public_url: str | None
    access_key_id_last4: str
    secret_access_key_last4: str


class TriedAnswer(Answer):
    """Whether it works, and a sentence that says what to do where it does not."""

    works: bool
    detail: str


@router.post("/livekit/test", summary="Call the project's LiveKit and tell whether it takes the key")
async def try_livekit(work: Caller, project_id: str) -> TriedAnswer:
    return _tried(await connections.try_livekit(work, project_id))


@router.post("/storage/test", summary="Write, read and delete a small object in the project's bucket")
async def try_storage(work: Caller, project_id: str) -> TriedAnswer:
    return _tried(await connections.try_storage(work, project_id))


def livekit_answer(project: Project) -> LiveKitAnswer | None:
    """None on the installation's."""
    own = project.livekit
    if own is None:
        return None
    return LiveKitAnswer(
        id=own.id,
        url=own.url,
        api_key_last4=own.key_hint,
        api_secret_last4=own.secret_hint,
        webhook_path=f"/v1/internal/livekit/webhook/{own.id}",
    )


def storage_answer(project: Project) -> StorageAnswer | None:
    """None in the installation's."""
    own = project.storage
    if own is None:
        return None
    return StorageAnswer(
        provider=own.provider,
        bucket=own.bucket,
        endpoint=own.endpoint,
        region=own.region,
        public_url=own.public_url,
        access_key_id_last4=own.key_hint,
        secret_access_key_last4=own.secret_hint,
    )


def _tried(tried: Tried) -> TriedAnswer:
    return TriedAnswer(works=tried.works, detail=tried.sentence)
