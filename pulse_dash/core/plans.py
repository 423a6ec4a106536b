"""The plans of organizations, and settings that differ between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PLANS: Final = ("free", "pro", "enterprise")
LEAST_DAYS: Final = 30
MOST_DAYS: Final = 36_500


def days_by_plan(text: str) -> dict[str, int]:
    """Days as a setting writes them: one number for every plan, or `plan=days` for some, comma separated, with one
    number for the rest. Raises ValueError."""
    found: dict[str, int] = {}
    for part in text.split(","):
        plan, _, days = part.rpartition("=")
        plan, days = plan.strip(), days.strip()
        named = (plan,) if plan else tuple(each for each in PLANS if f"{each}=" not in text.replace(" ", ""))
        if not set(named) <= set(PLANS) or not days.isdecimal() or not LEAST_DAYS <= int(days) <= MOST_DAYS:
            raise ValueError(f"it is a number of days, {LEAST_DAYS} or more, or plan=days of {', '.join(PLANS)}")
        found |= dict.fromkeys(named, int(days))
    if set(found) != set(PLANS):
        raise ValueError("some plan has no number of days")
    return found


def longest(days: Mapping[str, int]) -> int:
    """For what belongs to no plan."""
    return max(days.values())
