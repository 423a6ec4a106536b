"""The links from a page's title into the documentation lead to a section that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pulse_dash.api import docs

PAGES = Path(__file__).resolve().parents[2] / "pulse_dash" / "pages"
LINKS = sorted({link for page in PAGES.glob("*.py") for link in re.findall(r'docs="([^"]+)"', page.read_text("utf-8"))})


def test_pages_lead_into_the_docs() -> None:
    assert "api#projects-and-keys" in LINKS


@pytest.mark.parametrize("link", LINKS)
async def test_a_link_into_the_docs_meets_its_section(link: str) -> None:
    name, _, section = link.partition("#")
    answer = await docs.page(name)

    assert answer.status_code == 200
    assert not section or f'id="{section}"' in bytes(answer.body).decode()
