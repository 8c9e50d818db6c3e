"""Identity checks, and the packages of evidence."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from matpho_platform.store.tables.base import Id, metadata

identity_requests = Table(
    "identity_requests",
    metadata,
    Column("request_id", Id, primary_key=True),
    Column("case_number", String(64), nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("fields", Text, nullable=False),
    Column("subject", LargeBinary),
    Column("requester", Id, nullable=False),
    Column("status", String(10), nullable=False),
    Column("decided_by", Id),
    Column("reason", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("live_key", String(64)),
    Column("check_id", String(32), nullable=False),
    Column("answer", LargeBinary),
    Column("answer_number", String(64), nullable=False),
    Column("problem", String(64), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("anomalous", Boolean, nullable=False),
    Column("request_key", String(200), nullable=False),
    Column("decision_key", String(200)),
    Column("created_ms", BigInteger, nullable=False),
    Column("decided_ms", BigInteger),
    Column("asking_until_ms", BigInteger),
    Column("answered_ms", BigInteger),
    Column("expires_ms", BigInteger, nullable=False),
    Column("erased_ms", BigInteger),
    Index("identity_live", "live_key", unique=True),
    Index("identity_key", "request_key", unique=True),
    Index("identity_requester_time", "requester", "created_ms"),
    Index("identity_status_expiry", "status", "expires_ms"),
)
"""`subject` and `answer` are sealed with the identity key and erased at the end; `live_key` is a keyed hash of subject
and case while a check of them is under way, `content_hash` a keyed hash of all that a decision is about."""

evidence_packages = Table(
    "evidence_packages",
    metadata,
    Column("package_id", Id, primary_key=True),
    Column("case_number", String(64), nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("requester", Id, nullable=False),
    Column("event_ids", Text, nullable=False),
    Column("areas", Text, nullable=False),
    Column("status", String(10), nullable=False),
    Column("request_key", String(200), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("manifest_sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("files", Integer, nullable=False),
    Column("missing", Text, nullable=False),
    Column("audit_index", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    Column("keep_until_ms", BigInteger, nullable=False),
    Index("evidence_key", "request_key", unique=True),
    Index("evidence_case", "case_number", "created_ms"),
)
