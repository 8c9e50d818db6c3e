"""Tells a report that was sent twice (an impatient finger, a lost answer) from two reports."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import datetime, timedelta

from matpho_contracts.times import unix_ms
from matpho_platform.feedback.schemas import Report

SPAN = timedelta(minutes=10)
"""The same words, place and photos of one account within this long are one report."""


class Once:
    """Names reports by what they say and whose they are."""

    def __init__(self) -> None:
        self._unlinkable = secrets.token_bytes(32)
        """Never kept: what is stored of an anonymous report must not tell whose it is, not even by trying accounts."""

    def keys(self, user_id: str, report: Report, at: datetime) -> tuple[str, str]:
        """The report's key in the span of `at`, and the one that it would have had in the span before."""
        said = report.model_dump(mode="json", exclude={"photos"})
        photos = [hashlib.sha256(photo).hexdigest() for photo in report.photos]
        words = json.dumps([user_id, said, photos], sort_keys=True).encode()
        secret = self._unlinkable if report.anonymous else b""
        span = unix_ms(at) // (SPAN // timedelta(milliseconds=1))
        now, before = (hashlib.blake2b(b"%d %b" % (n, words), key=secret, digest_size=32) for n in (span, span - 1))
        return now.hexdigest(), before.hexdigest()
