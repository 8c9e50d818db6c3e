"""Notices, the messages that carry them, how people want to be reached, and what came in from chats."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, SmallInteger, String, Table, Text, text

from matpho_platform.store.tables.base import Id, metadata

_WAITS = text("due_ms IS NOT NULL")
_UNREACHED = text("reached_ms IS NULL AND ended_ms IS NULL")

notices = Table(
    "notices",
    metadata,
    Column("notice_id", String(36), primary_key=True),
    Column("key", String(200), nullable=False),
    Column("user_id", Id, nullable=False),
    Column("role", String(16), nullable=False),
    Column("post_area", Id, nullable=False),
    Column("template", String(32), nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("alert", Boolean, nullable=False),
    Column("subject", Id, nullable=False),
    Column("camera_id", Id, nullable=False),
    Column("area", Id, nullable=False),
    Column("document", Text, nullable=False),
    Column("promised_ms", BigInteger, nullable=False),
    Column("owed_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger),
    Column("round", Integer, nullable=False),
    Column("reached_ms", BigInteger),
    Column("delivered_ms", BigInteger),
    Column("seen_ms", BigInteger),
    Column("acted_ms", BigInteger),
    Column("acted_by", Id),
    Column("ended_ms", BigInteger),
    Column("missed_ms", BigInteger),
    Index("notices_key", "key", unique=True),
    Index("notices_due", "due_ms", sqlite_where=_WAITS, postgresql_where=_WAITS),
    Index("notices_unreached", "owed_ms", sqlite_where=_UNREACHED, postgresql_where=_UNREACHED),
    Index("notices_subject", "subject", "promised_ms"),
)
"""`user_id`, or `role` and `post_area`, says who is to get it. `due_ms`: when the router looks at it (again), null when
nothing is left to do. `owed_ms`: from when on it should reach somebody (later than promised in quiet hours).
`missed_ms`: when it was noticed, and logged, that it had reached nobody."""

notice_messages = Table(
    "notice_messages",
    metadata,
    Column("message_id", String(36), primary_key=True),
    Column("key", String(220), nullable=False),
    Column("token", String(16), nullable=False),
    Column("user_id", Id, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("critical", Boolean, nullable=False),
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_ms", BigInteger),
    Column("claim", String(32)),
    Column("created_ms", BigInteger, nullable=False),
    Column("tried_ms", BigInteger),
    Column("sent_ms", BigInteger),
    Column("delivered_ms", BigInteger),
    Column("seen_ms", BigInteger),
    Column("foreign_id", String(200)),
    Column("error", String(64), nullable=False),
    Index("notice_messages_key", "key", unique=True),
    Index("notice_messages_token", "token", unique=True),
    Index("notice_messages_due", "channel", "due_ms", sqlite_where=_WAITS, postgresql_where=_WAITS),
    Index("notice_messages_person", "user_id", "channel", "created_ms"),
    Index("notice_messages_foreign", "channel", "foreign_id"),
)
"""One message to one person over one channel; `key` is its idempotency key, `token` names it in buttons and links.
While `state` is `sending`, `due_ms` is when the claim lapses."""

notice_contents = Table(
    "notice_contents",
    metadata,
    Column("message_id", String(36), primary_key=True),
    Column("notice_id", String(36), primary_key=True),
    Column("round", Integer, nullable=False),
    Index("notice_contents_notice", "notice_id"),
)
"""Which notices a message tells of: one, or many where they were grouped. `round` is the notice's of then."""

notify_people = Table(
    "notify_people",
    metadata,
    Column("user_id", Id, primary_key=True),
    Column("language", String(2), nullable=False),
    Column("channels", Text, nullable=False),
    Column("quiet_from", Integer),
    Column("quiet_to", Integer),
    Column("changed_ms", BigInteger, nullable=False),
)
"""How a person wants to be reached: channels in their order (JSON); quiet hours in minutes of the local day."""

notify_addresses = Table(
    "notify_addresses",
    metadata,
    Column("address_id", String(36), primary_key=True),
    Column("user_id", Id, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("mark", String(64), nullable=False),
    Column("owner", String(80)),
    Column("origin", String(12), nullable=False),
    Column("verified_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    Column("dead_ms", BigInteger),
    Index("notify_addresses_one", "user_id", "channel", "mark", unique=True),
    Index("notify_addresses_owner", "owner", unique=True),
)
"""`sealed` opens with the key beside the database; `mark` is a keyed hash of the address. `owner` is
`channel:mark` of a chat account, which can be one person's only."""

notify_mutes = Table(
    "notify_mutes",
    metadata,
    Column("user_id", Id, primary_key=True),
    Column("subject", Id, primary_key=True),
    Column("until_ms", BigInteger, nullable=False),
)
"""What somebody put off: their notices about a subject wait until then, critical ones excepted."""

notify_updates = Table(
    "notify_updates",
    metadata,
    Column("channel", String(16), primary_key=True),
    Column("update_id", String(128), primary_key=True),
    Column("received_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("body", LargeBinary),
    Column("outcome", String(24), nullable=False),
    Index("notify_updates_due", "due_ms", sqlite_where=_WAITS, postgresql_where=_WAITS),
)
"""Every update of a chat platform, once for ever; `body` is sealed, and emptied when the update is done with."""

notify_tokens = Table(
    "notify_tokens",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)
"""Access tokens that rotate (Zalo OA), sealed."""
