"""The pages of the dashboard: at which address, and what each loads. The app is built from these tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pulse_dash.components.document import HEAD, STYLESHEETS, broken
from pulse_dash.pages import (
    account,
    audit,
    dashboard,
    forgot,
    login,
    not_found,
    organizations,
    project,
    projects,
    reset,
    second_factor,
    service_status,
    signup,
    team,
    verify,
)
from pulse_dash.reflex_seam import Page
from pulse_dash.state.account import AccountState
from pulse_dash.state.activity import ActivityState
from pulse_dash.state.audit import AuditState
from pulse_dash.state.audit_anchors import AnchorsState
from pulse_dash.state.bans import BansState
from pulse_dash.state.connections import ConnectionsState
from pulse_dash.state.dashboard import DashboardState
from pulse_dash.state.keys import KeysState
from pulse_dash.state.organizations import OrganizationsState
from pulse_dash.state.passport import PassportState
from pulse_dash.state.project import ProjectState
from pulse_dash.state.projects import ProjectsState
from pulse_dash.state.second_factor import SecondFactorState
from pulse_dash.state.service_projects import ServiceProjectsState
from pulse_dash.state.service_status import ServiceStatusState
from pulse_dash.state.shell import ShellState
from pulse_dash.state.silence import SilenceState
from pulse_dash.state.team import TeamState
from pulse_dash.state.try_it import TryState
from pulse_dash.state.webhooks import WebhooksState


def _inside(route: str, content: Callable[[], Any], *, title: str, on_load: tuple[Any, ...]) -> Page:
    """A private page: the shell around it is read before the page itself, and kept true beside it."""
    return Page(route, content, title=title, on_load=(ShellState.load, ShellState.follow, *on_load))


PAGES: tuple[Page, ...] = (
    Page("/login", login.page, title="Sign in · Pulse", public=True),
    Page("/second-factor", second_factor.page, title="Enter your code · Pulse", public=True),
    Page("/forgot", forgot.page, title="Forgotten password · Pulse", public=True),
    Page("/reset", reset.page, title="New password · Pulse", public=True),
    Page("/verify", verify.page, title="Confirm your address · Pulse", public=True),
    Page("/signup", signup.page, title="Create an account · Pulse", public=True),
    _inside(
        "/",
        dashboard.page,
        title="Dashboard · Pulse",
        on_load=(
            DashboardState.load,
            ActivityState.load,
            DashboardState.follow,
            ActivityState.follow,
            SilenceState.load,
            SilenceState.follow,
        ),
    ),
    _inside(
        "/projects",
        projects.page,
        title="Projects · Pulse",
        on_load=(ProjectsState.load, ProjectsState.follow),
    ),
    _inside(
        "/projects/[project_id]",
        project.page,
        title="Project · Pulse",
        on_load=(
            ProjectState.load,
            ProjectState.follow,
            TryState.load,
            PassportState.load,
            KeysState.load,
            ConnectionsState.load,
            WebhooksState.load,
            BansState.load,
            KeysState.follow,
            WebhooksState.follow,
            BansState.follow,
            SilenceState.load,
            SilenceState.follow,
        ),
    ),
    _inside(
        "/organizations",
        organizations.page,
        title="Organizations · Pulse",
        on_load=(OrganizationsState.load, OrganizationsState.follow),
    ),
    _inside(
        "/audit",
        audit.page,
        title="Audit log · Pulse",
        on_load=(AuditState.load, AuditState.follow, AnchorsState.load, AnchorsState.follow),
    ),
    _inside(
        "/team",
        team.page,
        title="Team · Pulse",
        on_load=(TeamState.load, TeamState.follow),
    ),
    _inside(
        "/service-status",
        service_status.page,
        title="Status · Pulse",
        on_load=(
            ServiceStatusState.load,
            ServiceStatusState.follow,
            ServiceProjectsState.load,
            ServiceProjectsState.follow,
        ),
    ),
    _inside(
        "/account",
        account.page,
        title="Account · Pulse",
        on_load=(
            AccountState.load,
            SecondFactorState.load,
            AccountState.follow,
            SecondFactorState.follow,
        ),
    ),
    Page("404", not_found.page, title="Nothing here · Pulse", public=True),
)

__all__ = ["HEAD", "PAGES", "STYLESHEETS", "broken"]
