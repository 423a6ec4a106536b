"""What a mail is, and what must be there to send one. How mails are kept and tried again is told by mails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in plain text to one address. Where a request named the address, it says nothing but what that asks for.

    `unsubscribe` is the link that ends such mails, which mail programs show as a button (RFC 8058)."""

    to: str
    subject: str
    text: str
    unsubscribe: str = ""


class Post(Protocol):
    """The way a mail takes."""

    @property
    def delivers(self) -> bool:
        """Whether mails reach people; without it an address can't be proved."""
        ...

    @property
    def kept(self) -> Sequence[Mail] | None:
        """The newest mails, where they lie here instead of being sent; None where they travel."""
        ...

    async def send(self, mail: Mail) -> None:
        """Hand it over. Raises Unavailable when it has to be tried again."""
        ...
