"""Folding, times, ids of short shape and the settings file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from matpho_contracts.errors import ConfigurationError
from matpho_contracts.geometry import Box, contains
from matpho_contracts.ids import is_short_id
from matpho_contracts.settings import SettingsBase, load_settings
from matpho_contracts.text import fold, normalise_plate, words
from matpho_contracts.times import VIETNAM, from_rfc3339, from_unix_ms, to_rfc3339, unix_ms


class TestFolding:
    @pytest.mark.parametrize(
        ("typed", "folded"),
        [
            ("Đường Nguyễn Huệ", "duong nguyen hue"),
            ("ĐƯỜNG  nguyễn\thuệ ", "duong nguyen hue"),
            ("bờ sông", "bo song"),
            ("bo\u031b\u0300 so\u0302ng", "bo song"),
        ],
    )
    def test_marks_case_and_spaces_fall_away(self, typed: str, folded: str) -> None:
        assert fold(typed) == folded

    def test_words_drop_punctuation(self) -> None:
        assert words("Xe tải (trắng), bờ-sông?") == ["xe", "tai", "trang", "bo", "song"]

    def test_plates(self) -> None:
        assert normalise_plate(" 30a-123.45 ") == "30A12345"
        assert normalise_plate("29-Đ1 234.56") == "29D123456"


class TestTimes:
    def test_round_trip_keeps_the_instant_and_the_offset(self) -> None:
        local = datetime(2026, 11, 21, 14, 30, tzinfo=VIETNAM)
        assert to_rfc3339(local) == "2026-11-21T14:30:00.000+07:00"
        assert from_rfc3339(to_rfc3339(local)) == local
        assert from_unix_ms(unix_ms(local)) == local.astimezone(UTC)

    def test_a_naive_time_is_refused(self) -> None:
        with pytest.raises(ValueError, match="offset"):
            from_rfc3339("2026-11-21T14:30:00")
        with pytest.raises(ValueError, match="offset"):
            to_rfc3339(datetime(2026, 11, 21))

    def test_vietnam_has_no_summer_time(self) -> None:
        assert VIETNAM.utcoffset(None) == timedelta(hours=7)


class TestGeometry:
    def test_overlap(self) -> None:
        a, b = Box(x1=0, y1=0, x2=0.5, y2=0.5), Box(x1=0.25, y1=0, x2=0.75, y2=0.5)
        assert a.intersection_over_union(b) == pytest.approx(1 / 3)
        assert a.intersection_over_union(Box(x1=0.6, y1=0.6, x2=1, y2=1)) == 0

    def test_a_notched_polygon(self) -> None:
        notched = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.5), (0.0, 1.0)]
        assert contains(notched, 0.5, 0.25)
        assert not contains(notched, 0.5, 0.9)
        assert not contains(notched, 1.5, 0.5)


class TestShortIds:
    @pytest.mark.parametrize("bad", ["", "../x", "a/b", "a b", "-a", "a" * 65, "a\n", "ă"])
    def test_unsafe_names_are_refused(self, bad: str) -> None:
        assert not is_short_id(bad)

    def test_plain_names_pass(self) -> None:
        assert is_short_id("HN-HK")
        assert is_short_id("cam_07.a:b")


class _Inner(SettingsBase):
    port: int


class _Outer(SettingsBase):
    name: str = "x"
    web: _Inner
    secret: str = ""


class TestSettingsFile:
    def write(self, tmp_path: Path, text: str) -> Path:
        path = tmp_path / "matpho.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def test_environment_values_are_put_in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MATPHO_TEST_VALUE", "from outside")
        path = self.write(tmp_path, "web:\n  port: 1\nsecret: ${MATPHO_TEST_VALUE}\n")
        assert load_settings(path, _Outer).secret == "from outside"

    def test_a_missing_variable_is_named(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, "web:\n  port: 1\nsecret: ${MATPHO_SURELY_NOT_SET}\n")
        with pytest.raises(ConfigurationError, match="MATPHO_SURELY_NOT_SET"):
            load_settings(path, _Outer)

    def test_an_error_names_the_line_and_the_key(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, "name: a\nweb:\n  port: many\n")
        with pytest.raises(ConfigurationError, match=r"line 3: web\.port"):
            load_settings(path, _Outer)

    @pytest.mark.parametrize("text", ["web: {port: 1}\nunknown: 2\n", "a: [", "- 1\n", ""])
    def test_what_is_no_settings_file_is_refused(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(ConfigurationError):
            load_settings(self.write(tmp_path, text), _Outer)

    def test_a_missing_file_is_said_plainly(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="cannot be read"):
            load_settings(tmp_path / "none.yaml", _Outer)
