"""Procedures as incidents run by them: kept by the hash of their text, so that a change never touches a running one."""

from __future__ import annotations

import hashlib

from sqlalchemy import RowMapping, insert, select

from matpho_platform.incidents.procedure import Procedure
from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import procedure_versions

_KEPT = 256
_parsed: dict[str, Procedure] = {}
"""Versions that stay parsed; a digest means the same text in every database."""


async def keep(session: WriteSession, procedure: Procedure) -> str:
    """Store a version if it is new; returns its digest. Hold the lock of opening."""
    document = procedure.model_dump_json()
    digest = hashlib.sha256(document.encode()).hexdigest()
    known = select(procedure_versions.c.digest).where(procedure_versions.c.digest == digest)
    if await session.scalar(known) is None:
        row = {"digest": digest, "procedure_id": procedure.id, "document": document}
        await session.run(insert(procedure_versions).values(**row))
    return digest


async def of_incident(session: ReadSession, incident: RowMapping) -> Procedure | None:
    """The procedure that an incident runs by; None without one."""
    digest = incident["version"]
    if digest is None:
        return None
    if digest not in _parsed:
        query = select(procedure_versions.c.document).where(procedure_versions.c.digest == digest)
        document = await session.scalar(query)
        if document is None:
            return None
        if len(_parsed) >= _KEPT:
            _parsed.clear()
        _parsed[digest] = Procedure.model_validate_json(document)
    return _parsed[digest]
