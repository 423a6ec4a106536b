"""A Pulse that mails links, and the mailbox that they arrive in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pulse_dash.core import accounts, links, mails
from pulse_dash.services import Services
from tests.doubles import Mailbox
from tests.people import HOSTILE, PASSWORD, Town

ADDRESS = "ada@example.com"
NEW_PASSWORD = "another sentence entirely"


@dataclass
class House:
    """A Pulse that mails, and its mailbox."""

    services: Services
    mailbox: Mailbox

    @property
    def stranger(self) -> Any:
        return Town(self.services).stranger

    async def sign_up(self, email: str = ADDRESS, password: str = PASSWORD) -> accounts.SignedIn:
        made = await accounts.sign_up(
            self.stranger, email=email, password=password, name=f"Ada {HOSTILE}", organization_name="Acme"
        )
        await self.deliver()
        return made

    async def log_in(self, password: str) -> accounts.SignedIn:
        return await accounts.log_in(self.stranger, email=ADDRESS, password=password)

    async def deliver(self) -> None:
        await mails.hand_over(self.services.system("a test"))

    async def proved(self) -> accounts.SignedIn:
        """Somebody who has proved the address."""
        made = await self.sign_up()
        await links.verify(self.stranger, self.mailbox.token_to(ADDRESS))
        return made

    async def reset_token(self) -> str:
        await links.forgot(self.stranger, ADDRESS)
        await self.deliver()
        return self.mailbox.token_to(ADDRESS)
