"""What can go wrong with the audit trail."""

from __future__ import annotations

from matpho_contracts.errors import IntegrityError


class AuditBrokenError(IntegrityError):
    """The trail is not what was written; nothing that must be audited may run."""

    code = "audit_broken"
    status = 503
