"""A real SMTP server in the test's process."""

import logging
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import AuthResult, Envelope

logging.getLogger("mail.log").setLevel(logging.WARNING)  # its own lines, which name addresses


@dataclass
class Mailbox:
    """What the server took, and what it says instead of taking a message."""

    taken: list[EmailMessage] = field(default_factory=list)
    says: list[str] = field(default_factory=list)
    of_recipient: str = ""
    login: tuple[bytes, bytes] | None = None

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: Any, session: Any, envelope: Envelope, address: str, options: Any
    ) -> str:
        """Take or refuse a recipient."""
        if self.of_recipient:
            return self.of_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        """Take a message, unless something else is to be said first."""
        if self.says:
            return self.says.pop(0)
        content = cast(bytes, envelope.content)
        message = message_from_bytes(content, policy=default)
        assert [message["To"]] == envelope.rcpt_tos
        self.taken.append(cast(EmailMessage, message))
        return "250 OK"

    def check(self, *args: Any) -> AuthResult:
        """Let in who knows the name and the password."""
        self.login = (args[-1].login, args[-1].password)
        return AuthResult(success=self.login == (b"loopy", b"pa@ss"))
