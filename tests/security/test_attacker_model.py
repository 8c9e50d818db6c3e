"""The model is the attacker: whatever it calls, nothing happens that was not allowed, agreed to and logged.

20,000 calls in all: half of them here, the other half, in another order, in test_attacker_model_again.
"""

from __future__ import annotations

import pytest
from tests.security.attacks import withstood

from matpho.eval.attacker_arguments import FITTING, Things
from matpho.eval.attacker_city import attacked_city
from matpho.eval.attacker_rights import ACTS, TABLE, Caller, may
from matpho_tools.registry import TOOLS

CALLS = 10_000


@pytest.mark.timeout(900)
def test_ten_thousand_calls_of_all_roles() -> None:
    withstood(CALLS, seed=20261121)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_calls() -> None:
    withstood(100_000, seed=7, jobs=2)


class TestRights:
    def test_the_table_knows_every_tool_and_no_other(self) -> None:
        assert set(TABLE) == set(TOOLS)
        assert {name for name, tool in TOOLS.items() if tool.prepare is not None} == ACTS

    def test_the_attacker_can_call_every_tool_as_it_wants_to_be_called(self) -> None:
        assert FITTING.keys() >= TOOLS.keys()
        things = Things(attacked_city(), 1)
        for name, tool in TOOLS.items():
            tool.arguments.model_validate(FITTING[name](things))

    def test_it_says_no_where_the_contract_does(self) -> None:
        officer = Caller("a", "officer", ("TT-AN",), 0.0)
        assert may(officer, "dispatch_unit", [("TT-AN", "TT")]) == ""
        assert may(officer, "dispatch_unit", [("TT-AN", "TT"), ("TT-BI", "TT")])
        assert may(officer, "dispatch_unit", [()])
        assert may(officer, "export_evidence", [("TT-AN", "TT")])
        assert may(Caller("b", "commander", (), 301.0), "export_evidence")
        assert may(Caller("b", "commander", (), None), "decide_identity_check")
        assert may(Caller("b", "commander", (), 0.0, True, frozenset({"get_event"})), "search_events")
        assert may(Caller("c", "citizen"), "submit_feedback") == ""
