"""Each channel against a server on loopback that behaves as the real one is documented to: forms, limits, refusals."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import http_ece  # type: ignore[import-untyped]  # the library has no stubs
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import Response
from py_vapid import Vapid02  # type: ignore[import-untyped]  # the library has no stubs
from pydantic import SecretStr
from sqlalchemy import select

from matpho_contracts.request_signing import verify_request
from matpho_contracts.signing import SigningKey
from matpho_platform.notify.channels.email import EmailSender
from matpho_platform.notify.channels.http import Http
from matpho_platform.notify.channels.sms import SIGNATURE, TIMESTAMP, SmsSender
from matpho_platform.notify.channels.telegram import TelegramSender
from matpho_platform.notify.channels.web_push import VapidKey, WebPushSender
from matpho_platform.notify.channels.webhook import TAG, WebhookSender
from matpho_platform.notify.channels.zalo_bot import ZaloBotSender
from matpho_platform.notify.channels.zalo_oa import ZaloOaSender, ZaloTokens
from matpho_platform.notify.errors import AddressError, RefusedError, SendError
from matpho_platform.notify.outgoing import Outgoing
from matpho_platform.notify.rendering import render
from matpho_platform.notify.settings import (
    EmailSettings,
    NotifySettings,
    SmsSettings,
    TelegramSettings,
    WebhookTarget,
    WebPushSettings,
    ZaloBotSettings,
    ZaloOaSettings,
)
from matpho_platform.store.engine import Store
from matpho_platform.store.sealing import Vault
from matpho_platform.store.tables import notify_tokens

from .conftest import BASE, Asked, Postbox, World, make_alert

CANARY = "canary-5f1e:token/with@signs"
JPEG = b"\xff\xd8\xff\xe0 a still \xff\xd9"


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    made = Http(timeout_s=2.0)
    yield made
    await made.close()


def message(**changes: Any) -> Outgoing:
    given = {"key": "k-1", "token": "ABCDEFGHJK", "base": BASE} | changes
    notice = make_alert(facts={"caption": "<b>Khói</b> http://evil.com/x & «lửa»"})
    return render([notice], given.pop("language", "vi"), **given)


def answering(document: dict[str, Any], status: int = 200) -> Any:
    return lambda _asked: Response(json.dumps(document), status_code=status, media_type="application/json")


class TestEmail:
    def sender(self, postbox: Postbox) -> EmailSender:
        settings = EmailSettings(host="127.0.0.1", port=postbox.port, security="none", sender="m@matpho.example")
        return EmailSender(settings)

    async def test_text_and_html_with_the_still_inside(self, postbox: Postbox) -> None:
        await self.sender(postbox).send("an@example.vn", message(picture=JPEG))
        letter = postbox.letters[0]
        kinds = [part.get_content_type() for part in letter.walk()]
        assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/jpeg"]
        html = letter.get_body(("html",))
        assert html is not None
        text = html.get_content()
        assert "cid:still" in text
        assert "<b>Khói" not in text
        assert "&lt;b&gt;Khói" in text
        assert "evil[.]com" in text
        assert letter["subject"] == "Cảnh báo cao: cháy"

    async def test_every_try_is_the_same_mail(self, postbox: Postbox) -> None:
        sender = self.sender(postbox)
        for _ in range(2):
            await sender.send("an@example.vn", message())
        assert len({letter["message-id"] for letter in postbox.letters}) == 1

    async def test_nobody_there_is_for_good_and_a_full_box_is_not(self, postbox: Postbox) -> None:
        postbox.refuse = "550 no such user"
        with pytest.raises(RefusedError) as refused:
            await self.sender(postbox).send("an@example.vn", message())
        assert refused.value.address_dead
        postbox.refuse = "452 full"
        with pytest.raises(SendError):
            await self.sender(postbox).send("an@example.vn", message())

    async def test_no_server_is_a_thing_of_the_moment(self) -> None:
        settings = EmailSettings(host="127.0.0.1", port=1, security="none", sender="m@matpho.example")
        with pytest.raises(SendError):
            await EmailSender(settings).send("an@example.vn", message())


class TestSms:
    async def test_the_gateways_own_form_signed(self, world: World, http: Http) -> None:
        world.answering = answering({"ref": "g-1"})
        settings = SmsSettings(
            url=f"{world.url}/send",
            encoding="form",
            fields={"phone": "{to}", "content": "{text}", "requestId": "{key}", "brand": "MATPHO"},
            headers={"x-api-key": SecretStr("k")},
            secret=SecretStr("s" * 16),
            id_field="ref",
        )
        taken = await SmsSender(settings, http).send("+84912345678", message())
        asked = world.asked[0]
        assert taken.foreign_id == "g-1"
        assert (asked.form["phone"], asked.form["brand"], asked.headers["x-api-key"]) == ("+84912345678", "MATPHO", "k")
        assert asked.form["content"].isascii()
        assert asked.form["content"].endswith(f"{BASE}/#incidents/i-1")
        expected = hmac.new(b"s" * 16, asked.headers[TIMESTAMP].encode() + b"." + asked.body, hashlib.sha256)
        assert asked.headers[SIGNATURE] == f"sha256={expected.hexdigest()}"

    @pytest.mark.parametrize(("status", "error"), [(503, SendError), (429, SendError), (400, RefusedError)])
    async def test_what_a_refusal_means(self, world: World, http: Http, status: int, error: type[Exception]) -> None:
        world.answering = answering({}, status)
        with pytest.raises(error):
            await SmsSender(SmsSettings(url=f"{world.url}/send"), http).send("+84912345678", message())


class TestTelegram:
    def sender(self, world: World, http: Http) -> TelegramSender:
        settings = TelegramSettings(token=SecretStr(CANARY), name="matpho_bot", url=world.url)
        return TelegramSender(settings, http)

    async def test_a_text_with_buttons(self, world: World, http: Http) -> None:
        world.answering = answering({"ok": True, "result": {"message_id": 7}})
        taken = await self.sender(world, http).send("42", message())
        asked = world.asked[0]
        assert asked.path == f"/bot{CANARY}/sendMessage"
        assert taken.foreign_id == "42:7"
        keyboard = json.loads(asked.form["reply_markup"])["inline_keyboard"][0]
        assert [one["callback_data"] for one in keyboard] == ["a:ABCDEFGHJK", "s:ABCDEFGHJK", "f:ABCDEFGHJK"]
        assert asked.form["text"].startswith("<b>Cảnh báo cao: cháy</b>")
        assert "<code>«&lt;b&gt;Khói" in asked.form["text"]
        assert "http[:]//evil[.]com/x &amp;" in asked.form["text"]

    async def test_a_still_goes_as_a_photo(self, world: World, http: Http) -> None:
        world.answering = answering({"ok": True, "result": {"message_id": 8}})
        await self.sender(world, http).send("42", message(picture=JPEG))
        assert world.asked[0].path.endswith("/sendPhoto")
        assert world.asked[0].form["photo"] == JPEG
        assert len(world.asked[0].form["caption"]) <= 1024

    async def test_it_waits_as_long_as_it_is_asked(self, world: World, http: Http) -> None:
        document = {"ok": False, "error_code": 429, "parameters": {"retry_after": 17}}
        world.answering = answering(document, 429)
        with pytest.raises(SendError) as waits:
            await self.sender(world, http).send("42", message())
        assert waits.value.retry_after_s == 17

    async def test_a_person_who_left_is_gone(self, world: World, http: Http) -> None:
        world.answering = answering({"ok": False, "error_code": 403, "description": "bot was blocked"}, 403)
        with pytest.raises(RefusedError) as refused:
            await self.sender(world, http).send("42", message())
        assert refused.value.address_dead

    async def test_no_error_and_no_log_tells_the_token(
        self, world: World, http: Http, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        sender, errors = self.sender(world, http), []
        for document, status in (({"ok": True}, 200), ({}, 401), ({}, 404), ({}, 500), ({"ok": False}, 400)):
            world.answering = answering(document, status)
            try:
                await sender.send("42", message())
            except (SendError, RefusedError) as error:
                errors.append(f"{error!r} {error} {error.__cause__!r}")
        gone = TelegramSettings(token=SecretStr(CANARY), name="matpho_bot", url="http://127.0.0.1:1")
        with pytest.raises(SendError) as away:
            await TelegramSender(gone, http).send("42", message())
        said = " ".join([*errors, str(away.value), repr(gone), caplog.text])
        assert len(errors) == 4
        assert "canary" not in said


class TestZalo:
    async def test_the_bot_gets_text_alone(self, world: World, http: Http) -> None:
        world.answering = answering({"ok": True, "result": {"message_id": "z-1"}})
        sender = ZaloBotSender(ZaloBotSettings(token=SecretStr(CANARY), url=world.url), http)
        taken = await sender.send("u-1", message(picture=JPEG))
        text = world.asked[0].document["text"]
        assert taken.foreign_id == "z-1"
        assert len(text) <= 2000
        assert "NHAN ABCDEFGHJK" in text
        assert set(world.asked[0].document) == {"chat_id", "text"}

    async def test_an_official_account_renews_its_token_and_keeps_both_sealed(
        self, world: World, http: Http, store: Store, tmp_path: Path
    ) -> None:
        given = iter(range(1, 10))
        refused: set[str] = set()

        def zalo(asked: Asked) -> Response:
            if asked.path.endswith("/access_token"):
                assert asked.headers["secret_key"] == "app-secret"
                spent = asked.form["refresh_token"]
                if spent in refused:
                    return Response(json.dumps({"error": -14014}))
                refused.add(spent)
                number = next(given)
                return Response(
                    json.dumps({"access_token": f"a-{number}", "refresh_token": f"r-{number}", "expires_in": "3600"})
                )
            good = asked.headers["access_token"] == "a-2"
            return Response(json.dumps({"error": 0, "data": {"message_id": "m"}} if good else {"error": -216}))

        world.answering = zalo
        vault = Vault.load_or_create(tmp_path / "notify.key")
        settings = ZaloOaSettings(
            app_id="123",
            app_secret=SecretStr("app-secret"),
            refresh_token=SecretStr("r-0"),
            url=world.url,
            oauth_url=world.url,
        )
        sender = ZaloOaSender(settings, ZaloTokens(settings, store, vault, http), http)
        assert (await sender.send("u-1", message())).foreign_id == "m"
        body = next(one for one in world.asked if "message/transaction" in one.path).document
        payload = body["message"]["attachment"]["payload"]
        assert payload["buttons"][0]["payload"] == "NHAN ABCDEFGHJK"
        assert payload["buttons"][-1]["payload"] == {"url": f"{BASE}/#incidents/i-1"}
        async with store.reading() as session:
            row = await session.first(select(notify_tokens))
        assert row is not None
        assert b"r-2" not in row["sealed"]
        await asyncio.gather(
            *(
                ZaloOaSender(settings, ZaloTokens(settings, store, vault, http), http).send("u", message())
                for _ in range(4)
            )
        )
        assert refused == {"r-0", "r-1"}, "a kept token is used again"


class TestWebhook:
    async def test_the_receiver_can_tell_who_sent_it(self, world: World, http: Http) -> None:
        key = SigningKey.generate()
        target = WebhookTarget(name="soc", url=f"{world.url}/hook", secret=SecretStr("t" * 16))
        sender = WebhookSender((target,), key, http)
        await sender.send("soc", message())
        asked = world.asked[0]
        found = verify_request("POST", asked.path, asked.headers, asked.body, lambda _id: key.public, tag=TAG)
        assert found.key_id == key.public.key_id
        assert asked.headers["idempotency-key"] == asked.document["id"]
        assert asked.document["notices"][0]["facts"]["incident_id"] == "i-1"

    async def test_nothing_goes_to_an_address_that_is_no_target(self, world: World, http: Http) -> None:
        sender = WebhookSender((), SigningKey.generate(), http)
        with pytest.raises(RefusedError):
            await sender.send(f"{world.url}/hook", message())
        assert world.asked == []


class TestWebPush:
    def browser(self, world: World) -> tuple[str, ec.EllipticCurvePrivateKey, bytes]:
        from base64 import urlsafe_b64encode

        private, auth = ec.generate_private_key(ec.SECP256R1()), b"a" * 16
        point = private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": urlsafe_b64encode(point).decode(), "auth": urlsafe_b64encode(auth).decode()}
        return json.dumps({"endpoint": f"{world.url}/push/1", "keys": keys}), private, auth

    def sender(self, world: World, http: Http, tmp_path: Path) -> WebPushSender:
        settings = WebPushSettings(contact="mailto:m@matpho.example", services=(world.url.removeprefix("http://"),))
        return WebPushSender(settings, VapidKey.load_or_create(tmp_path / "vapid.pem"), http)

    async def test_only_the_browser_can_read_it_and_we_are_known(
        self, world: World, http: Http, tmp_path: Path
    ) -> None:
        world.answering = lambda _asked: Response(status_code=201)
        sender = self.sender(world, http, tmp_path)
        address, private, auth = self.browser(world)
        await sender.send(sender.checked(address), message())
        asked = world.asked[0]
        document = json.loads(http_ece.decrypt(asked.body, private_key=private, auth_secret=auth))
        assert document["title"] == "Cảnh báo cao: cháy"
        assert Vapid02.verify(asked.headers["authorization"])
        assert (tmp_path / "vapid.pem").stat().st_mode & 0o077 == 0
        assert VapidKey.load_or_create(tmp_path / "vapid.pem").public == sender.public_key

    async def test_a_browser_that_unsubscribed_is_gone(self, world: World, http: Http, tmp_path: Path) -> None:
        world.answering = lambda _asked: Response(status_code=410)
        with pytest.raises(RefusedError) as refused:
            await self.sender(world, http, tmp_path).send(self.browser(world)[0], message())
        assert refused.value.address_dead

    async def test_a_subscription_cannot_name_any_host(self, world: World, http: Http, tmp_path: Path) -> None:
        sender = self.sender(world, http, tmp_path)
        address = json.loads(self.browser(world)[0])
        for endpoint in (
            "https://169.254.169.254/x",
            "http://127.0.0.1:9/x",
            "https://evil.example/x",
            "file:///etc/x",
        ):
            with pytest.raises(AddressError):
                sender.checked(json.dumps(address | {"endpoint": endpoint}))


def test_settings_show_no_secret() -> None:
    settings = NotifySettings.model_validate(
        {
            "telegram": {"token": CANARY, "name": "matpho_bot", "webhook_secret": CANARY},
            "zalo_oa": {"app_id": "1", "app_secret": CANARY, "refresh_token": CANARY},
            "apprise": [{"name": "x", "url": f"json://{CANARY}"}],
            "email": {"host": "h", "sender": "a@b.vn", "password": CANARY},
        }
    )
    assert "canary" not in repr(settings) + settings.model_dump_json()
