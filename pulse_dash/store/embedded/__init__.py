"""The embedded engine: documents and ordered indexes in one SQLite file, asked as MongoDB is asked."""

from pulse_dash.store.embedded.engine import EmbeddedEngine as EmbeddedEngine
