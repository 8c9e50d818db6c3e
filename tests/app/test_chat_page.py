"""The chat page in a real browser: every journey of a person through it, on a real installation with drawn events."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect
from pydantic import SecretStr

from matpho.demo.files import write_installation
from matpho.home import Home
from matpho.installation import Installation, open_installation
from matpho.serving import listen, running, web_app
from matpho_agent.channels.web import PAGES
from matpho_contracts.edge_api import CameraReport, MoveArguments, StatusReport
from matpho_contracts.errors import UnavailableError
from matpho_contracts.events import (
    Caption,
    Event,
    EventData,
    Evidence,
    Rule,
    SeenObject,
    Vectors,
    pack_vector,
    source_urn,
)
from matpho_contracts.geometry import Box
from matpho_contracts.ids import new_event_id
from matpho_contracts.signing import SigningKey, sign_batch
from matpho_contracts.times import now, unix_ms
from matpho_contracts.vocabulary import Colour, EventType, Severity
from matpho_contracts.wire import encode_batch
from matpho_edge.compose_still import make_still
from matpho_edge.compose_words import Scene, caption
from matpho_edge.uplink_commands import CommandRunner
from matpho_edge.uplink_link import CenterLink
from matpho_embeddings.index.contract import IndexFilter
from matpho_platform.access.principal import Principal, Role
from matpho_platform.cameras.edges import EdgeEntry
from matpho_simcity.city_video import CityVideo, TruthBox
from matpho_simcity.sites import Site, city
from matpho_simcity.video import PtzPosition

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHROMIUM = os.environ.get("MATPHO_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip
EDGE_ID = "box-1"
INDEX_LOOKS = 600
expect.set_options(timeout=20_000)
"""Milliseconds: what is waited for comes late on a busy machine, and never where it is wrong."""
PASSWORD = "a long enough password"
PEOPLE = {
    "truc-ban": ("Cán bộ trực phường", Role.OFFICER),
    "lanh-dao": ("Lãnh đạo", Role.LEADER),
    "nguoi-dan": ("Người dân", Role.CITIZEN),
}
HOME = PtzPosition()
HOSTILE = (
    '<img src=x onerror="document.title=1"> ![p](https://elsewhere.example/p.png) [xem](https://elsewhere.example/)'
)
WHITE_TRUCK = ("truck", "white")
SHOTS = (
    (1, 70.0, EventType.STOPPED_VEHICLE, Severity.MEDIUM), (1, 80.0, EventType.STOPPED_VEHICLE, Severity.LOW),
    (1, 90.0, EventType.ILLEGAL_PARKING, Severity.MEDIUM), (1, 100.0, EventType.WRONG_WAY, Severity.HIGH),
    (1, 220.0, EventType.COLLISION, Severity.CRITICAL), (6, 90.0, EventType.STOPPED_VEHICLE, Severity.INFO),
    (10, 70.0, EventType.STOPPED_VEHICLE, Severity.MEDIUM), (0, 20.0, EventType.STOPPED_VEHICLE, Severity.LOW),
    (7, 30.0, EventType.CONGESTION, Severity.MEDIUM), (6, 20.0, EventType.CROWD, Severity.MEDIUM),
    (10, 30.0, EventType.SMOKE, Severity.HIGH), (2, 40.0, EventType.CROWD, Severity.INFO),
)  # fmt: skip
"""Camera's number, second of its day, what is said to have happened, how bad it is."""
PLAYABLE = """
(video) => new Promise((done, failed) => {
  if (video.readyState >= 2) done(video.readyState);
  video.onloadeddata = () => done(video.readyState);
  video.onerror = () => failed(new Error(video.error.message));
})
"""
OVERFLOWING = """
() => [...document.querySelectorAll("body *")]
  .filter((e) => e.checkVisibility() && !e.closest(".hidden, .table, svg"))
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
  .map((e) => `${e.tagName}.${e.className}`)
"""
FOCUSABLE = "button:enabled, input, textarea, video, [tabindex='0']"
CONTRAST = """
(elements) => {
  const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1]; };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const ground = (element) => {
    if (!element) return [255, 255, 255];
    const colour = parse(getComputedStyle(element).backgroundColor);
    return colour[3] === 1 ? colour.slice(0, 3) : over(colour, ground(element.parentElement));
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const words = (element) => [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  return elements
    .filter((e) => words(e) || e.value || e.placeholder)
    .filter((e) => e.checkVisibility() && !e.closest(":disabled, .hidden"))
    .map((e) => {
      const style = e.placeholder && !e.value ? getComputedStyle(e, "::placeholder") : getComputedStyle(e);
      const under = ground(e);
      const [a, b] = [light(over(parse(style.color), under)), light(under)];
      return [`${e.tagName}.${e.className} ${(e.textContent || e.placeholder || "").slice(0, 40)}`,
              (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    });
}
"""
"""Contrast ratio of every element with words of its own (WCAG 2.2, 1.4.3)."""


