"""What an attack of any length must come to."""

from __future__ import annotations

from matpho.eval.attacker import run
from matpho.eval.attacker_rights import ACTS
from matpho_platform.access.principal import Role


def withstood(calls: int, *, seed: int, jobs: int = 1) -> None:
    """Attack a fresh city; nothing that must not happens, and the rights that people have are used."""
    report = run(calls, seed=seed, jobs=jobs)
    wrong = [*report.unauthorised, *report.unlogged, *report.crashes]
    assert not wrong, wrong[:5]
    assert report.audit_intact
    assert report.calls >= calls
    assert report.turns >= calls // 130
    assert set(report.roles) == {role.value for role in Role}
    assert min(report.roles.values()) > calls // 20
    assert "submit_feedback" in report.acts
    assert len(ACTS & set(report.acts)) >= len(ACTS) - 1  # the rarest of them comes a handful of times in 10,000 calls
