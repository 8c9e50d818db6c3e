"""A message in the forms that channels take: plain text, text message, HTML mail, Telegram's HTML. Escaping is here.

Every value is escaped where it enters markup; a form that is too long loses its last lines, never its title, its link
or its answer words.
"""

from __future__ import annotations

import math
from email.message import EmailMessage
from email.utils import formatdate
from html import escape

from matpho_platform.notify.outgoing import Line, Outgoing
from matpho_platform.notify.plain_text import cut, without_marks

GSM_ONE, GSM_MORE = 160, 153
"""Letters of a text message, alone and as a part of a longer one, in plain ASCII (3GPP TS 23.038)."""
UCS_ONE, UCS_MORE = 70, 67
_GSM_DOUBLE = frozenset("[]{}|\\^~")
_PICTURE_ID = "still"
_STYLE = "font-family:sans-serif;font-size:15px;line-height:1.5"


def plain(message: Outgoing, limit: int, *, answers: bool = True) -> str:
    """Title, lines, link and how to answer, in at most `limit` characters."""
    tail = [message.answer_words] if answers and message.answer_words else []
    tail += [message.link] if message.link else []
    return _fitted(message.title, [_plain_line(line) for line in message.lines], tail, limit)


def _plain_line(line: Line) -> str:
    return f"{line.label}: {line.value}" if line.label else line.value


def _fitted(title: str, lines: list[str], tail: list[str], limit: int) -> str:
    kept = list(lines)
    while kept and len("\n".join([title, *kept, *tail])) > limit:
        kept.pop()
    rest = "\n".join([*kept, *tail])
    return cut(title, max(0, limit - len(rest) - bool(rest))) + ("\n" if rest else "") + rest


def text_message(message: Outgoing, *, marks: bool, max_parts: int) -> str:
    """For a telephone: without marks unless `marks`, in at most `max_parts` parts."""
    one, more = (UCS_ONE, UCS_MORE) if marks else (GSM_ONE, GSM_MORE)
    limit = one if max_parts == 1 else more * max_parts
    for size in range(limit, 0, -1):
        text = plain(message, size, answers=False)
        text = text if marks else without_marks(text)
        if _septets(text, marks=marks) <= limit:
            return text
    return ""


def _septets(text: str, *, marks: bool) -> int:
    return len(text.encode("utf-16-be")) // 2 if marks else len(text) + sum(c in _GSM_DOUBLE for c in text)


def parts(text: str) -> int:
    """In how many parts a text message goes out."""
    marks = not text.isascii()
    one, more = (UCS_ONE, UCS_MORE) if marks else (GSM_ONE, GSM_MORE)
    length = _septets(text, marks=marks)
    return 1 if length <= one else math.ceil(length / more)


def telegram_html(message: Outgoing, limit: int) -> str:
    """Telegram's HTML: title bold, outside text in <code>, where nothing becomes a link."""
    lines = [_telegram_line(line) for line in message.lines]
    tail = [f'<a href="{escape(message.link, quote=True)}">{escape(message.link_words)}</a>'] if message.link else []
    kept = list(lines)
    title = f"<b>{escape(message.title)}</b>"
    while kept and len("\n".join([title, *kept, *tail])) > limit:
        kept.pop()
    return "\n".join([title, *kept, *tail])


def _telegram_line(line: Line) -> str:
    value = escape(line.value, quote=False)
    value = f"<code>{value}</code>" if line.quoted else value
    return f"{escape(line.label, quote=False)}: {value}" if line.label else value


def mail(message: Outgoing, sender: str, to: str, message_id: str) -> EmailMessage:
    """A mail in text and HTML, the still inside."""
    made = EmailMessage()
    made["From"], made["To"] = sender, to
    made["Subject"] = message.title
    made["Date"] = formatdate(usegmt=True)
    made["Message-ID"] = message_id
    made["Auto-Submitted"] = "auto-generated"
    if message.critical:
        made["Importance"] = "high"
    made.set_content(plain(message, 20_000, answers=False))
    made.add_alternative(_mail_html(message), subtype="html")
    if message.picture is not None:
        payload = made.get_payload()
        html = payload[1] if isinstance(payload, list) else None
        if isinstance(html, EmailMessage):
            html.add_related(message.picture, "image", "jpeg", cid=f"<{_PICTURE_ID}>", filename="still.jpg")
    return made


def _mail_html(message: Outgoing) -> str:
    rows = "".join(
        f"<tr><th align=left valign=top>{escape(line.label)}</th><td>{_mail_value(line)}</td></tr>"
        for line in message.lines
    )
    picture = f'<p><img src="cid:{_PICTURE_ID}" alt="" style="max-width:100%"></p>' if message.picture else ""
    link = (
        f'<p><a href="{escape(message.link, quote=True)}">{escape(message.link_words)}</a></p>' if message.link else ""
    )
    return (
        f'<!doctype html><html lang="{message.language}"><body style="{_STYLE}">'
        f"<h2>{escape(message.title)}</h2><table cellpadding=4>{rows}</table>{picture}{link}</body></html>"
    )


def _mail_value(line: Line) -> str:
    return f"<code>{escape(line.value)}</code>" if line.quoted else escape(line.value)
