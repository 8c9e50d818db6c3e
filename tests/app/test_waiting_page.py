"""What waits for a person's yes, in a real browser: asked for by a program or in the talk, agreed to, cancelled, over a
reload of the page."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from matpho.home import Home
from matpho.installation import Installation, open_installation
from matpho.serving import listen, running, web_app
from matpho_contracts.times import now
from matpho_platform.access.principal import Principal, Role
from matpho_tools.contract import Outcome

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHROMIUM = os.environ.get("MATPHO_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run")
expect.set_options(timeout=20_000)
"""Milliseconds: what is waited for comes late on a busy machine, and never where it is wrong."""
PASSWORD = "a long enough password"
SETTINGS = """
access: {mfa_required: false}
areas: [{code: P1, name: Phường Một, level: commune}]
identity:
  grant:
    unit_code: CA-01
    purposes: [giải quyết tai nạn giao thông]
    fields: [chủ xe]
    valid_to: "2099-01-01T00:00:00+07:00"
"""
WATCH = {"filter": {"event_types": ["fire"], "areas": ["P1"]}, "name": "Cháy ở phường Một"}


@dataclass(frozen=True)
class Served:
    """A running center with one commander."""

    url: str
    installation: Installation
    person: Principal

    async def ask_for(self, tool: str, arguments: dict[str, Any]) -> None:
        """As a program does it on the person's behalf."""
        result = await self.installation.gateway.call(self.person, tool, arguments, channel="mcp")
        assert result.outcome is Outcome.CONFIRM, result

    async def watches(self) -> list[str]:
        """The names of the watches that stand."""
        entries = await self.installation.center.audit.search(action="create_watch", limit=100)
        return [one.entry.outcome for one in entries.records if one.entry.outcome == "answered"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    home = Home(tmp_path_factory.mktemp("waiting-page") / "home").make()
    home.settings_file.write_text(SETTINGS, encoding="utf-8")
    async with open_installation(home) as installation:
        person = await installation.center.accounts.create("chi-huy", "Chỉ huy", Role.COMMANDER, PASSWORD)
        sock = listen("127.0.0.1", 0)
        async with running(web_app(installation), sock):
            yield Served(f"http://127.0.0.1:{sock.getsockname()[1]}", installation, person)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium in PATH nor in MATPHO_CHROMIUM")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield opened
        await opened.close()


@asynccontextmanager
async def signed_in(browser: Browser, served: Served) -> AsyncIterator[Page]:
    """A fresh window with the person signed in; leaving it asserts that no script fell."""
    context = await browser.new_context(locale="vi-VN", reduced_motion="reduce")
    context.set_default_timeout(15_000)
    page = await context.new_page()
    fallen: list[str] = []
    page.on("pageerror", lambda error: fallen.append(str(error)))
    await page.goto(served.url)
    await page.fill("#user_id", "chi-huy")
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("#question")).to_be_visible()
    yield page
    await context.close()
    assert fallen == []


async def ask(page: Page, text: str) -> Locator:
    await page.fill("#question", text)
    await page.keyboard.press("Enter")
    turn = page.locator(".turn").last
    await expect(turn.locator(".question")).to_contain_text(text)
    await expect(page.locator("#question")).to_be_enabled()
    await expect(page.locator(".composer .stop")).to_have_count(0)
    return turn


