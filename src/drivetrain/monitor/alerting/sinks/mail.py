"""Alerts by e-mail."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from email.message import EmailMessage
from email.utils import formatdate

from drivetrain.core.errors import ProjectError, SinkAway
from drivetrain.core.hashing import digest_bytes
from drivetrain.core.records import Severity
from drivetrain.monitor.alerting.message import Message, paragraphs
from drivetrain.monitor.alerting.secret import hide, require_named, reveal
from drivetrain.monitor.alerting.sinks.sink import PATIENCE, Posted, check_sink, label_of

_SUBJECT = 200


@dataclass(frozen=True, repr=False)
class Email(Posted):
    """Mailboxes that get what happens in one look as one message of plain text, by SMTP.

    Attributes:
        to: Whom to tell: an address, or several.
        host: The mail server.
        sender: Whom it is from.
        port: 587 by convention, where ``security`` is ``starttls``; 465 for ``tls``.
        security: ``starttls``, ``tls``, or ``none`` for a server on this machine: nothing is encrypted then.
        user: Who logs in; nobody by default.
        password: ``env:NAME`` of the variable that holds the password.
        ca: PEM file of the authority that signed the server's certificate; the system's authorities by default.
        least: The lowest severity told.
        timeout: Seconds to wait for each answer.
        name: What it goes by on pages.
        patience: How long a message is tried before it is given up.
    """

    to: str | Sequence[str]
    host: str
    _: KW_ONLY
    sender: str
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password: str = ""
    ca: str = ""
    least: Severity = "warning"
    timeout: float = 10.0
    name: str = ""
    patience: str = PATIENCE

    def __post_init__(self) -> None:
        for address in [*self.addresses, self.sender]:
            if "@" not in address or any(sign.isspace() for sign in address):
                raise ProjectError("not an address of e-mail", found=repr(address), expected="name@example.org")
        if self.security not in {"starttls", "tls", "none"}:
            raise ProjectError(
                "e-mail is secured in no known way", found=repr(self.security), expected="starttls, tls or none"
            )
        if bool(self.user) != bool(self.password):
            raise ProjectError("who logs in to a mail server needs a user and a password")
        if self.password:
            require_named(self.password, "the password of a mail server")
            if self.security == "none":
                raise ProjectError(
                    "a password would be sent to the mail server in the clear", do='Say security="starttls"'
                )
        check_sink(self.least, self.patience)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Whom to tell."""
        return (self.to,) if isinstance(self.to, str) else tuple(self.to)

    @property
    def label(self) -> str:
        """What it goes by."""
        return label_of("e-mail", self.name, ", ".join(self.addresses))

    def send(self, message: Message) -> None:
        """Hands a message to the mail server.

        Raises:
            SinkAway: It is away, is not who it says, does not let us in, or does not take the message for everybody.
        """
        password = reveal(self.password) if self.password else ""
        try:
            with self._connected() as server:
                if self.user:
                    server.login(self.user, password)
                refused = server.send_message(mail_of(message, self.sender, self.addresses))
        except smtplib.SMTPAuthenticationError as error:
            raise SinkAway(
                f"{self.label}: the mail server does not let {self.user} in", found=error.smtp_code
            ) from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            words = hide(str(error), [password])
            raise SinkAway(f"{self.label} can't be told by {self.host}:{self.port}: {words}") from None
        if refused:
            raise SinkAway(f"{self.label}: the mail server takes nothing for {', '.join(refused)}")

    def _connected(self) -> smtplib.SMTP:
        if self.security == "none":
            return smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        trust = ssl.create_default_context(cafile=self.ca or None)
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=trust)
        server = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        try:
            server.starttls(context=trust)
        except BaseException:
            server.close()
            raise
        return server


def mail_of(message: Message, sender: str, to: Sequence[str]) -> EmailMessage:
    """A message as e-mail (RFC 5322); one sent twice has the same Message-ID."""
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.title.split())[:_SUBJECT]
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Date"] = formatdate(localtime=False)
    mail["Message-ID"] = f"<{digest_bytes(message.id.encode())}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.severity == "critical":
        mail["X-Priority"] = "1"
        mail["Importance"] = "high"
    mail.set_content("\n\n".join([*paragraphs(message), f"Objective: {message.objective}"]) + "\n")
    return mail
