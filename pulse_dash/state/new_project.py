"""The New project dialog, which stands on two pages."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.core import projects
from pulse_dash.core.errors import Conflict, Forbidden, Invalid, LimitExceeded
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.dialogs import DialogState
from pulse_dash.state.forms import text
from pulse_dash.state.secret import SecretState
from pulse_dash.state.shell import ShellState

# The dialog's id, by which whoever offers it opens it.
NEW_PROJECT = "new-project"


class NewProjectState(DialogState, PulseState):
    """What was refused of the last try; `changes` counts up when a project was made, which closes the dialog."""

    @rx.event
    async def create(self, form_data: dict[str, Any]) -> object:
        """Make the project, and go to where its secret is shown this once."""
        shell = await self.get_state(ShellState)
        try:
            created = await projects.create(
                await self._work(),
                org_id=shell._organization_id,
                name=text(form_data, "name"),
                region=text(form_data, "region") or None,
            )
        except (Invalid, Conflict, Forbidden, LimitExceeded) as refused:
            self.errors = self._sentences(refused)
            return None
        self.errors = {}
        self.changes += 1
        secret = await self.get_state(SecretState)
        secret._show(created.key, arriving=True)
        return [rx.redirect(f"/projects/{created.project.id}"), SecretState.fade]