async def test_what_a_program_asks_for_is_shown_exactly_and_agreed_to_or_not(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    await served.ask_for("create_watch", WATCH)
    await served.ask_for("create_watch", {**WATCH, "name": "Không cần nữa"})
    before = len(await served.watches())
    async with signed_in(browser, served) as page:
        mark = page.locator(".bar .waiting")
        await expect(mark).to_contain_text("2")
        await mark.click()
        panel = page.get_by_role("dialog")
        newest, older = panel.locator("section.proposal").nth(0), panel.locator("section.proposal").nth(1)
        await expect(newest).to_contain_text("Không cần nữa")
        await expect(older.locator("dd").first).to_be_visible()
        await expect(older).to_contain_text("Phường Một")
        await expect(older).to_contain_text("Do chương trình hoặc trợ lý khác yêu cầu")
        await page.screenshot(path=Path(os.environ.get("MATPHO_SCREENSHOTS") or tmp_path) / "waiting-1.png")
        await newest.get_by_role("button", name="Không", exact=True).click()
        await expect(panel.locator(".ended")).to_contain_text("đã hủy")
        await panel.locator("section.proposal").get_by_role("button", name="Đồng ý, thực hiện").click()
        await expect(panel.locator(".ended").first).to_contain_text("đã thực hiện")
        await expect(panel.locator("section.proposal")).to_have_count(0)
        await panel.get_by_role("button", name="Đóng").click()
        await expect(page.locator(".bar .waiting")).to_have_count(0)
    assert len(await served.watches()) == before + 1


async def test_a_colleagues_identity_check_is_shown_and_takes_a_second_factor(browser: Browser, served: Served) -> None:
    gateway = served.installation.gateway
    asking = Principal("tra", "Tra", Role.INVESTIGATOR, ("P1",), session_id="s", mfa_at=now())
    wanted = {
        "case_number": "HS-2026-0147", "purpose": "giải quyết tai nạn giao thông", "subject": {"plate": "29A-12345"},
        "fields": ["chủ xe"],
    }  # fmt: skip
    waiting = await gateway.call(asking, "request_identity_check", wanted, channel="test")
    opened = await gateway.confirm(asking, waiting.data["proposal"]["id"], channel="test")
    async with signed_in(browser, served) as page:
        await page.locator("header").get_by_role("button", name="Chờ bạn đồng ý").click()
        check = page.get_by_role("dialog").locator("section.check")
        await expect(check).to_contain_text(opened.ids[0])
        await expect(check).to_contain_text("HS-2026-0147")
        assert "29A" not in await check.inner_text(), "the subject is shown where it is decided, not in the list"
        await check.get_by_role("button", name="Phê duyệt").click()
        await expect(page.get_by_role("dialog")).to_contain_text("Thiết lập bước hai")


async def test_a_reload_brings_the_talk_and_its_waiting_act_back(browser: Browser, served: Served) -> None:
    before = len(await served.watches())
    async with signed_in(browser, served) as page:
        turn = await ask(page, "theo dõi cháy ở Phường Một, báo cho tôi")
        await expect(turn.locator(".agree")).to_be_visible()
        await page.reload()
        await expect(page.locator(".turn")).to_have_count(1)
        await expect(page.locator(".turn .question")).to_contain_text("theo dõi cháy")
        await page.locator(".turn .agree").click()
        await expect(page.locator(".turn")).to_have_count(2)
        await expect(page.locator(".answer").last).to_contain_text("Đã đặt theo dõi")
        await expect(page.locator(".bar .waiting")).to_have_count(0)
        await page.get_by_role("button", name="Đăng xuất").click()
        await expect(page.locator("#password")).to_be_visible()
        assert await page.evaluate("sessionStorage.length") == 0
    assert len(await served.watches()) == before + 1


async def test_what_was_agreed_to_in_the_panel_waits_in_the_talk_no_more(browser: Browser, served: Served) -> None:
    async with signed_in(browser, served) as page:
        turn = await ask(page, "báo cho tôi khi có khói ở Phường Một")
        await page.locator(".bar .waiting").click()
        mine = page.get_by_role("dialog").locator("section.proposal").filter(has_text="khói")
        await mine.locator(".agree").click()
        await expect(page.get_by_role("dialog").locator(".ended")).to_contain_text("đã thực hiện")
        await page.keyboard.press("Escape")
        await expect(turn.locator(".agree")).to_have_count(0)
        await expect(turn).to_contain_text("không còn chờ đồng ý")
        said = await ask(page, "không")
        await expect(said.locator(".answer")).to_contain_text("không còn chờ xác nhận")
