"""Values sealed, masked and gone; and what the code may not be able to do at all."""

from __future__ import annotations

import ast
import logging
from pathlib import Path

import pytest
from tests.platform.identity.checks import ANNA, BAO, NOW, PERSON, approve, new, opened

from matpho_contracts.errors import ConfigurationError, IntegrityError
from matpho_platform.identity import errors
from matpho_platform.identity import service as service_module
from matpho_platform.identity.service import IdentityService
from matpho_platform.store.sealing import Vault


class TestSecrets:
    async def test_nothing_personal_lies_open_in_the_database_or_the_logs(
        self, identity: IdentityService, tmp_path: Path, database: str | None, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        request = await opened(identity, subject=PERSON, fields=("địa chỉ",))
        await approve(identity, request)
        shown = await identity.result(ANNA, request.id, NOW)
        personal = (PERSON.citizen_id, "Phạm Thị Mẫu", "1990-03-02", "giá trị địa chỉ")
        said = caplog.text + repr(shown) + repr(PERSON) + repr(request) + repr(new(subject=PERSON))
        assert not [value for value in personal if value in said]
        if database is None:
            stored = b"".join(path.read_bytes() for path in tmp_path.glob("identity.db*"))
            assert not [value for value in personal if value.encode() in stored]

    async def test_a_list_is_masked(self, identity: IdentityService) -> None:
        await opened(identity, subject=PERSON)
        for who, deciding in ((ANNA, False), (BAO, True)):
            (listed,) = (await identity.list_for(who, NOW, deciding=deciding)).requests
            assert listed.subject == {"citizen_id": "031•••••••42"}

    def test_the_key_file_is_for_one_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "k"
        Vault.load_or_create(path)
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o640)
        with pytest.raises(ConfigurationError):
            Vault.load_or_create(path)

    def test_a_sealed_value_opens_only_where_it_belongs(self, vault: Vault) -> None:
        sealed = vault.seal(b"x", "subject:1")
        assert vault.open(sealed, "subject:1") == b"x"
        for wrong in (sealed[:-1] + bytes([sealed[-1] ^ 1]), b""):
            with pytest.raises(IntegrityError):
                vault.open(wrong, "subject:1")
        with pytest.raises(IntegrityError):
            vault.open(sealed, "subject:2")


class TestTheShape:
    """What the code may not be able to do at all."""

    FOLDER = Path(service_module.__file__).parent

    def test_no_function_takes_several_subjects(self) -> None:
        plural = {"subjects", "plates", "citizen_ids", "persons", "people", "vehicles"}
        for path in self.FOLDER.glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = {node.arg} if isinstance(node, ast.arg) else set()
                names |= (
                    {node.target.id} if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else set()
                )
                assert not names & plural, f"{path.name} takes many at once"

    def test_one_file_alone_opens_connections_and_to_one_address(self) -> None:
        network = {
            "httpx2",
            "httpx",
            "aiohttp",
            "requests",
            "socket",
            "urllib.request",
            "http.client",
            "ssl",
            "psycopg",
        }
        users = set()
        for path in self.FOLDER.glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                users |= {path.name for module in modules if module in network or module.split(".")[0] in network}
        assert users == {"centre_client.py"}
        text = (self.FOLDER / "centre_client.py").read_text(encoding="utf-8")
        assert text.count("self._client.stream(") == 1
        assert "CHECKS_PATH" in text
        assert "follow_redirects=False" in text

    def test_every_denial_has_words_in_both_languages(self) -> None:
        for denied in (errors.no_grant(), errors.own_request(), errors.not_a_party(), errors.expired("IDR-1")):
            assert denied.message_vi
            assert denied.message
            assert denied.message_vi != denied.message
