"""An audit entry as a receiver reads it: CEF or OCSF-like JSON in a syslog line (RFC 5424), framed (RFC 5425)."""

from __future__ import annotations

import json
import re
import socket
from datetime import datetime
from typing import Any, Literal

from matpho_contracts.times import from_rfc3339, now, unix_ms
from matpho_platform.audit.soc.kinds import Kind, kind_of

FACILITY = 13
"""log audit"""
VERSION = "1"
MAX_VALUE = 1_000
_SYSLOG_SEVERITY = ((9, 1), (8, 2), (7, 3), (5, 4), (3, 5), (0, 6))
"""CEF severity at least this: syslog severity (1 alert … 6 informational)."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def syslog(entry: dict[str, Any], index: int | None, style: Literal["cef", "json"], center: str) -> tuple[int, bytes]:
    """The severity (CEF's scale) and the framed line of an entry as its canonical JSON reads; `index` is its place."""
    kind = kind_of(str(entry.get("action", "")), str(entry.get("outcome", "")))
    at = _time(entry.get("at"))
    body = cef(entry, index, kind, at) if style == "cef" else ocsf(entry, index, kind, at)
    level = next(level for least, level in _SYSLOG_SEVERITY if kind.severity >= least)
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    header = f"<{FACILITY * 8 + level}>1 {stamp} {_host()} matpho {_token(center)} {kind.signature_id} -"
    line = f"{header} {body}".encode("utf-8", "replace")
    return kind.severity, str(len(line)).encode() + b" " + line


def _host() -> str:
    return _token(socket.gethostname())


def _token(text: str) -> str:
    return re.sub(r"[^\x21-\x7e]", "-", text)[:48] or "-"


def _time(text: Any) -> datetime:
    try:
        return from_rfc3339(str(text))
    except ValueError:
        return now()


def header_escape(text: str) -> str:
    """A field of CEF's header: backslash and bar escaped, no line breaks."""
    return _flat(text).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def value_escape(text: str) -> str:
    """A value of CEF's extension: backslash, equals sign and line breaks escaped."""
    return _flat(text).replace("\\", "\\\\").replace("=", "\\=").replace("\n", "\\n")


def _flat(text: str) -> str:
    return _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))[:MAX_VALUE]


def cef(entry: dict[str, Any], index: int | None, kind: Kind, at: datetime) -> str:
    """ArcSight's Common Event Format, version 0."""
    fields = {
        "rt": str(unix_ms(at)),
        "externalId": "" if index is None else str(index),
        "suser": _text(entry, "user_id"),
        "spriv": _text(entry, "role"),
        "act": _text(entry, "action"),
        "outcome": _text(entry, "outcome"),
        "reason": _text(entry, "rule"),
        "app": _text(entry, "channel"),
        "src": _text(entry, "device") if _is_address(_text(entry, "device")) else "",
        "cnt": _text(entry, "count"),
        "msg": _text(entry, "message"),
        **_custom("cs1", "decision", _text(entry, "decision")),
        **_custom("cs2", "policies", ",".join(map(str, entry.get("policies", ())))),
        **_custom("cs3", "caseNumber", _text(entry, "case_number")),
        **_custom("cs4", "purpose", _text(entry, "purpose")),
        **_custom("cs5", "session", _text(entry, "session_id")),
        **_custom("cs6", "subject", _text(entry, "subject")),
    }
    header = "|".join(
        header_escape(part)
        for part in ("Matpho", "center", VERSION, str(kind.signature_id), kind.name, str(kind.severity))
    )
    return f"CEF:0|{header}|" + " ".join(f"{name}={value_escape(value)}" for name, value in fields.items() if value)


def _custom(name: str, label: str, value: str) -> dict[str, str]:
    return {f"{name}Label": label, name: value} if value else {}


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return "" if value in (None, "", 0) else str(value)


def _is_address(text: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except (OSError, ValueError):
            continue
        return True
    return False


def ocsf(entry: dict[str, Any], index: int | None, kind: Kind, at: datetime) -> str:
    """A JSON object after the Open Cybersecurity Schema Framework: authentication, account change or API activity."""
    group = kind.signature_id // 100
    uid, category, name = {
        20: (3002, 3, "Authentication"),
        21: (3002, 3, "Authentication"),
        32: (2004, 2, "Detection Finding"),
    }.get(group, (6003, 6, "API Activity"))
    good = entry.get("outcome") in ("answered", "confirm", "clarify", "cancelled", "")
    document = {
        "class_uid": uid,
        "class_name": name,
        "category_uid": category,
        "activity_id": 99,
        "activity_name": str(entry.get("action", "")),
        "type_uid": uid * 100 + 99,
        "time": unix_ms(at),
        "severity_id": _ocsf_severity(kind.severity),
        "status_id": 1 if good else 2,
        "status": str(entry.get("outcome", "")),
        "status_detail": str(entry.get("rule", "")),
        "message": str(entry.get("message", kind.name)),
        "metadata": {
            "version": "1.3.0",
            "product": {"name": "Matpho", "vendor_name": "Matpho"},
            "event_code": str(kind.signature_id),
            "uid": "" if index is None else str(index),
        },
        "actor": {
            "user": {"uid": str(entry.get("user_id", "")), "type": str(entry.get("role", ""))},
            "session": {"uid": str(entry.get("session_id", ""))},
        },
        "api": {"operation": str(entry.get("action", "")), "service": {"name": str(entry.get("channel", ""))}},
        "unmapped": {
            key: entry[key]
            for key in ("decision", "policies", "case_number", "purpose", "subject", "count", "approver", "acting_for")
            if entry.get(key)
        },
    }
    if _is_address(_text(entry, "device")):
        document["src_endpoint"] = {"ip": entry["device"]}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _ocsf_severity(severity: int) -> int:
    """OCSF: 1 informational, 2 low, 3 medium, 4 high, 5 critical."""
    return 1 if severity < 2 else 2 if severity < 5 else 3 if severity < 7 else 4 if severity < 9 else 5
