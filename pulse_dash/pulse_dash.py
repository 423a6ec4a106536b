"""The Reflex app: its pages, what stands in every head, and the gate in front of all handlers.

How it is served is told in asgi; what the pages are in pages.
"""

from reflex_components_core.base.error_boundary import error_boundary

from pulse_dash.pages import HEAD, PAGES, STYLESHEETS, broken
from pulse_dash.reflex_seam import PulseApp, note_browser_error, show_error

app = PulseApp(
    stylesheets=list(STYLESHEETS),
    head_components=list(HEAD),
    html_lang="en",
    # Reflex's own boundary shows the stack trace.
    extra_app_wraps={(55, "ErrorBoundary"): lambda _: error_boundary(fallback_render=broken())},
    backend_exception_handler=show_error,
    frontend_exception_handler=note_browser_error,
)
for page in PAGES:
    app.add_page(
        page.content,
        route=page.route,
        title=page.title,
        description=page.description or None,
        on_load=list(page.on_load) or None,
        image="",
    )
app.guard()
