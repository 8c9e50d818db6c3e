"""A package on disk: the manifest that is signed, and the archive that appears whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from matpho_platform.evidence import verifier
from matpho_platform.store.errors import storage_full, translated

Content = bytes | Path
PART_AGE_S = 3600.0
README = """GÓI BẰNG CHỨNG / EVIDENCE PACKAGE {id}

Hồ sơ / Case: {case_number}
Mục đích / Purpose: {purpose}
Người xuất / Exported by: {exported_by}
Lúc / At: {exported_at}

Trong gói có: sự kiện nguyên bản do hộp biên ký (events/*.json) cùng bằng chứng chữ ký, ảnh tĩnh (stills/),
đoạn ghi hình nếu lấy được (clips/), bản kê đã ký (manifest.json, manifest.sig) và bằng chứng nhật ký kiểm toán
(audit/). Phần nào không lấy được đều ghi rõ trong bản kê, mục "missing".
Kiểm tra không cần mạng, chỉ cần Python 3.11 trở lên:
    python3 verify.py {id}.zip --key <khóa công khai của trung tâm>
Nên lấy verify.py và khóa công khai từ trung tâm hoặc kiểm toán viên, không lấy từ gói đang nghi ngờ.
Chuỗi lưu giữ bắt đầu ở đâu: sự kiện và ảnh tĩnh: từ hộp biên đã ký ("edge"); đoạn ghi hình: từ lúc trung tâm nhận
("center"), camera và hộp biên không ký đoạn ghi hình.

Inside: the events as their box signed them (events/*.json) with their proofs, stills (stills/), clips where they could
be had (clips/), the signed manifest (manifest.json, manifest.sig) and the audit log's proofs (audit/). What could not
be had is listed in the manifest under "missing".
To check it without a network, with Python 3.11 or later:
    python3 verify.py {id}.zip --key <the center's public key>
Take verify.py and the key from the center or an auditor rather than from a package that you doubt.
Where the chain of custody begins: events and stills at the box that signed them ("edge"); clips when the center
received them ("center"): neither camera nor box signs a clip.
"""


def software() -> str:
    """Name and version of what makes the package."""
    try:
        return f"matpho {version('matpho')}"
    except PackageNotFoundError:
        return "matpho"


def own_files(facts: Mapping[str, Any]) -> dict[str, Content]:
    """What every package carries besides its evidence: how to read it and how to check it."""
    return {
        "README.txt": README.format_map(facts).encode(),
        "verify.py": Path(verifier.__file__).read_bytes(),
    }


def digests(members: Mapping[str, Content]) -> dict[str, dict[str, Any]]:
    """SHA-256 and size of every file."""
    return {name: _digest(content) for name, content in sorted(members.items())}


def _digest(content: Content) -> dict[str, Any]:
    if isinstance(content, bytes):
        return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    with content.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "size": content.stat().st_size}


def check_room(folder: Path, size: int, min_free_bytes: int) -> None:
    """Raise StorageFullError where a file of this size would take the last room."""
    if shutil.disk_usage(folder).free - size < min_free_bytes:
        raise storage_full()


def sweep_parts(folder: Path) -> None:
    """Remove what writers that died left half-written an hour ago or more."""
    for part in folder.glob(".*.part"):
        if time.time() - part.stat().st_mtime > PART_AGE_S:
            part.unlink(missing_ok=True)


def write_package(folder: Path, name: str, members: Mapping[str, Content]) -> tuple[Path, str, int]:
    """Write an archive beside its place, flush it, move it in; returns path, SHA-256 and size.

    The file is named after its content too, so that two writers never overwrite each other. Nothing stays after an
    error; a full disk raises StorageFullError.
    """
    part = folder / f".{name}.{os.getpid()}.{os.urandom(4).hex()}.part"
    try:
        with translated():
            with part.open("w+b") as file:
                verifier.write_archive(file, members)
                file.flush()
                os.fsync(file.fileno())
            facts = _digest(part)
            final = folder / f"{name}-{facts['sha256'][:16]}.zip"
            part.chmod(0o600)
            part.replace(final)
            _flush(folder)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return final, str(facts["sha256"]), int(facts["size"])


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
