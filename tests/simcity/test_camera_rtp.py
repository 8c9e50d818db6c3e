"""RTP: what goes in as NAL units comes out of an independent reading of the packets."""

from __future__ import annotations

import struct

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matpho_simcity.camera.pattern import PatternSource
from matpho_simcity.camera.rtsp.rtp import MAX_PAYLOAD, RtpSender, payloads
from matpho_simcity.camera.video.encoder import H264Encoder, StreamFormat, parameter_sets
from matpho_simcity.video import PtzPosition

FORMAT = StreamFormat(320, 180, 10.0, 300_000, 2.0)


def reassemble(parts: tuple[bytes, ...]) -> list[bytes]:
    """NAL units read back from payloads as RFC 6184 says."""
    units: list[bytes] = []
    for part in parts:
        kind = part[0] & 0x1F
        if kind == 24:
            rest = part[1:]
            while rest:
                size = struct.unpack("!H", rest[:2])[0]
                units.append(rest[2 : 2 + size])
                rest = rest[2 + size :]
        elif kind == 28:
            if part[1] & 0x80:
                units.append(bytes([part[0] & 0xE0 | part[1] & 0x1F]))
            units[-1] += part[2:]
        else:
            units.append(part)
    return units


nal_units = st.builds(
    lambda kind, size: bytes([0x60 | kind]) + bytes(size), st.sampled_from([1, 5, 7, 8]), st.integers(1, 6000)
)


class TestPayloads:
    @given(st.lists(nal_units, min_size=1, max_size=6))
    def test_round_trip_within_the_size(self, units: list[bytes]) -> None:
        parts = payloads(units)
        assert reassemble(parts) == units
        assert max(map(len, parts)) <= MAX_PAYLOAD

    @pytest.mark.parametrize("size", [MAX_PAYLOAD - 1, MAX_PAYLOAD, MAX_PAYLOAD + 1, 2 * MAX_PAYLOAD])
    def test_at_the_edges(self, size: int) -> None:
        unit = b"\x65" + bytes(size - 1)
        assert reassemble(payloads([b"\x67a", b"\x68b", unit])) == [b"\x67a", b"\x68b", unit]

    def test_first_and_last_fragment_are_marked(self) -> None:
        parts = payloads([b"\x65" + bytes(4000)])
        assert [part[1] >> 6 for part in parts] == [2, 0, 1]


class TestSender:
    def test_first_packet_bears_the_announced_numbers(self) -> None:
        sender = RtpSender()
        sequence, stamp = sender.next_sequence, sender.first_timestamp
        packet = next(sender.packets([b"x"], 123.4))
        assert struct.unpack("!HI", packet[2:8]) == (sequence, stamp)

    def test_numbers_wrap_and_only_the_last_packet_is_marked(self) -> None:
        sender = RtpSender()
        sender.next_sequence, sender.first_timestamp = 0xFFFF, 0xFFFFFFFF
        packets = [*sender.packets([b"a", b"b"], 10.0), *sender.packets([b"c"], 10.1)]
        assert [struct.unpack("!H", one[2:4])[0] for one in packets] == [0xFFFF, 0, 1]
        assert [one[1] >> 7 for one in packets] == [0, 1, 1]
        assert struct.unpack("!I", packets[2][4:8])[0] == 8999

    def test_sender_report_maps_wall_time_to_stream_time(self) -> None:
        sender = RtpSender()
        list(sender.packets([b"abc"], 10.0))
        report = sender.sender_report(11.0, 1_700_000_000.5)
        _, kind, _, source, seconds, fraction, stamp, packets, octets = struct.unpack("!BBHIIIIII", report[:28])
        assert (kind, source, packets, octets) == (200, sender.source, 1, 3)
        assert (seconds - 2_208_988_800, fraction) == (1_700_000_000, 1 << 31)
        assert stamp == (sender.first_timestamp + 90_000) % (1 << 32)
        assert len(report) % 4 == 0


class TestEncoder:
    def test_key_frames_come_as_configured_and_on_demand(self) -> None:
        source, encoder = PatternSource((320, 180)), H264Encoder(FORMAT)
        keys = [
            index
            for index in range(30)
            if encoder.encode(source.frame(index / 10, PtzPosition()), index / 10, key=index == 7)[0]
        ]
        assert keys == [0, 7, 27]

    def test_each_key_frame_is_decodable_alone(self) -> None:
        source, encoder, decoder = PatternSource((640, 360)), H264Encoder(FORMAT), av.CodecContext.create("h264", "r")
        is_key, units = encoder.encode(source.frame(3.0, PtzPosition()), 3.0, key=True)
        assert is_key
        assert units[:2] == [parameter_sets(FORMAT).sequence, parameter_sets(FORMAT).picture]
        stream = b"".join(b"\0\0\0\1" + unit for unit in units)
        frames = [*decoder.decode(av.Packet(stream)), *decoder.decode(None)]
        shown = frames[0].to_ndarray(format="bgr24").astype(np.int16)
        drawn = source.frame(3.0, PtzPosition())[::2, ::2].astype(np.int16)
        assert shown.shape == (180, 320, 3)
        assert np.abs(shown - drawn).mean() < 8

    def test_bit_rate_is_kept(self) -> None:
        generator = np.random.default_rng(1)
        noise = generator.integers(0, 255, (180, 320, 3), dtype=np.uint8)
        encoder = H264Encoder(FORMAT)
        size = sum(
            len(unit)
            for index in range(100)
            for unit in encoder.encode(np.roll(noise, 3 * index, axis=1), index / 10, key=False)[1]
        )
        assert size * 8 / 10 < FORMAT.bit_rate * 1.3
