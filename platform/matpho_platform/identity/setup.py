"""Identity checks of a center, put together from its settings."""

from __future__ import annotations

import asyncio
from pathlib import Path

from matpho_contracts.signing import PublicKey, SigningKey
from matpho_platform.identity.centre_client import CentreClient
from matpho_platform.identity.schemas import IdentitySettings
from matpho_platform.identity.service import IdentityService
from matpho_platform.store.engine import Store
from matpho_platform.store.sealing import Vault


async def open_identity(settings: IdentitySettings, store: Store, key: SigningKey, folder: Path) -> IdentityService:
    """The service, with its sealing key in `folder`; connected where the settings name a centre.

    Raises ConfigurationError for a key file or an address that cannot be.
    """
    vault = await asyncio.to_thread(Vault.load_or_create, folder / "identity.key")
    service = IdentityService(store, vault, grant=settings.grant)
    if settings.centre is not None:
        client = CentreClient(settings.centre.url, key, timeout_s=settings.centre.timeout_s)
        service.connect(client, PublicKey.from_hex(settings.centre.public_key))
    return service