@dataclass(frozen=True)
class Served:
    """A running center with its events; `trucks` are those of white trucks, the newest first."""

    url: str
    installation: Installation
    trucks: tuple[str, ...]


@dataclass
class Visit:
    """One browser window, and what it asked of whom."""

    page: Page
    context: BrowserContext
    url: str
    troubles: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ("/api/v1/auth/me", "/api/v1/auth/sign-in")
    """Where "not signed in" is no trouble."""

    async def sign_in(self, user_id: str, password: str = PASSWORD) -> None:
        await self.page.goto(self.url)
        await self.page.fill("#user_id", user_id)
        await self.page.fill("#password", password)
        await self.page.keyboard.press("Enter")

    async def ask(self, text: str) -> Locator:
        """Ask, and give back the reply once it is whole."""
        await self.page.fill("#question", text)
        await self.page.keyboard.press("Enter")
        reply = self.page.locator(".turn").last
        await expect(reply.locator(".question")).to_contain_text(text)
        await expect(reply.locator(".answer")).to_have_attribute("aria-busy", "false")
        return reply


@dataclass
class Recorder:
    """What a box can do, from the drawn city: clips are encoded from its pictures."""

    videos: dict[str, CityVideo]
    folder: Path

    async def snapshot(self, camera_id: str) -> bytes:
        return make_still(self.videos[camera_id].frame(30.0, HOME)).jpeg

    async def clip(self, camera_id: str, start: datetime, end: datetime) -> Path:
        path = self.folder / f"{camera_id}-{unix_ms(start)}.mp4"
        path.write_bytes(await asyncio.to_thread(encoded, self.videos[camera_id]))
        return path

    async def move(self, camera_id: str, arguments: MoveArguments) -> None:
        raise UnavailableError(f"{camera_id} does not turn.")


