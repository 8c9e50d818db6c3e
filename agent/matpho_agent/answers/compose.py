"""The composer: results in, sentences out, in the reader's language and their role's register.

Three things are never mixed up: nothing was found, it could not be checked, and it only looks alike (a candidate).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from matpho_agent.answers import audit, briefing, citizens, evidence, identity, incidents, watching
from matpho_agent.answers.calls import Done, Reader, Writer
from matpho_agent.answers.confirmation import confirmation
from matpho_agent.answers.events import details, found_events, similar_events
from matpho_agent.answers.facts import area_name, camera_name, pick, status_name
from matpho_agent.answers.statistics import statistics
from matpho_contracts.times import VIETNAM
from matpho_tools.contract import Outcome


def compose(done: Sequence[Done], reader: Reader) -> str:
    """The answer to all calls of a turn, a paragraph each."""
    return "\n\n".join(part for call in done if (part := _one(call, reader)))


def _one(call: Done, reader: Reader) -> str:
    result = call.result
    if result.outcome is Outcome.CONFIRM:
        return confirmation(result.data["proposal"], reader)
    if result.outcome is Outcome.CLARIFY:
        return ""  # the question back says it
    if result.outcome is not Outcome.ANSWERED or not result.data:
        return pick(reader.language, result.message_vi, result.message_en)
    text = WRITERS[call.tool](call, reader) if call.tool in WRITERS else _plain(call, reader)
    if result.narrowed:
        text += "\n" + pick(
            reader.language,
            "Lưu ý: phần nằm ngoài địa bàn của bạn đã được bỏ qua.",
            "Note: what lies outside your area was left out.",
        )
    return text


def _events(call: Done, reader: Reader) -> str:
    return found_events(call.arguments, call.result.data, reader.principal, reader.language, reader.now, reader.city)


def _similar(call: Done, reader: Reader) -> str:
    return similar_events(call.arguments, call.result.data, reader.principal, reader.language, reader.now, reader.city)


def _details(call: Done, reader: Reader) -> str:
    return details(call.result.data, reader.principal, reader.language, reader.now, reader.city)


def _statistics(call: Done, reader: Reader) -> str:
    return statistics(call.arguments, call.result.data, reader.principal, reader.language, reader.city)


def _cameras(call: Done, reader: Reader) -> str:
    cameras, total = call.result.data["cameras"], call.result.data["total"]
    if not total:
        return _no_camera(call, reader)
    head = pick(reader.language, f"Có {total} camera:", f"{total} cameras:" if total > 1 else "1 camera:")
    lines = [
        f"{number}. {camera_name(reader.city, camera['id'])} · {status_name(camera['status'], reader.language)}"
        f" · {camera['kind'].upper() if camera['kind'] == 'ptz' else pick(reader.language, 'cố định', 'fixed')}"
        for number, camera in enumerate(cameras, 1)
    ]
    rest = total - len(cameras)
    if rest > 0:
        lines.append(pick(reader.language, f"… và {rest} camera nữa.", f"… and {rest} more."))
    return "\n".join([head, *lines])


def _no_camera(call: Done, reader: Reader) -> str:
    """Which cameras there are none of; what was asked beside their state and place is only said not to fit."""
    asked, language = call.arguments, reader.language
    status = status_name(asked["status"], language) if asked.get("status") else ""
    places = ", ".join(area_name(reader.city, code) for code in asked.get("areas") or ())
    other = [name for name in ("kind", "owner", "query") if asked.get(name)]
    what = status or pick(language, "nào khớp", "that matches")
    where = pick(language, f" ở {places}", f" in {places}") if places else ""
    also = pick(language, " khớp điều kiện đã nêu", " that fits what you named") if status and other else ""
    return pick(language, f"Không có camera {what}{where}{also}.", f"There is no camera {what}{where}{also}.")


def _status(call: Done, reader: Reader) -> str:
    data, language = call.result.data, reader.language
    name = camera_name(reader.city, data["camera"]["id"])
    since = _local(data["since"])
    text = pick(
        language,
        f"Camera {name}: {status_name(data['status'], language)} từ {since}.",
        f"Camera {name}: {status_name(data['status'], language)} since {since}.",
    )
    if data["status"] != "offline":
        text += pick(language, f" {data['fps']:.1f} khung hình/giây.", f" {data['fps']:.1f} frames a second.")
    if data.get("last_frame_at"):
        last = _local(data["last_frame_at"])
        text += pick(language, f" Khung hình cuối: {last}.", f" Last frame: {last}.")
    edge = data["edge"]
    box = pick(language, "có kết nối" if edge["online"] else "mất kết nối", "connected" if edge["online"] else "silent")
    return text + pick(language, f" Hộp biên {edge['edge_id']}: {box}.", f" Edge box {edge['edge_id']}: {box}.")


def _snapshot(call: Done, reader: Reader) -> str:
    data = call.result.data
    name, at = camera_name(reader.city, data["camera_id"]), _local(data["captured_at"])
    text = pick(reader.language, f"Ảnh camera {name}, chụp lúc {at}.", f"Picture from camera {name}, taken at {at}.")
    if data.get("redacted"):
        text += pick(reader.language, " Ảnh đã che theo quyền của bạn.", " Redacted as your role demands.")
    return text


def _clip(call: Done, reader: Reader) -> str:
    data = call.result.data
    start, end = _local(data["start"]), _local(data["end"])
    span = f"{start[:8]} – {end}" if start[9:] == end[9:] else f"{start} – {end}"
    of = data.get("event_id") or camera_name(reader.city, data.get("camera_id") or "")
    return pick(reader.language, f"Clip {span} của {of}.", f"Clip {span} of {of}.")


def _plain(call: Done, reader: Reader) -> str:
    """A tool without a writer of its own: the ids it speaks of."""
    ids = ", ".join(call.result.ids) or "-"
    return pick(reader.language, f"Đã thực hiện {call.tool}: {ids}.", f"Done {call.tool}: {ids}.")


def _local(value: str) -> str:
    return datetime.fromisoformat(value).astimezone(VIETNAM).strftime("%H:%M:%S %d/%m/%Y")


WRITERS: dict[str, Writer] = {
    "search_events": _events,
    "find_similar_events": _similar,
    "get_event": _details,
    "event_statistics": _statistics,
    "list_cameras": _cameras,
    "camera_status": _status,
    "get_snapshot": _snapshot,
    "get_clip": _clip,
    **incidents.WRITERS,
    **identity.WRITERS,
    **evidence.WRITERS,
    **citizens.WRITERS,
    **watching.WRITERS,
    **briefing.WRITERS,
    **audit.WRITERS,
}
