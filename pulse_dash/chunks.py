"""How the built dashboard is cut into files, where Reflex's own cut costs every visitor.

Reflex's state.js calls `eval` by its name, so no name can be shortened in the file it is bundled into. The libraries
that are bundled with it stand in a file of their own here: the first page is 9 kB smaller.
"""

from __future__ import annotations

from typing import Any

from reflex.plugins import Plugin

_CONFIG = "vite.config.js"
_GROUPS = "          groups: ["
_LIBRARIES = r"""
            {
              test: /node_modules\/(@?socket\.io|engine\.io|mergician|universal-cookie|cookie|react-router)/,
              name: "libraries",
            },"""


class LibrariesApart(Plugin):
    """Gives the libraries of Reflex's state.js, and React Router, a file of their own."""

    def pre_compile(self, **context: Any) -> None:
        context["add_modify_task"](_CONFIG, with_libraries_apart)


def with_libraries_apart(config: str) -> str:
    """Vite's configuration with one more group of chunks. Raises RuntimeError when Reflex writes it differently now."""
    if config.count(_GROUPS) != 1:
        raise RuntimeError(f"{_CONFIG} names its groups of chunks differently now: look at what {__name__} does.")
    return config.replace(_GROUPS, _GROUPS + _LIBRARIES)
