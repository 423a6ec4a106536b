"""Mails over SMTP (`SMTP_URL`), or without it into an outbox in memory that a developer reads on the same machine.

It knows how a mail travels; when it is tried again is core's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import formatdate, make_msgid
from typing import Any, Final, cast
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
import structlog

from pulse_dash.core.errors import Unavailable
from pulse_dash.core.mail import Mail
from pulse_dash.core.secret import Secret

log = structlog.get_logger(__name__)

SECONDS: Final = 20
_KEPT: Final = 50
_PORTS: Final = {"smtp": 587, "smtps": 465}


class _Whole(UniqueUnstructuredHeader):
    """A header on one line: Python folds a long address by encoding it, and no mail program reads that one back."""

    def fold(self, *, policy: Policy) -> str:
        name: str = cast("Any", self).name  # the registry makes it a header with a name
        return f"{name}: {self}{policy.linesep}"


_REGISTRY: Final = HeaderRegistry()
_REGISTRY.map_to_type("list-unsubscribe", cast("Any", _Whole))
_POLICY: Final = EmailPolicy(header_factory=_REGISTRY)


class BadAddress(ValueError):
    """SMTP_URL is none; the message says what is wrong and holds none of it."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails go and whom they come from; `tls` from the first byte on, else STARTTLS where the server has it."""

    host: str
    port: int
    tls: bool
    sender: str
    user: str | None = None
    password: Secret | None = None

    @classmethod
    def read(cls, url: Secret, *, sender: str) -> Server:
        """`smtp[s]://user:password@host:port?from=address`. Raises BadAddress."""
        parts = urlsplit(url.reveal())
        try:
            port = parts.port or _PORTS[parts.scheme]
        except (KeyError, ValueError):
            raise BadAddress("it begins with smtp:// or smtps:// and names a host and a port") from None
        if not parts.hostname:
            raise BadAddress("it names no host")
        named = parse_qs(parts.query).get("from", [sender])[0]
        password = Secret(unquote(parts.password)) if parts.password else None
        user = unquote(parts.username) if parts.username else None
        return cls(parts.hostname, port, parts.scheme == "smtps", named, user, password)


class SmtpPost:
    """A mail server of the installation's own choosing."""

    delivers = True
    kept = None

    def __init__(self, server: Server) -> None:
        self._server = server

    async def ping(self) -> None:
        """Greet the server and leave. Raises Unavailable."""
        server = self._server
        greeted = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls,
            start_tls=None if not server.tls else False,
            timeout=SECONDS,
        )
        try:
            async with greeted:
                await greeted.noop()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable("mail", f"The mail server does not answer ({type(error).__name__}).") from error

    async def send(self, mail: Mail) -> None:
        server = self._server
        try:
            await aiosmtplib.send(
                message(mail, server.sender),
                hostname=server.host,
                port=server.port,
                use_tls=server.tls,
                start_tls=None if not server.tls else False,
                username=server.user,
                password=server.password.reveal() if server.password else None,
                timeout=SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            # The server's own words may hold the recipient, who is nobody's business but theirs.
            raise Unavailable("mail", f"The mail server did not take a mail ({type(error).__name__}).") from error


class Outbox:
    """Where mails lie when no server was named: in this process, for who develops on this machine."""

    delivers = False

    def __init__(self) -> None:
        self._mails: deque[Mail] = deque(maxlen=_KEPT)

    async def send(self, mail: Mail) -> None:
        self._mails.appendleft(mail)
        log.info("mail.in_the_outbox", subject=mail.subject)

    @property
    def kept(self) -> Sequence[Mail]:
        """The newest first."""
        return tuple(self._mails)


class NoPost:
    """Production without a mail server."""

    delivers = False
    kept = None

    async def send(self, mail: Mail) -> None:
        raise Unavailable("mail", "No mail server is configured. Set SMTP_URL.")


def message(mail: Mail, sender: str) -> EmailMessage:
    """As it goes over the wire; `EmailMessage` refuses line breaks in headers, and text is text."""
    made = EmailMessage(_POLICY)
    made["From"], made["To"], made["Subject"] = sender, mail.to, mail.subject
    made["Date"], made["Message-ID"] = formatdate(usegmt=True), make_msgid(domain=sender.rpartition("@")[2])
    made["Auto-Submitted"] = "auto-generated"
    if mail.unsubscribe:
        made["List-Unsubscribe"] = f"<{mail.unsubscribe}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(mail.text)
    return made
