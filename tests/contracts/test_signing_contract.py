"""Signatures: honest batches pass, every altered byte is found, one event stands alone."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matpho_contracts import merkle
from matpho_contracts.errors import BadInputError, ConfigurationError
from matpho_contracts.request_signing import sign_headers, verify_request
from matpho_contracts.signing import (
    BatchHeader,
    SignatureError,
    SigningKey,
    sign_batch,
    verify_batch,
    verify_event,
)
from matpho_contracts.wire import decode_batch, encode_batch

AT = datetime(2026, 11, 21, tzinfo=UTC)
KEY = SigningKey.generate()


def signed(count: int, key: SigningKey = KEY) -> tuple[list[bytes], BatchHeader]:
    events = [f'{{"id":"{i}"}}'.encode() for i in range(count)]
    return events, sign_batch(events, key, edge_id="box-1", incarnation="i1", signed_at=AT)


class TestBatch:
    @given(st.integers(1, 70))
    @settings(max_examples=30, deadline=None)
    def test_each_event_of_a_batch_stands_alone(self, count: int) -> None:
        events, header = signed(count)
        proofs = verify_batch(events, header, KEY.public)
        for raw, proof in zip(events, proofs, strict=True):
            verify_event(raw, proof, KEY.public)
            with pytest.raises(SignatureError):
                verify_event(raw + b" ", proof, KEY.public)

    @given(st.integers(1, 40), st.data())
    @settings(max_examples=60, deadline=None)
    def test_one_flipped_bit_anywhere_is_found(self, count: int, data: st.DataObject) -> None:
        events, header = signed(count)
        proofs = verify_batch(events, header, KEY.public)
        which = data.draw(st.integers(0, count - 1))
        bit = data.draw(st.integers(0, len(events[which]) * 8 - 1))
        altered = bytearray(events[which])
        altered[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(SignatureError):
            verify_event(bytes(altered), proofs[which], KEY.public)
        with pytest.raises(SignatureError):
            verify_batch([*events[:which], bytes(altered), *events[which + 1 :]], header, KEY.public)

    @pytest.mark.parametrize("change", ["drop", "swap", "repeat"])
    def test_events_left_out_swapped_or_repeated_are_found(self, change: str) -> None:
        events, header = signed(4)
        changed = {"drop": events[:3], "swap": [events[1], events[0], *events[2:]], "repeat": [*events, events[0]]}[
            change
        ]
        with pytest.raises(SignatureError):
            verify_batch(changed, header, KEY.public)

    @pytest.mark.parametrize(
        "change",
        [
            {"edge_id": "box-2"},
            {"incarnation": "i2"},
            {"signed_at": datetime(2025, 1, 1, tzinfo=UTC)},
            {"signature": "00" * 64},
        ],
    )
    def test_every_field_of_the_header_is_under_the_signature(self, change: dict[str, object]) -> None:
        events, header = signed(3)
        with pytest.raises(SignatureError):
            verify_batch(events, header.model_copy(update=change), KEY.public)

    def test_another_boxs_key_is_refused(self) -> None:
        events, header = signed(2)
        with pytest.raises(SignatureError, match="another key"):
            verify_batch(events, header, SigningKey.generate().public)

    def test_a_proof_for_one_place_does_not_serve_another(self) -> None:
        events, header = signed(5)
        proofs = verify_batch(events, header, KEY.public)
        with pytest.raises(SignatureError):
            verify_event(events[0], proofs[1], KEY.public)
        with pytest.raises(SignatureError):
            verify_event(events[0], proofs[0].model_copy(update={"path": proofs[0].path[:-1]}), KEY.public)


class TestMerkle:
    def test_the_empty_tree_and_known_roots(self) -> None:
        # RFC 6962 2.1: the hash of an empty list is the hash of an empty string.
        assert merkle.root_hash([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        assert merkle.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"

    @given(st.integers(1, 130))
    @settings(max_examples=40, deadline=None)
    def test_proofs_made_two_ways_agree(self, size: int) -> None:
        leaves = [merkle.leaf_hash(str(i).encode()) for i in range(size)]
        root, paths = merkle.inclusion_proofs(leaves)
        assert root == merkle.root_hash(leaves)
        for index, path in enumerate(paths):
            assert path == merkle.inclusion_proof(leaves, index)
            assert merkle.root_from_inclusion(leaves[index], index, size, path) == root


class TestKeyFile:
    def test_a_key_is_made_once_and_only_its_owner_reads_it(self, tmp_path: Path) -> None:
        path = tmp_path / "keys" / "box.pem"
        first = SigningKey.load_or_create(path)
        assert SigningKey.load_or_create(path).public.key_id == first.public.key_id
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_broken_key_file_is_said_plainly(self, tmp_path: Path) -> None:
        path = tmp_path / "box.pem"
        path.write_text("no key")
        with pytest.raises(ConfigurationError, match=r"box\.pem"):
            SigningKey.load_or_create(path)


class TestWire:
    def test_a_batch_travels_byte_for_byte(self) -> None:
        import hashlib

        events, header = signed(3)
        still = b"\xff\xd8 picture"
        batch = decode_batch(encode_batch(header, events, {hashlib.sha256(still).hexdigest(): still}))
        assert list(batch.events) == events
        assert batch.header == header
        assert list(batch.stills.values()) == [still]

    def test_a_still_that_is_not_what_its_digest_says_is_refused(self) -> None:
        events, header = signed(1)
        with pytest.raises(BadInputError, match="still"):
            decode_batch(encode_batch(header, events, {"0" * 64: b"picture"}))

    @pytest.mark.parametrize("body", [b"", b"\n", b"{}\n", b"\xff\xfe\n", b"[" * 100_000])
    def test_rubbish_is_refused(self, body: bytes) -> None:
        with pytest.raises(BadInputError):
            decode_batch(body)

    def test_a_cut_body_is_refused(self) -> None:
        events, header = signed(3)
        body = encode_batch(header, events, {})
        with pytest.raises(BadInputError, match="announces 3"):
            decode_batch(body[: body.index(events[1])])


class TestRequests:
    target = "/api/v1/edges/box-1/commands?wait=25"

    def test_a_signed_request_names_its_key_and_nonce(self) -> None:
        headers = sign_headers(KEY, "POST", self.target, b"{}")
        verified = verify_request("POST", self.target, headers, b"{}", lambda _: KEY.public)
        assert verified.key_id == KEY.public.key_id
        assert verified.nonce

    @pytest.mark.parametrize(
        ("method", "target", "body"),
        [
            ("GET", target, b"{}"),
            ("POST", target.replace("box-1", "box-2"), b"{}"),
            ("POST", target.replace("25", "24"), b"{}"),
            ("POST", target, b"{} "),
        ],
    )
    def test_an_altered_request_is_refused(self, method: str, target: str, body: bytes) -> None:
        headers = sign_headers(KEY, "POST", self.target, b"{}")
        with pytest.raises(SignatureError):
            verify_request(method, target, headers, body, lambda _: KEY.public)

    def test_unsigned_and_unknown_are_refused(self) -> None:
        with pytest.raises(SignatureError):
            verify_request("GET", self.target, {}, b"", lambda _: KEY.public)
        with pytest.raises(SignatureError):
            verify_request("GET", self.target, sign_headers(KEY, "GET", self.target), b"", lambda _: None)
        other = SigningKey.generate().public
        with pytest.raises(SignatureError):
            verify_request("GET", self.target, sign_headers(KEY, "GET", self.target), b"", lambda _: other)