def encoded(video: CityVideo) -> bytes:
    """Two seconds of a camera as H.264 in an MP4."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(video.frame(70 + number / 10, HOME), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def main_object(boxes: Sequence[TruthBox], kind: EventType) -> TruthBox:
    """A person of a crowd, the white truck if one can be seen, or what is largest."""
    people = [one for one in boxes if one.object_class == "person"] if kind is EventType.CROWD else []
    trucks = [one for one in boxes if (one.object_class, one.colour) == WHITE_TRUCK and one.visible > 0.3]
    return max(people or trucks or boxes, key=lambda one: (one.box[2] - one.box[0]) * (one.box[3] - one.box[1]))


def is_white_truck(event: Event) -> bool:
    seen = event.data.objects[0]
    return (seen.label, seen.colour) == WHITE_TRUCK


def drawn_event(site: Site, video: CityVideo, shot: int, encoder: Any) -> tuple[Event, bytes]:
    """An event as a box makes it, with its still."""
    _, second, kind, severity = SHOTS[shot]
    guide, at = site.guide, now() - timedelta(minutes=2 + 3 * shot)
    picture, boxes = video.frame_with_truth(second, HOME)
    main, still = main_object(boxes, kind), make_still(picture)
    since = at - timedelta(seconds=90)
    (width, height), (x1, y1, x2, y2) = video.size, main.box
    seen = SeenObject(
        label=main.object_class,
        colour=Colour(main.colour),
        confidence=0.9,
        track_id=1,
        box=Box(x1=x1 / width, y1=y1 / height, x2=x2 / width, y2=y2 / height),
        first_seen=since,
        last_seen=at,
    )
    vectors = encoder.encode_images([picture, picture[y1:y2, x1:x2]])
    words = caption(Scene(kind, main.object_class, seen.colour, 9, None, guide.name_vi, since, at, guide.name_en))
    data = EventData(
        camera_id=guide.camera_id,
        area=guide.area_code,
        start=since,
        end=at,
        severity=severity,
        objects=(seen,),
        object_count=1,
        caption=words if shot != 1 else Caption(vi=f"{words.vi} {HOSTILE}", en=f"{words.en} {HOSTILE}"),
        evidence=Evidence(
            thumbnail_sha256=still.sha256,
            thumbnail_width=still.width,
            thumbnail_height=still.height,
            clip_start=at - timedelta(seconds=20),
            clip_end=at + timedelta(seconds=5),
        ),
        vectors=Vectors(
            encoder=encoder.name,
            version=encoder.version,
            dim=encoder.dim,
            scene=pack_vector(vectors[0]),
            main_object=pack_vector(vectors[1]),
        ),
        rule=Rule(name=kind.value),
    )
    source = source_urn(EDGE_ID, guide.camera_id)
    return Event(id=new_event_id(unix_ms(at)), source=source, type=f"vn.matpho.{kind}", time=at, data=data), still.jpeg


async def fill(installation: Installation, link: CenterLink, key: SigningKey, sites: Sequence[Site]) -> list[Event]:
    """Enrol, report and deliver over HTTP; returns when all of it can be found."""
    center = installation.center
    await center.edges.configure([EdgeEntry(id=EDGE_ID)])
    await link.enrol(SecretStr(await center.edges.issue_token(EDGE_ID)))
    cameras = tuple(CameraReport(id=s.guide.camera_id, name=s.guide.name_vi, area=s.guide.area_code) for s in sites)
    await link.report(StatusReport(edge_id=EDGE_ID, sent_at=now(), cameras=cameras))
    if center.encoder is None:
        pytest.skip("the shipped encoder is not there")
    videos = {number: CityVideo(sites[number]) for number, *_ in SHOTS}
    made = [drawn_event(sites[number], videos[number], shot, center.encoder) for shot, (number, *_) in enumerate(SHOTS)]
    raw = [event.canonical() for event, _ in made]
    header = sign_batch(raw, key, edge_id=EDGE_ID, incarnation="first", signed_at=now())
    stills = {hashlib.sha256(jpeg).hexdigest(): jpeg for _, jpeg in made}
    answer = await link.send_batch(encode_batch(header, raw, stills))
    assert {result.status for result in answer.results} == {"stored"}
    index = center.index
    for _ in range(INDEX_LOOKS):
        if index is None or await index.count(IndexFilter()) >= len(made):
            break
        await asyncio.sleep(0.05)
    return [event for event, _ in made]


async def answer_commands(link: CenterLink, runner: CommandRunner) -> None:
    """The box's side of the command queue, until it is cancelled."""
    while True:
        for command in (await link.commands(5)).commands:
            await runner.run(command)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("chat-page")
    home, sites = Home(folder / "home").make(), city("1", hour=9.0)
    write_installation(home, sites)
    async with open_installation(home) as installation:
        areas = tuple(area.code for area in installation.center.areas.all())
        for user_id, (name, role) in PEOPLE.items():
            bound = areas if role is Role.OFFICER else ()
            await installation.center.accounts.create(user_id, name, role, PASSWORD, areas=bound)
        sock = listen("127.0.0.1", 0)
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        async with running(web_app(installation), sock):
            key = SigningKey.generate()
            link = CenterLink(url, edge_id=EDGE_ID, key=key)
            events = await fill(installation, link, key, sites)
            recorder = Recorder({site.guide.camera_id: CityVideo(site) for site in sites}, folder)
            box = asyncio.create_task(answer_commands(link, CommandRunner(link, recorder)))
            trucks = [event.id for event in events if is_white_truck(event)]
            yield Served(url, installation, tuple(trucks))
            box.cancel()
            await asyncio.gather(box, return_exceptions=True)
            await link.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium in PATH nor in MATPHO_CHROMIUM")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield opened
        await opened.close()


