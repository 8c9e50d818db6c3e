"""Answers about packages of evidence: what is in one, what could not be had, where it lies."""

from __future__ import annotations

from collections import Counter

from matpho_agent.answers.calls import Done, Reader, Writer
from matpho_agent.answers.facts import pick

PARTS = {"still": ("ảnh tĩnh", "still"), "clip": ("đoạn ghi hình", "clip")}


def _exported(call: Done, reader: Reader) -> str:
    data, language = call.result.data, reader.language
    number, size = len(data["event_ids"]), data["size"] / 1024 / 1024
    ids = ", ".join(data["event_ids"])
    text = pick(
        language,
        f"Đã xuất gói bằng chứng {data['id']} cho hồ sơ {data['case_number']}: "
        f"{number} sự kiện ({ids}), {size:.1f} MB.",
        f"Evidence package {data['id']} is ready for case {data['case_number']}: "
        f"{number} {'event' if number == 1 else 'events'} ({ids}), {size:.1f} MB.",
    )
    lacking = Counter(one["part"] for one in data["missing"])
    if lacking:
        vi = ", ".join(f"{count} {PARTS[part][0]}" for part, count in lacking.items())
        en = ", ".join(f"{count} {PARTS[part][1]}{'s' if count > 1 else ''}" for part, count in lacking.items())
        text += "\n" + pick(
            language,
            f"Không lấy được {vi}; bản kê trong gói ghi rõ lý do.",
            f"Could not be had: {en}; the manifest in the package says why.",
        )
    return (
        text
        + "\n"
        + pick(
            language,
            f"Tải về: {data['url']}\nSHA-256: {data['sha256']} (đã ký và ghi nhật ký kiểm toán).",
            f"Download: {data['url']}\nSHA-256: {data['sha256']} (signed, and in the audit log).",
        )
    )


WRITERS: dict[str, Writer] = {"export_evidence": _exported}
