"""Who a notice is for, as accounts are at this moment."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import RowMapping, select

from matpho_platform.access.principal import PROVINCE_WIDE, Role
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.store.session import ReadSession
from matpho_platform.store.tables import accounts

MAX_POST = 200
"""People of a post; an installation with more has posts that are too wide."""


async def resolve(session: ReadSession, areas: AreaTree, rows: Sequence[RowMapping]) -> dict[str, Sequence[str]]:
    """The accounts that some notices are for, by notice; nobody whose account is shut.

    A post is everybody of its role whose areas hold the post's, or everybody of a role that is bound to no areas.
    """
    named = {row["user_id"] for row in rows if row["user_id"]}
    roles = {row["role"] for row in rows if row["role"]}
    open_ = accounts.c.disabled.is_(False)
    people = await session.all(select(accounts.c.user_id).where(accounts.c.user_id.in_(named), open_)) if named else ()
    known = {row["user_id"] for row in people}
    staff = await session.all(select(accounts).where(accounts.c.role.in_(roles), open_)) if roles else ()
    found: dict[str, Sequence[str]] = {}
    for row in rows:
        if row["user_id"]:
            found[row["notice_id"]] = (row["user_id"],) if row["user_id"] in known else ()
        else:
            lineage = set(areas.lineage(row["post_area"])) if row["post_area"] else set()
            fitting = [one["user_id"] for one in staff if one["role"] == row["role"] and _answers_for(one, lineage)]
            found[row["notice_id"]] = sorted(fitting)[:MAX_POST]
    return found


def _answers_for(account: RowMapping, lineage: set[str]) -> bool:
    if Role(account["role"]) in PROVINCE_WIDE and not json.loads(account["areas"]):
        return True
    return not lineage or bool(lineage & set(json.loads(account["areas"])))
