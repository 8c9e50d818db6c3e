"""The one schema that every table belongs to, and the column types that they share.

Times are Unix milliseconds UTC. Lists of words sit in one text column as `|word|word|` so that a filter is one LIKE
on rows that an index has already narrowed, and an insert writes one row, not ten.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData, String

metadata = MetaData()

Id = String(64)
Serial = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite clusters a table by its INTEGER PRIMARY KEY."""
