"""An identity service over each database, with a centre that does what a test tells it to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.platform.identity.checks import GRANT, Centre

from matpho_platform.identity.service import IdentityService
from matpho_platform.store import Store, open_store
from matpho_platform.store.sealing import Vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.load_or_create(tmp_path / "identity.key")


@pytest.fixture
async def store(database: str | None, tmp_path: Path, migrated: Path) -> AsyncIterator[Store]:
    path = tmp_path / "identity.db"
    if database is None:
        path.write_bytes(migrated.read_bytes())
    opened = await open_store(database or path)
    yield opened
    await opened.close()


@pytest.fixture
def centre() -> Centre:
    return Centre()


@pytest.fixture
def identity(store: Store, vault: Vault, centre: Centre) -> IdentityService:
    made = IdentityService(store, vault, grant=GRANT)
    made.connect(centre, centre.key.public)
    return made
