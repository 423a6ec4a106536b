"""The audit log for its readers: newest first, theirs alone. Entries are made beside the changes they tell of."""

from __future__ import annotations

from pulse_dash.core.access import Permission, requires
from pulse_dash.core.actions import ACTIONS
from pulse_dash.core.errors import FieldError, Invalid
from pulse_dash.core.work import Work
from pulse_dash.store.audit_log import AuditEntry as AuditEntry  # noqa: PLC0414 - core hands it on to api and state
from pulse_dash.store.audit_log import AuditPage, Wanted
from pulse_dash.store.paging import Cursor, check_limit


@requires(Permission.VIEW)
async def listing(
    work: Work, *, org_id: str | None = None, action: str | None = None, limit: int = 20, cursor: str | None = None
) -> AuditPage:
    """Entries of one organization, or of all the caller's. The cursor of a page leads to what is older than it,
    whatever came meanwhile. Raises NotFound, Invalid."""
    if org_id is not None:
        await work.store.organizations.get(org_id)
    if action is not None and action not in ACTIONS:
        raise Invalid(FieldError("action", "There is no such action. They are listed in docs/API.md."))
    wanted = Wanted(org_id=org_id, marks=((f"action:{action}",),) if action is not None else ())
    after = Cursor.decode(cursor) if cursor is not None else None
    return await work.store.audit_log.page(wanted, limit=check_limit(limit), after=after)
