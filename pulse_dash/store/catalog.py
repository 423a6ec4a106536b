"""Every collection of Pulse, each declared by the module of its noun; what is not named here is not there."""

from __future__ import annotations

from collections.abc import Mapping

from pulse_dash.store import (
    audit_anchors,
    audit_chain,
    audit_exports,
    audit_log,
    audit_people,
    bans,
    checks,
    incidents,
    invitations,
    kept_answers,
    keys,
    leases,
    mails,
    media_events,
    organizations,
    personal_tokens,
    projects,
    refusals,
    revocations,
    sessions,
    status_deliveries,
    status_subscriptions,
    tallies,
    users,
    webhook_deliveries,
    webhooks,
)
from pulse_dash.store.schema import CollectionSchema, Index

COLLECTIONS: tuple[CollectionSchema, ...] = (
    users.SCHEMA,
    organizations.SCHEMA,
    invitations.SCHEMA,
    projects.SCHEMA,
    keys.SCHEMA,
    sessions.SCHEMA,
    personal_tokens.SCHEMA,
    revocations.SCHEMA,
    refusals.SCHEMA,
    bans.SCHEMA,
    webhooks.SCHEMA,
    webhook_deliveries.SCHEMA,
    audit_log.SCHEMA,
    audit_chain.HEADS,
    audit_chain.CHECKPOINTS,
    audit_anchors.SCHEMA,
    audit_exports.SCHEMA,
    audit_people.SCHEMA,
    CollectionSchema("changes", {"_id": "string", "subject": "string", "at": "date"}, (Index("at", (("at", 1),)),)),
    tallies.SCHEMA,
    checks.SCHEMA,
    incidents.SCHEMA,
    status_subscriptions.SCHEMA,
    status_deliveries.SCHEMA,
    leases.SCHEMA,
    mails.SCHEMA,
    media_events.SCHEMA,
    kept_answers.SCHEMA,
    CollectionSchema("meta", {"_id": "string"}),
)

BY_NAME: Mapping[str, CollectionSchema] = {each.name: each for each in COLLECTIONS}
