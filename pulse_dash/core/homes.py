"""Where the entries about a person's own account are kept: in the log of an organization that they belong to.

Whoever was removed from one writes nothing into its log any more, and whoever reads it learns nothing more of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from pulse_dash.core.access import open_because
from pulse_dash.core.work import Work
from pulse_dash.store.organizations import Organization
from pulse_dash.store.users import User


@open_because("it says where an entry about an account is kept, to whoever makes the entry")
async def of(work: Work, user: User) -> str | None:
    """The organization in whose log it stands; None where they belong to none: then in the installation's chain."""
    system = work.as_system("where an entry about an account is kept")
    home = among(user, await system.store.organizations.of_member(user.id))
    return home.id if home is not None else None


@open_because("it only chooses among what it is given")
def among(user: User, theirs: Sequence[Organization]) -> Organization | None:
    """Of the organizations that they belong to, oldest first, the one where they worked last, else the first."""
    last = next((each for each in theirs if each.id == user.last_organization_id), None)
    return last or (theirs[0] if theirs else None)
