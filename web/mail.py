"""E-mail over SMTP (RFC 5321), from the settings: agents' replies to visitors who have left.

An address of a mail server is a URL: ``smtp://user:password@host:587`` speaks STARTTLS and refuses a server that does
not, ``smtps://host:465`` is encrypted from the start, ``smtp+plain://host:25`` is for a relay on one's own network.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from urllib.parse import unquote, urlsplit

from chatbot.errors import InputError, UnavailableError
from chatbot.settings import Settings

SECONDS = 20.0
PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_URL_REMEDY = "Write smtp://user:password@host:587, smtps://host:465 or smtp+plain://host:25"


class Refused(UnavailableError):
    """The server took the connection and refused the message for good (5yz): trying again changes nothing."""

    code = "mail_refused"


class Unsendable(Exception):
    """It will never be sent: what it is about is gone, or the other side refuses it for good."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes and in whose name. ``scheme`` is one of PORTS."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    sender: str

    @classmethod
    def of(cls, settings: Settings) -> MailServer | None:
        """None where the settings name no server. Raises InputError where they cannot be used."""
        if not settings.smtp_url:
            return None
        split = urlsplit(settings.smtp_url)
        try:
            port = split.port or PORTS.get(split.scheme, 0)
        except ValueError:
            port = 0
        if split.scheme not in PORTS or not split.hostname or not port:
            raise InputError(  # without the value: it may hold the password
                "The mail server's address cannot be used", field="FRONTDESK_SMTP_URL", remedy=_URL_REMEDY
            )
        if "@" not in parseaddr(settings.mail_from)[1]:
            raise InputError(
                "E-mail needs a sender",
                field="FRONTDESK_MAIL_FROM",
                value=settings.mail_from or None,
                remedy="Write name@example.com or Help <help@example.com>",
            )
        return cls(
            split.scheme,
            split.hostname,
            port,
            unquote(split.username or ""),
            unquote(split.password or ""),
            settings.mail_from,
        )

    def send(self, message: EmailMessage) -> None:
        """Raises UnavailableError where the server cannot be reached, Refused where it wants none of it."""
        try:
            with self._connect() as connection:
                if self.user:
                    connection.login(self.user, self.password)
                connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            raise self._failed(code, answer) from error
        except smtplib.SMTPResponseException as error:
            raise self._failed(error.smtp_code, error.smtp_error) from error
        except (OSError, smtplib.SMTPException) as error:
            raise UnavailableError(
                f"The mail server {self.host}:{self.port} does not answer: {error or type(error).__name__}",
                code="mail_unavailable",
            ) from error

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.scheme == "smtps":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=context)
        connection = smtplib.SMTP(self.host, self.port, timeout=SECONDS)
        if self.scheme == "smtp":
            try:
                connection.starttls(context=context)
            except BaseException:
                connection.close()
                raise
        return connection

    @staticmethod
    def _failed(code: int, answer: bytes | str) -> UnavailableError:
        text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        kind = Refused if 500 <= code < 600 else UnavailableError
        return kind(f"The mail server says {code} {text[:200]}")


def mail_server(settings: Settings) -> MailServer:
    """Raises Unsendable where the settings name none, InputError where they cannot be used."""
    server = MailServer.of(settings)
    if server is None:
        raise Unsendable("E-mail is not set up: set FRONTDESK_SMTP_URL and FRONTDESK_MAIL_FROM")
    return server


def compose(server: MailServer, *, to: str, name: str, subject: str, text: str, thread: str) -> EmailMessage:
    """A plain-text message. ``thread`` is the same for all messages of one conversation, so that mail programs keep
    them together (RFC 5322, section 3.6.4). Raises InputError for an address that cannot stand in a header."""
    message = EmailMessage(policy=SMTP)
    domain = parseaddr(server.sender)[1].rpartition("@")[2]
    try:
        message["From"] = server.sender
        message["To"] = Address(_one_line(name), addr_spec=to) if name else to
        message["Subject"] = _one_line(subject)
    except (ValueError, IndexError) as error:
        raise InputError("Not an e-mail address", field="email", value=to) from error
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(domain=domain)
    message["References"] = f"<{thread}@{domain}>"
    message.set_content(text)
    return message


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
