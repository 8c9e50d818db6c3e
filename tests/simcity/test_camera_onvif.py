"""The ONVIF services, asked by an independent client: profiles, addresses, moves, imaging, events."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import cv2
import numpy as np
import pytest
from onvif import ONVIFCamera
from onvif.exceptions import ONVIFAuthError
from zeep.exceptions import Fault

from matpho_simcity.camera import CameraIdentity, CameraLimits, CameraSettings, SimulatedCamera
from matpho_simcity.camera.pattern import PatternSource

PASSWORD = "đúng mật khẩu"
SOURCE = {"VideoSourceToken": "video_source_1"}
MAIN = {"ProfileToken": "profile_main"}


@pytest.fixture
def source() -> PatternSource:
    return PatternSource((320, 180))


@pytest.fixture
async def camera(source: PatternSource) -> AsyncIterator[SimulatedCamera]:
    identity = CameraIdentity("O1", "Cổng trường", location=("city/hanoi",))
    settings = CameraSettings(sub_size=(160, 90), limits=CameraLimits(event_subscriptions=2, presets=2))
    async with SimulatedCamera(source, identity, username="admin", password=PASSWORD, settings=settings) as camera:
        yield camera


@pytest.fixture
async def client(camera: SimulatedCamera) -> AsyncIterator[ONVIFCamera]:
    client = ONVIFCamera("127.0.0.1", camera.ports.http, "admin", PASSWORD)
    await client.update_xaddrs()
    yield client
    await client.close()


class TestDevice:
    async def test_name_plate_and_services(self, client: ONVIFCamera, camera: SimulatedCamera) -> None:
        device = await client.create_devicemgmt_service()
        told = await device.GetDeviceInformation()
        assert (told.SerialNumber, told.Model) == ("O1", "SC-360")
        assert {scope.ScopeItem for scope in await device.GetScopes()} == set(camera.scopes)
        assert {uri.split("/")[-2] for uri in client.xaddrs} >= {"media", "ptz", "imaging", "events", "device"}
        assert all(address.startswith(f"http://127.0.0.1:{camera.ports.http}/") for address in client.xaddrs.values())
        capabilities = await client.get_capabilities()
        assert capabilities["PTZ"]["XAddr"] == client.xaddrs["http://www.onvif.org/ver20/ptz/wsdl"]
        assert capabilities["Events"]["WSPullPointSupport"] is True

    async def test_wrong_password(self, camera: SimulatedCamera) -> None:
        thief = ONVIFCamera("127.0.0.1", camera.ports.http, "admin", "wrong")
        try:
            await thief.update_xaddrs()  # open to everybody
            device = await thief.create_devicemgmt_service()
            with pytest.raises(Fault) as caught:
                await device.GetDeviceInformation()
            assert [name.localname for name in caught.value.subcodes] == ["NotAuthorized"]
            media = await thief.create_media_service()
            with pytest.raises(Fault):
                await media.GetProfiles()
        finally:
            await thief.close()

    async def test_clock_that_is_wrong_can_be_followed(self, source: PatternSource) -> None:
        offset = dt.timedelta(days=-400)
        async with SimulatedCamera(
            source, CameraIdentity("O2", "x"), username="admin", password=PASSWORD, clock_offset=offset
        ) as camera:
            naive = ONVIFCamera("127.0.0.1", camera.ports.http, "admin", PASSWORD)
            adjusted = ONVIFCamera("127.0.0.1", camera.ports.http, "admin", PASSWORD, adjust_time=True)
            try:
                for client in (naive, adjusted):
                    await client.update_xaddrs()
                with pytest.raises(Fault):
                    await (await naive.create_devicemgmt_service()).GetUsers()
                users = await (await adjusted.create_devicemgmt_service()).GetUsers()
                assert [user.Username for user in users] == ["admin"]
            finally:
                await naive.close()
                await adjusted.close()


class TestMedia:
    async def test_profiles_and_addresses(self, client: ONVIFCamera, camera: SimulatedCamera) -> None:
        media = await client.create_media_service()
        main, sub = await media.GetProfiles()
        assert (main.VideoEncoderConfiguration.Resolution.Width, sub.VideoEncoderConfiguration.Resolution.Width) == (
            320,
            160,
        )
        assert main.PTZConfiguration.token == "ptz_config_1"
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        uri = await media.GetStreamUri({"StreamSetup": setup, "ProfileToken": sub.token})
        assert uri.Uri == camera.stream_url("sub")
        with pytest.raises(Fault, match="no such profile"):
            await media.GetProfile({"ProfileToken": "none"})
        multicast = {"Stream": "RTP-Multicast", "Transport": {"Protocol": "UDP"}}
        with pytest.raises(Fault):
            await media.GetStreamUri({"StreamSetup": multicast, **MAIN})

    async def test_still(self, client: ONVIFCamera, camera: SimulatedCamera) -> None:
        for token, size in (("profile_main", (180, 320)), ("profile_sub", (90, 160))):
            jpeg = await client.get_snapshot(token)
            assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape[:2] == size
        assert camera.pictures_drawn == 2

    async def test_still_needs_the_password(self, camera: SimulatedCamera) -> None:
        thief = ONVIFCamera("127.0.0.1", camera.ports.http, "admin", "wrong")
        thief._snapshot_uris["x"] = f"http://127.0.0.1:{camera.ports.http}/onvif/snapshot/profile_main"
        try:
            with pytest.raises(ONVIFAuthError):
                await thief.get_snapshot("x")
        finally:
            await thief.close()
        assert camera.pictures_drawn == 0

    async def test_bit_rate_and_key_frames_can_be_set(self, client: ONVIFCamera) -> None:
        media = await client.create_media_service()
        configuration = (await media.GetVideoEncoderConfigurations())[0]
        configuration.RateControl.BitrateLimit, configuration.H264.GovLength = 640, 15
        await media.SetVideoEncoderConfiguration({"Configuration": configuration, "ForcePersistence": True})
        found = await media.GetVideoEncoderConfiguration({"ConfigurationToken": configuration.token})
        assert (found.RateControl.BitrateLimit, found.H264.GovLength) == (640, 15)
        configuration.Resolution.Width = 1920
        with pytest.raises(Fault):
            await media.SetVideoEncoderConfiguration({"Configuration": configuration, "ForcePersistence": True})


async def position(ptz: Any) -> tuple[float, float, float]:
    found = (await ptz.GetStatus(MAIN)).Position
    return found.PanTilt.x, found.PanTilt.y, found.Zoom.x


async def at_rest(ptz: Any) -> tuple[float, float, float]:
    for _ in range(200):
        if (await ptz.GetStatus(MAIN)).MoveStatus.PanTilt == "IDLE":
            return await position(ptz)
        await asyncio.sleep(0.05)
    raise TimeoutError


class TestPtz:
    async def test_moves_take_time_and_shift_the_picture(self, client: ONVIFCamera) -> None:
        ptz = await client.create_ptz_service()
        before = await client.get_snapshot("profile_main")
        await ptz.AbsoluteMove({**MAIN, "Position": {"PanTilt": {"x": 0.4, "y": 0.2}, "Zoom": {"x": 0.1}}})
        assert (await ptz.GetStatus(MAIN)).MoveStatus.PanTilt == "MOVING"
        assert await at_rest(ptz) == pytest.approx((0.4, 0.2, 0.1))
        first, second = (
            cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE).astype(int)
            for jpeg in (before, await client.get_snapshot("profile_main"))
        )
        assert np.abs(first - second)[20:80].mean() > 10
        await ptz.RelativeMove({**MAIN, "Translation": {"PanTilt": {"x": -0.1, "y": 0}}})
        assert await at_rest(ptz) == pytest.approx((0.3, 0.2, 0.1))

    async def test_continuous_move_and_stop(self, client: ONVIFCamera) -> None:
        ptz = await client.create_ptz_service()
        await ptz.ContinuousMove({**MAIN, "Velocity": {"PanTilt": {"x": -0.2, "y": 0}}})
        await asyncio.sleep(0.2)
        await ptz.Stop(MAIN)
        stopped = await position(ptz)
        assert -1 < stopped[0] < 0
        assert await at_rest(ptz) == stopped

    async def test_presets_and_home(self, client: ONVIFCamera) -> None:
        ptz = await client.create_ptz_service()
        await ptz.AbsoluteMove({**MAIN, "Position": {"PanTilt": {"x": 0.2, "y": 0}}})
        await at_rest(ptz)
        token = await ptz.SetPreset({**MAIN, "PresetName": "Cổng"})
        await ptz.SetHomePosition(MAIN)
        await ptz.AbsoluteMove({**MAIN, "Position": {"PanTilt": {"x": 0.0, "y": 0}}})
        await at_rest(ptz)
        await ptz.GotoPreset({**MAIN, "PresetToken": token})
        assert (await at_rest(ptz))[0] == pytest.approx(0.2)
        await ptz.SetPreset({**MAIN, "PresetName": "Hai"})
        with pytest.raises(Fault, match="in use"):
            await ptz.SetPreset({**MAIN, "PresetName": "Ba"})
        assert [preset.Name for preset in await ptz.GetPresets(MAIN)] == ["Cổng", "Hai"]
        await ptz.RemovePreset({**MAIN, "PresetToken": token})
        with pytest.raises(Fault, match="no such preset"):
            await ptz.GotoPreset({**MAIN, "PresetToken": token})
        await ptz.AbsoluteMove({**MAIN, "Position": {"PanTilt": {"x": 0.1, "y": 0}}})
        await at_rest(ptz)
        await ptz.GotoHomePosition(MAIN)
        assert (await at_rest(ptz))[0] == pytest.approx(0.2)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"PanTilt": {"x": 1.5, "y": 0}},
            {"PanTilt": {"x": 0, "y": 0, "space": "http://example.org/degrees"}},
            {"Zoom": {"x": -0.5}},
            {"PanTilt": {"x": float("nan"), "y": 0}},
        ],
    )
    async def test_positions_that_cannot_be(self, client: ONVIFCamera, wrong: dict[str, Any]) -> None:
        ptz = await client.create_ptz_service()
        with pytest.raises(Fault):
            await ptz.AbsoluteMove({**MAIN, "Position": wrong})
        assert await position(ptz) == (0, 0, 0)

    async def test_nodes_and_configurations(self, client: ONVIFCamera) -> None:
        ptz = await client.create_ptz_service()
        node = (await ptz.GetNodes())[0]
        assert (node.token, node.MaximumNumberOfPresets) == ("ptz_node_1", 2)
        configuration = (await ptz.GetConfigurations())[0]
        options = await ptz.GetConfigurationOptions({"ConfigurationToken": configuration.token})
        assert options.Spaces.ContinuousPanTiltVelocitySpace[0].XRange.Max == 1

    async def test_a_fixed_camera_has_none(self) -> None:
        source = PatternSource((320, 180), has_ptz=False)
        async with SimulatedCamera(source, CameraIdentity("O3", "x"), username="admin", password=PASSWORD) as camera:
            client = ONVIFCamera("127.0.0.1", camera.ports.http, "admin", PASSWORD)
            try:
                await client.update_xaddrs()
                assert "http://www.onvif.org/ver20/ptz/wsdl" not in client.xaddrs
                profiles = await (await client.create_media_service()).GetProfiles()
                assert profiles[0].PTZConfiguration is None
            finally:
                await client.close()


class TestImaging:
    async def test_brightness_changes_the_picture(self, client: ONVIFCamera) -> None:
        imaging = await client.create_imaging_service()
        assert (await imaging.GetOptions(SOURCE)).Brightness.Max == 100

        async def grey() -> float:
            jpeg = await client.get_snapshot("profile_main")
            return float(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE).mean())

        before = await grey()
        await imaging.SetImagingSettings({**SOURCE, "ImagingSettings": {"Brightness": 70}})
        assert await grey() == pytest.approx(before + 40, abs=6)
        settings = await imaging.GetImagingSettings(SOURCE)
        assert (settings.Brightness, settings.Contrast) == (70, 50)
        with pytest.raises(Fault):
            await imaging.SetImagingSettings({**SOURCE, "ImagingSettings": {"Contrast": 101}})
        with pytest.raises(Fault):
            await imaging.GetImagingSettings({"VideoSourceToken": "none"})


def told(answer: Any) -> list[tuple[str, str, str]]:
    return [
        (
            notice.Topic._value_1,
            notice.Message._value_1.PropertyOperation,
            notice.Message._value_1.Data.SimpleItem[0].Value,
        )
        for notice in answer.NotificationMessage
    ]


class TestEvents:
    async def test_pull_point_tells_state_then_changes(
        self, client: ONVIFCamera, camera: SimulatedCamera, source: PatternSource
    ) -> None:
        source.moves = False
        manager = await client.create_pullpoint_manager(dt.timedelta(seconds=60), lambda: None)
        pull = {"MessageLimit": 10, "Timeout": dt.timedelta(seconds=5)}
        service = manager.get_service()
        assert told(await service.PullMessages(pull)) == [
            ("tns1:VideoSource/MotionAlarm", "Initialized", "false"),
            ("tns1:Device/Trigger/DigitalInput", "Initialized", "false"),
        ]
        camera.set_digital_input(True)
        assert told(await service.PullMessages(pull)) == [("tns1:Device/Trigger/DigitalInput", "Changed", "true")]
        source.moves = True
        assert told(await service.PullMessages(pull)) == [("tns1:VideoSource/MotionAlarm", "Changed", "true")]
        await manager.set_synchronization_point()
        assert [state for _, state, _ in told(await service.PullMessages(pull))] == ["Initialized", "Initialized"]
        await manager._call_subscription_renew()
        await manager.shutdown()
        with pytest.raises(Fault, match="no such subscription"):
            await service.PullMessages(pull)

    async def test_subscriptions_are_few_and_expire(self, client: ONVIFCamera, camera: SimulatedCamera) -> None:
        events = await client.create_events_service()
        for _ in range(2):
            await events.CreatePullPointSubscription({"InitialTerminationTime": "PT1S"})
        with pytest.raises(Fault, match="in use"):
            await events.CreatePullPointSubscription({"InitialTerminationTime": "PT60S"})
        await asyncio.sleep(1.1)
        await events.CreatePullPointSubscription({"InitialTerminationTime": "PT60S"})
        with pytest.raises(Fault):
            await events.CreatePullPointSubscription({"InitialTerminationTime": "soon"})

    async def test_topics(self, client: ONVIFCamera) -> None:
        properties = await (await client.create_events_service()).GetEventProperties()
        names = {element.tag.rpartition("}")[2] for element in properties.TopicSet._value_1}
        assert names == {"VideoSource", "Device"}
