"""E-mail through a submission server. A bounce comes back as mail, which nobody here reads: no receipts."""

from __future__ import annotations

import hashlib

import aiosmtplib

from matpho_platform.notify.errors import RefusedError, SendError
from matpho_platform.notify.formats import mail
from matpho_platform.notify.outgoing import Outgoing, Taken
from matpho_platform.notify.schemas import Channel
from matpho_platform.notify.settings import EmailSettings

TIMEOUT_S = 10.0
_PERMANENT = 500


class EmailSender:
    """One submission server; a connection for each mail."""

    channel = Channel.EMAIL
    takes_pictures = True

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings

    async def send(self, address: str, message: Outgoing) -> Taken:
        """The Message-ID is made of the idempotency key: mail stores show a second copy as the same mail."""
        settings = self._settings
        message_id = self.message_id(message.key)
        letter = mail(message, settings.sender, address, message_id)
        try:
            await aiosmtplib.send(
                letter,
                sender=settings.sender,
                recipients=[address],
                hostname=settings.host,
                port=settings.port,
                username=settings.username or None,
                password=settings.password.get_secret_value() if settings.password else None,
                use_tls=settings.security == "tls",
                start_tls=settings.security == "starttls",
                timeout=TIMEOUT_S,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [one.code for one in error.recipients]
            if codes and min(codes) >= _PERMANENT:
                raise RefusedError(f"SMTP {codes[0]}", address_dead=True) from None
            raise SendError("SMTP refuses the recipient for now") from None
        except aiosmtplib.SMTPResponseException as error:
            if error.code >= _PERMANENT and not isinstance(error, aiosmtplib.SMTPAuthenticationError):
                raise RefusedError(f"SMTP {error.code}") from None
            raise SendError(f"SMTP {error.code}") from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            raise SendError(type(error).__name__) from None
        return Taken(message_id)

    def message_id(self, key: str) -> str:
        """The Message-ID of an idempotency key."""
        domain = self._settings.sender.partition("@")[2]
        return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}>"

    async def close(self) -> None:
        """Nothing is kept open."""
