"""Coming in, in a real browser: the first administrator, a passkey of its virtual authenticator, codes, invitations."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from matpho.home import Home
from matpho.installation import Installation, open_installation
from matpho.serving import listen, running, web_app, write_first_token
from matpho_agent.channels.web import PAGES
from matpho_contracts.times import now
from matpho_platform.access.principal import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHROMIUM = os.environ.get("MATPHO_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run")
expect.set_options(timeout=20_000)
"""Milliseconds: what is waited for comes late on a busy machine, and never where it is wrong."""
PASSWORD = "a long enough password"
WORDS = json.loads((PAGES / "locales" / "vi.json").read_text(encoding="utf-8"))
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Installation, str]]:
    home = Home(tmp_path_factory.mktemp("sign-in") / "home").make()
    async with open_installation(home) as installation:
        sock = listen("127.0.0.1", 0)
        async with running(web_app(installation), sock):
            yield installation, f"http://localhost:{sock.getsockname()[1]}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium in PATH nor in MATPHO_CHROMIUM")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield opened
        await opened.close()


@asynccontextmanager
async def visiting(browser: Browser, *, authenticator: bool = False) -> AsyncIterator[tuple[Page, Any]]:
    """A fresh window, with a virtual authenticator where asked; leaving it asserts that no script fell."""
    context = await browser.new_context(locale="vi-VN", reduced_motion="reduce")
    context.set_default_timeout(15_000)
    page = await context.new_page()
    fallen: list[str] = []
    page.on("pageerror", lambda error: fallen.append(str(error)))
    protocol = None
    if authenticator:
        protocol = await context.new_cdp_session(page)
        await protocol.send("WebAuthn.enable")
        made = await protocol.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        page.authenticator_id = made["authenticatorId"]  # type: ignore[attr-defined]  # rides along
    yield page, protocol
    await context.close()
    assert fallen == []


def button(page: Page, word: str) -> Any:
    return page.get_by_role("button", name=WORDS[word], exact=True)


async def picture(page: Page, name: str, folder: Path) -> None:
    shown = Path(os.environ.get("MATPHO_SCREENSHOTS") or folder)
    await page.screenshot(path=shown / f"sign-in-{name}.png")


async def inside(page: Page) -> None:
    await expect(page.get_by_label(WORDS["ask_label"])).to_be_visible()


async def test_the_first_administrator_comes_in_by_token_and_passkey(
    browser: Browser, served: tuple[Installation, str], tmp_path: Path
) -> None:
    installation, url = served
    assert await write_first_token(installation)
    path = installation.home.first_token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token = path.read_text(encoding="utf-8").strip()
    async with visiting(browser, authenticator=True) as (page, protocol):
        await page.goto(url)
        await button(page, "first_administrator").click()
        for field, value in {"token": "wrong", "user_id": "quan-tri", "name": "Quản trị", "password": PASSWORD}.items():
            await page.fill(f"#{field}", value)
        await button(page, "create_account").click()
        await expect(page.get_by_role("alert")).to_have_text(WORDS["token_not_good"])
        await page.fill("#token", token)
        await button(page, "create_account").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(WORDS["set_up_factor"])
        await picture(page, "1-factor", tmp_path)
        await button(page, "make_passkey").click()
        await inside(page)
        await button(page, "sign_out").click()
        await expect(button(page, "first_administrator")).to_have_count(0)
        await button(page, "sign_in_passkey").click()
        await inside(page)
        await page.get_by_role("button", name=WORDS["security"]).click()
        panel = page.get_by_role("dialog")
        await expect(panel.locator(".rows").first.locator("li")).to_have_count(1)
        await expect(panel).to_contain_text(WORDS["this_one"])
        await picture(page, "2-security", tmp_path)
        await button(page, "close").click()
        kept = await protocol.send("WebAuthn.getCredentials", {"authenticatorId": page.authenticator_id})  # type: ignore[attr-defined]  # set above
        (credential,) = kept["credentials"]
        assert credential["rpId"] == "localhost"
        assert credential["signCount"] == 2
        await button(page, "sign_out").click()
        await page.fill("#user_id", "quan-tri")
        await page.fill("#password", PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text(WORDS["second_factor"])
        await button(page, "use_passkey").click()
        await inside(page)
    assert not await write_first_token(installation)
    assert not path.exists()


async def test_somebody_whom_the_authenticator_does_not_verify_stays_out(
    browser: Browser, served: tuple[Installation, str]
) -> None:
    async with visiting(browser, authenticator=True) as (page, protocol):
        await protocol.send(
            "WebAuthn.setUserVerified",
            {"authenticatorId": page.authenticator_id, "isUserVerified": False},  # type: ignore[attr-defined]  # set in visiting
        )
        await page.goto(served[1])
        await button(page, "sign_in_passkey").click()
        await expect(page.get_by_role("alert")).to_have_text(WORDS["passkey_not_shown"])


async def test_an_invited_person_chooses_a_password_and_codes(
    browser: Browser, served: tuple[Installation, str], tmp_path: Path
) -> None:
    installation, url = served
    center = installation.center
    await center.accounts.create("chi", "Chi", Role.LEADER, None)
    invitation = await center.administration.invite("chi")
    async with visiting(browser) as (page, _):
        await page.goto(f"{url}/#invitation={invitation}")
        await page.fill("#password", PASSWORD)
        await button(page, "continue").click()
        await button(page, "make_totp").click()
        secret = re.sub(r"\s", "", await page.locator("code.secret").inner_text())
        await page.fill("#code", "000000")
        await button(page, "continue").click()
        await expect(page.get_by_role("alert")).to_have_text(WORDS["code_wrong"])
        await page.fill("#code", pyotp.TOTP(secret).at(now()))
        await button(page, "continue").click()
        await expect(page.locator(".codes li")).to_have_count(10)
        recovery = await page.locator(".codes li").first.inner_text()
        await picture(page, "3-recovery-codes", tmp_path)
        await button(page, "codes_kept").click()
        await inside(page)
        assert "invitation" not in page.url
        await button(page, "sign_out").click()
        for code in (pyotp.TOTP(secret).at(now() + timedelta(seconds=30)), recovery):
            await page.fill("#user_id", "chi")
            await page.fill("#password", PASSWORD)
            await page.keyboard.press("Enter")
            if code == recovery:
                await button(page, "use_recovery").click()
            await page.fill("#code", code)
            await page.keyboard.press("Enter")
            await inside(page)
            await button(page, "sign_out").click()