@asynccontextmanager
async def visiting(browser: Browser, served: Served, **settings: Any) -> AsyncIterator[Visit]:
    """A fresh window; leaving it asserts that nothing but the center was asked and that nothing went wrong unseen."""
    settings = {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light", **settings}
    context = await browser.new_context(locale="vi-VN", reduced_motion="reduce", **settings)
    context.set_default_timeout(15_000)
    page = await context.new_page()
    visit = Visit(page, context, served.url)
    host = urlsplit(served.url).netloc

    def asked(url: str) -> None:
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != host:
            visit.strangers.append(url)

    def said(text: str, where: str) -> None:
        if not ("401" in text and where.endswith(visit.expected)):
            visit.troubles.append(f"{text} {where}")

    page.on("request", lambda request: asked(request.url))
    page.on("console", lambda line: said(line.text, line.location["url"]) if line.type == "error" else None)
    page.on("pageerror", lambda error: visit.troubles.append(str(error)))
    yield visit
    await context.close()
    assert visit.strangers == []
    assert visit.troubles == []


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """Where the pictures of a journey go."""
    folder = Path(os.environ.get("MATPHO_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def loaded(images: Locator) -> bool:
    """Whether every picture has arrived and could be decoded (those out of view are loaded lazily: scrolled to)."""
    for image in await images.all():
        await image.scroll_into_view_if_needed()
        await image.evaluate("image => image.decode()")
    return bool(await images.evaluate_all("all => all.length > 0 && all.every(one => one.naturalWidth > 0)"))


async def test_officer_from_sign_in_to_sign_out(browser: Browser, served: Served, shown: Path) -> None:
    async with visiting(browser, served) as visit:
        page = visit.page
        await visit.sign_in("truc-ban", "not the password")
        await expect(page.get_by_role("alert")).to_have_text("Tên tài khoản hoặc mật khẩu không đúng.")
        await page.screenshot(path=shown / "officer-1-wrong-password.png")
        await visit.sign_in("truc-ban")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Xin chào")
        await expect(page.locator(".example")).to_have_count(4)
        await page.screenshot(path=shown / "officer-2-start.png")
        reply = await visit.ask("xe tải trắng")
        await expect(reply.locator(".card")).to_have_count(len(served.trucks))
        assert await loaded(reply.locator(".card img"))
        await expect(reply.locator(".answer")).to_contain_text(f"Có {len(served.trucks)} kết quả")
        await expect(reply.locator(".answer .chip")).to_have_count(0)
        await page.screenshot(path=shown / "officer-3-answer.png")
        await reply.locator(".card").first.click()
        panel = page.get_by_role("dialog")
        await expect(panel.locator(".badge.good")).to_have_text("Chữ ký số hợp lệ")
        await expect(panel).to_contain_text("xe tải · trắng")
        await expect(panel).to_contain_text(served.trucks[0])
        assert await loaded(panel.locator("img"))
        await expect(panel.locator(".framed rect")).to_have_count(1)
        await page.screenshot(path=shown / "officer-4-event.png")
        await panel.get_by_role("button", name="Sự kiện tương tự").click()
        await expect(panel.get_by_role("heading", level=3)).to_contain_text("chưa xác nhận")
        assert await loaded(panel.locator(".card img"))
        await panel.get_by_role("button", name="Xem clip").click()
        video = panel.locator("video")
        async with asyncio.timeout(20):
            assert await video.evaluate(PLAYABLE) >= 2
        assert await video.evaluate("one => one.videoWidth") == 640
        await video.scroll_into_view_if_needed()
        await page.screenshot(path=shown / "officer-5-clip.png")
        await page.keyboard.press("Escape")
        await expect(panel).to_have_count(0)
        await page.get_by_role("button", name="English").click()
        await expect(page.get_by_placeholder("Ask about events")).to_be_visible()
        assert await page.evaluate("document.documentElement.lang") == "en"
        await page.screenshot(path=shown / "officer-6-english.png")
        await page.locator(".after").get_by_role("button", name="chi tiết cái thứ nhất").click()
        await expect(page.locator(".turn")).to_have_count(2)
        await expect(page.locator(".answer").last).to_contain_text("Chữ ký số: hợp lệ")
        proposals = page.locator(".turn").last.locator(".after").get_by_role("button")
        await expect(proposals).to_have_text("cho xem clip")
        await page.screenshot(path=shown / "officer-7-details.png")
        await page.get_by_role("button", name="New conversation").click()
        await expect(page.locator(".turn")).to_have_count(0)
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.locator("#password")).to_be_visible()
        await page.reload()
        await expect(page.locator("#password")).to_be_visible()


async def test_phone_in_the_dark(browser: Browser, served: Served, shown: Path) -> None:
    async with async_playwright() as playwright:
        pixel = {name: value for name, value in playwright.devices["Pixel 7"].items() if name != "default_browser_type"}
    async with visiting(browser, served, **pixel, color_scheme="dark") as visit:
        page = visit.page
        await visit.sign_in("truc-ban")
        await expect(page.locator(".example")).to_have_count(4)
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 21, 25)"
        await page.screenshot(path=shown / "phone-1-start.png")
        await page.locator(".example").first.tap()
        await expect(page.locator(".answer").last).to_have_attribute("aria-busy", "false")
        assert await page.evaluate(OVERFLOWING) == []
        await page.get_by_role("button", name="Cuộc trò chuyện mới").tap()
        reply = await visit.ask("xe tải trắng")
        assert await loaded(reply.locator(".card img"))
        assert await page.evaluate(OVERFLOWING) == []
        await expect(page.locator("#question")).to_be_in_viewport(ratio=1)
        await expect(page.get_by_role("button", name="Gửi")).to_be_in_viewport(ratio=1)
        await page.screenshot(path=shown / "phone-2-answer.png")
        await reply.locator(".card").nth(1).tap()
        await expect(page.get_by_role("dialog").locator(".badge.good")).to_be_visible()
        assert await page.evaluate(OVERFLOWING) == []
        await page.screenshot(path=shown / "phone-3-event.png")


async def test_leader_sees_figures_and_no_people(browser: Browser, served: Served, shown: Path) -> None:
    async with visiting(browser, served) as visit:
        await visit.sign_in("lanh-dao")
        await expect(visit.page.locator(".example")).to_have_count(4)
        reply = await visit.ask("24 giờ qua có bao nhiêu vụ, chia theo phường?")
        await expect(reply.locator("table tbody tr").first).to_be_visible()
        await expect(reply.locator(".card")).to_have_count(0)
        await visit.page.screenshot(path=shown / "leader-1-figures.png")
        reply = await visit.ask("tụ tập đông người")
        await expect(reply.locator(".card")).to_have_count(2)
        await expect(reply.locator("img")).to_have_count(0)
        await visit.page.screenshot(path=shown / "leader-2-people.png")
        await reply.locator(".card").first.click()
        panel = visit.page.get_by_role("dialog")
        await expect(panel.locator(".badge.good")).to_be_visible()
        await expect(panel.locator("img")).to_have_count(0)


async def test_citizen_is_denied_a_search_by_name_of_the_rule(browser: Browser, served: Served, shown: Path) -> None:
    async with visiting(browser, served) as visit:
        await visit.sign_in("nguoi-dan")
        reply = await visit.ask("xe tải trắng")
        await expect(reply.locator(".outcome.denied")).to_contain_text("Không được phép")
        await expect(reply.locator(".outcome.denied [title=role]")).to_have_text("vai trò không có quyền này")
        await expect(reply.locator(".card, img")).to_have_count(0)
        await visit.page.screenshot(path=shown / "citizen-1-denied.png")


async def test_keyboard_alone_is_enough(browser: Browser, served: Served) -> None:
    async with visiting(browser, served) as visit:
        page, press = visit.page, visit.page.keyboard.press
        await page.goto(served.url)
        await expect(page.locator("#user_id")).to_be_focused()
        await page.keyboard.type("truc-ban")
        await press("Tab")
        await page.keyboard.type(PASSWORD)
        await press("Enter")
        await expect(page.get_by_label("Câu hỏi của bạn")).to_be_visible()
        await expect(page.get_by_role("log")).to_have_attribute("aria-live", "polite")
        await visit.ask("xe tải trắng")
        missed = await unreached(page)
        assert missed == []
        card = page.locator(".card").nth(2)
        await card.focus()
        await press("Enter")
        panel = page.get_by_role("dialog")
        await expect(panel.locator(".badge.good")).to_be_visible()
        assert await panel.evaluate("panel => panel.contains(document.activeElement)")
        assert await panel.get_attribute("aria-labelledby") == "panel-title"
        await press("Escape")
        await expect(panel).to_have_count(0)
        await expect(card).to_be_focused()


async def unreached(page: Page) -> list[str]:
    """What can be used with a pointer and never gets the focus while Tab goes once around the page."""
    await page.evaluate("document.activeElement.blur()")
    controls = await page.locator(FOCUSABLE).all()
    for _ in range(2 * len(controls)):
        await page.keyboard.press("Tab")
        await page.evaluate("document.activeElement.dataset.reached = 'yes'")
    left: list[str] = await page.locator(FOCUSABLE).evaluate_all(
        "all => all.filter((e) => e.checkVisibility() && !e.dataset.reached).map((e) => e.outerHTML.slice(0, 80))"
    )
    return left


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_every_word_stands_out_from_its_ground(browser: Browser, served: Served, theme: str, shown: Path) -> None:
    async def weak(step: str) -> None:
        found = await page.locator("body *").evaluate_all(CONTRAST)
        assert len(found) > 5
        assert {what: round(ratio, 2) for what, ratio in found if ratio < 4.5} == {}, step

    async with visiting(browser, served, color_scheme=theme) as visit:
        page = visit.page
        await visit.sign_in("truc-ban", "not the password")
        await expect(page.get_by_role("alert")).to_be_visible()
        await weak("sign-in")
        await visit.sign_in("truc-ban")
        await expect(page.locator(".example")).to_have_count(4)
        await weak("start")
        reply = await visit.ask("các sự kiện 24 giờ qua")
        await expect(reply.locator(".severity.critical")).to_be_visible()
        await visit.ask("Thống kê sự kiện 24 giờ qua theo phường")
        await weak("answers")
        await page.locator(".card").first.click()
        await expect(page.get_by_role("dialog").locator(".badge.good")).to_be_visible()
        await weak("event")
        await page.screenshot(path=shown / f"contrast-{theme}.png")


async def test_markup_is_shown_as_text(browser: Browser, served: Served, shown: Path) -> None:
    async with visiting(browser, served) as visit:
        page = visit.page
        await visit.sign_in("truc-ban")
        reply = await visit.ask(HOSTILE)
        await expect(reply.locator(".question")).to_contain_text(HOSTILE)
        reply = await visit.ask("xe tải trắng")
        card = reply.locator(".card").filter(has_text="<img src=x onerror=")
        await expect(card).to_have_count(1)
        await card.click()
        await expect(page.get_by_role("dialog").locator(".lead")).to_contain_text(HOSTILE)
        assert await page.locator("#app a, #app iframe, #app script, #app img[onerror]").count() == 0
        own = await page.locator("#app img").evaluate_all("all => all.every((e) => e.src.startsWith(location.origin))")
        assert own
        assert await page.title() == "Mắt phố"
        await page.screenshot(path=shown / "markup-as-text.png")


async def test_an_ended_session_leads_back_to_the_sign_in(browser: Browser, served: Served) -> None:
    async with visiting(browser, served) as visit:
        await visit.sign_in("truc-ban")
        await expect(visit.page.locator(".example")).to_have_count(4)
        visit.expected = (*visit.expected, "/api/v1/chat")
        await visit.context.clear_cookies()
        await visit.page.locator(".example").first.click()
        await expect(visit.page.get_by_role("alert")).to_have_text("Phiên làm việc đã hết. Hãy đăng nhập lại.")
        await visit.page.get_by_role("button", name="English").click()
        await expect(visit.page.get_by_role("alert")).to_have_text("Your session has ended. Sign in again.")


EXAMPLES = {
    "try_field": Role.OFFICER,
    "try_leader": Role.LEADER,
    "try_citizen": Role.CITIZEN,
    "try_admin": Role.ADMIN,
    "try_auditor": Role.AUDITOR,
}


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_every_example_is_answered(served: Served, language: str) -> None:
    areas = tuple(area.code for area in served.installation.center.areas.all())
    words = catalogue(language)
    for key, role in EXAMPLES.items():
        who = Principal(role.value, role.value, role, areas if role is Role.OFFICER else ())
        for text in words[key]:
            answer = await served.installation.ask(who, text, now=None, channel="test", conversation=None)
            assert answer["outcome"] == "answered", (role, text, answer["answer"])


def catalogue(language: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAGES / "locales" / f"{language}.json").read_text(encoding="utf-8"))
    return found
