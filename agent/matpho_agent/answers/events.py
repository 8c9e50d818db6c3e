"""Answers about events: lists, look-alikes, one event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from matpho_agent.answers.facts import (
    area_name,
    camera_name,
    filter_words,
    moment,
    object_name,
    pick,
    severity_name,
    type_name,
    type_names,
)
from matpho_agent.language.times import describe
from matpho_platform.access.principal import Principal, Role
from matpho_tools.city import City

SHOWN = 10
SHOWN_TO_LEADERS = 3


def found_events(
    arguments: Mapping[str, Any],
    data: Mapping[str, Any],
    principal: Principal,
    language: str,
    now: datetime,
    city: City,
) -> str:
    """A page of a search: how it was read, how many, the first ones, what comes next."""
    what = type_names(arguments.get("event_types") or [], language)
    scope = _scope(arguments, city, language)
    total = data["total"]
    words = arguments.get("query") or ""
    if not total:
        return pick(
            language,
            f"Không có kết quả: không có {what} nào{scope}.",
            f"No results: no {what}{scope}.",
        )
    if words and data.get("words_searched", True):
        head = pick(
            language,
            f"{total} ứng viên{scope}, xếp theo mức giống mô tả «{words}» (chưa xác nhận, cần người xem lại):",
            f"{total} candidates{scope}, ranked by likeness to «{words}» (unconfirmed, a person should look):",
        )
    else:
        head = _counted(total - data.get("possible", 0), data.get("possible", 0), f"{what}{scope}", language)
        if words:
            head += "\n" + pick(
                language,
                f"Không kiểm tra được mô tả «{words}»: tìm theo lời chưa sẵn sàng, chỉ lọc theo điều kiện.",
                f"Could not check the description «{words}»: search by words is away, filters alone were used.",
            )
    return "\n".join([head, *_lines(data, principal, language, now), *_next(data, principal, language)])


def _counted(certain: int, possible: int, what: str, language: str) -> str:
    """What is certain and what is only possible, apart."""
    if not possible:
        return pick(
            language,
            f"Có {certain} kết quả ({what}), khớp mọi điều kiện:",
            f"{certain} found ({what}), matching every condition:",
        )
    unclear = pick(
        language,
        f"{possible} ứng viên có thể đúng (loại hoặc màu chưa rõ, cần người xem lại)",
        f"{possible} possible (class or colour unclear, a person should look)",
    )
    if not certain:
        return pick(
            language, f"Không có kết quả chắc chắn ({what}); {unclear}:", f"Nothing certain ({what}); {unclear}:"
        )
    return pick(
        language,
        f"Có {certain} kết quả ({what}), khớp mọi điều kiện, và {unclear}; chắc nhất trước:",
        f"{certain} found ({what}), matching every condition, and {unclear}; the most certain first:",
    )


def similar_events(
    arguments: Mapping[str, Any],
    data: Mapping[str, Any],
    principal: Principal,
    language: str,
    now: datetime,
    city: City,
) -> str:
    """Look-alikes: always candidates, never a finding."""
    like = arguments.get("event_id") or pick(language, "ảnh đã gửi", "the picture sent")
    if not data["hits"]:
        return pick(
            language,
            f"Không có kết quả: không có sự kiện nào trông giống {like}.",
            f"No results: nothing looks like {like}.",
        )
    head = pick(
        language,
        f"{len(data['hits'])} ứng viên trông giống {like} (chỉ giống về hình ảnh, chưa xác nhận):",
        f"{len(data['hits'])} candidates that look like {like} (alike in picture only, unconfirmed):",
    )
    return "\n".join([head, *_lines(data, principal, language, now)])


def _scope(arguments: Mapping[str, Any], city: City, language: str) -> str:
    begin, end = arguments.get("time_from"), arguments.get("time_to")
    span = describe(
        datetime.fromisoformat(begin) if begin else None, datetime.fromisoformat(end) if end else None, language
    )
    parts = [part for part in (filter_words(arguments, city, language), span) if part]
    return ", " + ", ".join(parts) if parts else ""


def _lines(data: Mapping[str, Any], principal: Principal, language: str, now: datetime) -> list[str]:
    hits = data["hits"][: SHOWN_TO_LEADERS if principal.role is Role.LEADER else SHOWN]
    return [_line(number, hit, language, now) for number, hit in enumerate(hits, 1)]


def _line(number: int, hit: Mapping[str, Any], language: str, now: datetime) -> str:
    caption = hit["caption_vi"] if language == "vi" else hit["caption_en"]
    plates = ", ".join(seen["plate"]["text"] for seen in hit["objects"] if seen.get("plate"))
    plate = pick(language, f" · biển số {plates}", f" · plate {plates}") if plates else ""
    name = hit["camera_name"] or hit["camera_id"]
    where = name if name == hit["camera_id"] else f"{name} ({hit['camera_id']})"
    said = caption or type_name(hit["type"], language)
    if not hit.get("certain", True):
        said = pick(language, f"có thể: {said}", f"possibly: {said}")
    return f"{number}. {moment(hit['time'], now, language)} · {said} · {where}{plate} · [{hit['id']}]"


def _next(data: Mapping[str, Any], principal: Principal, language: str) -> list[str]:
    shown = SHOWN_TO_LEADERS if principal.role is Role.LEADER else SHOWN
    rest = data["total"] - min(shown, len(data["hits"]))
    lines = []
    if rest > 0:
        lines.append(pick(language, f"… và {rest} kết quả nữa.", f"… and {rest} more."))
    if principal.role in {Role.OFFICER, Role.INVESTIGATOR, Role.COMMANDER}:
        lines.append(
            pick(
                language,
                "Bước tiếp: «chi tiết cái thứ nhất», «cho xem clip», «có cái nào giống vậy không».",
                "Next: «details of the first», «show the clip», «anything similar?».",
            )
        )
    return lines


def details(data: Mapping[str, Any], principal: Principal, language: str, now: datetime, city: City) -> str:
    """One event with every fact and the state of its signature."""
    event, body = data["event"], data["event"]["data"]
    kind = event["type"].rsplit(".", 1)[-1]
    caption = body["caption"]["vi" if language == "vi" else "en"]
    lines = [
        f"{type_name(kind, language).capitalize()} · {moment(event['time'], now, language)} · [{event['id']}]",
        caption,
        pick(language, "Nơi: ", "Where: ") + f"{camera_name(city, body['camera_id'])}, {area_name(city, body['area'])}",
        pick(language, "Mức độ: ", "Severity: ") + severity_name(body["severity"], language),
    ]
    objects = [_object(seen, language) for seen in body["objects"]]
    if objects:
        lines.append(pick(language, "Đối tượng: ", "Objects: ") + "; ".join(objects))
    lines.append(_signature(data, language))
    if principal.role in {Role.OFFICER, Role.INVESTIGATOR, Role.COMMANDER}:
        lines.append(pick(language, "Bước tiếp: «cho xem clip».", "Next: «show the clip»."))
    return "\n".join(line for line in lines if line)


def _object(seen: Mapping[str, Any], language: str) -> str:
    name = object_name(seen["class"], seen.get("colour"), language)
    plate = seen.get("plate")
    return f"{name}, {pick(language, 'biển số', 'plate')} {plate['text']}" if plate else name


def _signature(data: Mapping[str, Any], language: str) -> str:
    if data["signature"] == "valid":
        return pick(language, "Chữ ký số: hợp lệ, vừa kiểm tra lại.", "Signature: valid, checked just now.")
    reason = data.get("signature_reason") or ""
    return pick(
        language, f"CẢNH BÁO: chữ ký số KHÔNG hợp lệ. {reason}", f"WARNING: the signature is NOT valid. {reason}"
    )
