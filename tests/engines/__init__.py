"""The real programs that tests run against: how each is started on ports of its own, awaited and ended."""
