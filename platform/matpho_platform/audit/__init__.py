"""The audit trail: everything done and seen, tamper-evident."""
