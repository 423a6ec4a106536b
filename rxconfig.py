"""Reflex's settings, nothing else; where Pulse is reached comes from Pulse's own settings."""

from urllib.parse import urlsplit

import reflex as rx

from pulse_dash.chunks import LibrariesApart
from pulse_dash.settings import read_settings

_settings = read_settings()
_public = urlsplit(_settings.public_url or "http://localhost")

config = rx.Config(
    app_name="pulse_dash",
    backend_port=_settings.port,
    frontend_port=_settings.port,
    # The exact origin: Reflex's default lets every site open a socket with the visitor's cookie, and [] checks nothing.
    cors_allowed_origins=[f"{_public.scheme}://{_public.netloc}"],
    # Reflex's default pickles every State, secrets included, into the working directory.
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    plugins=[LibrariesApart()],
    disable_plugins=[rx.plugins.SitemapPlugin],
    show_built_with_reflex=False,
    telemetry_enabled=False,
)
