"""The outbox: durable, all or nothing, once; under kill -9, on a full disk, between processes."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from matpho_contracts.errors import BadInputError, ConfigurationError, StorageFullError
from matpho_contracts.events import Caption, Event, EventData, Evidence, Rule, parse_event
from matpho_contracts.ids import new_event_id
from matpho_contracts.vocabulary import Severity
from matpho_edge import outbox as outbox_module
from matpho_edge.compose import Composed
from matpho_edge.outbox import Outbox

AT = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)


def composed(event_id: str | None = None, still: bytes | None = None) -> Composed:
    digest = None if still is None else hashlib.sha256(still).hexdigest()
    data = EventData(
        camera_id="cam-1",
        area="kim-ma",
        start=AT,
        end=AT,
        severity=Severity.INFO,
        caption=Caption(vi="Xe tải trắng xuất hiện.", en="A white truck appears."),
        evidence=Evidence(thumbnail_sha256=digest),
        rule=Rule(name="object_seen"),
    )
    event = Event(
        id=event_id or new_event_id(),
        source="urn:matpho:edge:box-1:cam-1",
        type="vn.matpho.object_seen",
        time=AT,
        data=data,
    )
    return Composed(event, still)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox.open(tmp_path / "outbox.db")
    yield opened
    opened.close()


class TestKeeping:
    def test_an_event_comes_out_as_it_went_in(self, box: Outbox) -> None:
        item = composed(still=b"\xff\xd8jpeg")
        assert box.put(item)
        (waiting,) = box.take(10, 10**6)
        assert parse_event(waiting.raw) == item.event
        assert waiting.still == item.still
        assert waiting.still_sha256 == hashlib.sha256(b"\xff\xd8jpeg").hexdigest()

    def test_an_event_is_kept_once(self, box: Outbox) -> None:
        item = composed()
        assert box.put(item)
        assert not box.put(item)
        assert box.waiting() == 1

    def test_a_remembered_event_is_not_sent_twice_after_its_acknowledgement(self, box: Outbox) -> None:
        item, other = composed(), composed()
        assert box.put(item, remember=True)
        assert box.put(other)
        box.settle([waiting.seq for waiting in box.take(10, 10**6)])
        assert not box.put(item, remember=True)
        assert box.put(other)

    def test_order_and_limits_of_a_batch(self, box: Outbox) -> None:
        items = [composed(still=b"x" * 1000) for _ in range(10)]
        box.put_all(items)
        assert [waiting.id for waiting in box.take(4, 10**6)] == [item.event.id for item in items[:4]]
        assert 1 <= len(box.take(10, 3000)) <= 2
        assert len(box.take(10, 1)) == 1

    def test_sequence_numbers_are_never_used_again(self, box: Outbox) -> None:
        box.put_all([composed() for _ in range(3)])
        box.settle([waiting.seq for waiting in box.take(10, 10**6)])
        box.put(composed())
        assert box.take(1, 10**6)[0].seq == 4

    def test_refused_events_are_set_aside_with_the_reason(self, box: Outbox) -> None:
        box.put_all([composed(), composed(), composed()])
        first, second, third = box.take(10, 10**6)
        box.settle([first.seq], [(second.seq, "event id is another's")])
        assert [waiting.seq for waiting in box.take(10, 10**6)] == [third.seq]
        (dead,) = box.dead_letters()
        assert (dead.id, dead.raw, dead.reason) == (second.id, second.raw, "event id is another's")

    def test_one_bad_event_of_a_batch_keeps_all_out(self, box: Outbox) -> None:
        too_large = composed(still=b"x" * (600 * 1024))
        with pytest.raises(BadInputError, match="over the limit"):
            box.put_all([composed(), too_large])
        assert box.waiting() == 0

    def test_incarnation_stays_with_the_file(self, tmp_path: Path) -> None:
        first = Outbox.open(tmp_path / "a.db")
        name = first.incarnation
        first.close()
        again, other = Outbox.open(tmp_path / "a.db"), Outbox.open(tmp_path / "b.db")
        assert again.incarnation == name != other.incarnation
        again.close()
        other.close()

    def test_notes(self, box: Outbox) -> None:
        assert box.note("enrolled") is None
        box.set_note("enrolled", "key-1")
        assert box.note("enrolled") == "key-1"


class TestDurability:
    def test_synchronous_is_full(self, box: Outbox) -> None:
        assert box._db.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert box._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"

    def test_a_connection_that_is_not_full_is_refused(self, tmp_path: Path) -> None:
        connection = sqlite3.connect(tmp_path / "x.db")
        connection.execute("PRAGMA synchronous = NORMAL")
        with pytest.raises(ConfigurationError, match="power cut"):
            outbox_module.check_durable(connection)
        connection.close()

    def test_the_mutant_without_the_pragma_cannot_open(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real = outbox_module._configure

        class Weak:
            """A connection on which FULL is silently NORMAL: the mutant that must be caught."""

            def __init__(self, connection: sqlite3.Connection) -> None:
                self._connection = connection

            def execute(self, text: str) -> sqlite3.Cursor:
                return self._connection.execute(text.replace("synchronous = FULL", "synchronous = NORMAL"))

            def executescript(self, text: str) -> sqlite3.Cursor:
                return self._connection.executescript(text)

        monkeypatch.setattr(outbox_module, "_configure", lambda connection, limit: real(Weak(connection), limit))
        with pytest.raises(ConfigurationError, match="power cut"):
            Outbox.open(tmp_path / "weak.db")

    def test_kill_nine_loses_nothing_that_was_acknowledged(self, tmp_path: Path) -> None:
        script = (
            "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
            "from tests.edge.test_outbox import composed\n"
            "from matpho_edge.outbox import Outbox\n"
            "box = Outbox.open(Path(sys.argv[1]))\n"
            "while True:\n"
            "    item = composed(still=b'x' * 5000); box.put(item); print(item.event.id, flush=True)\n"
        )
        root = str(Path(__file__).parents[2])
        path = tmp_path / "outbox.db"
        child = subprocess.Popen([sys.executable, "-c", script, str(path), root], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        told = [child.stdout.readline().strip() for _ in range(40)]
        os.kill(child.pid, signal.SIGKILL)
        told += child.stdout.read().split("\n")
        child.wait()
        child.stdout.close()
        box = Outbox.open(path)
        kept = {waiting.id for waiting in box.take(10_000, 10**9)}
        whole = {event_id for event_id in told if len(event_id) == 36}
        assert len(whole) >= 40
        assert whole <= kept
        assert len(kept) - len(whole) <= 1
        for waiting in box.take(10_000, 10**9):
            assert parse_event(waiting.raw).id == waiting.id
        box.close()


class TestFullDisk:
    def fill(self, box: Outbox) -> int:
        def put_for_ever() -> None:
            while True:
                box.put(composed(still=b"x" * 100_000))

        with pytest.raises(StorageFullError, match="no room") as caught:
            put_for_ever()
        assert caught.value.status == 507
        assert "Free disk space" in caught.value.action
        return box.waiting()

    def test_a_full_outbox_refuses_whole_and_goes_on_after_room_is_made(self, tmp_path: Path) -> None:
        box = Outbox.open(tmp_path / "small.db", limit_bytes=2 * 1024 * 1024)
        kept = self.fill(box)
        assert 10 < kept < 25
        assert box._db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert all(len(waiting.still or b"") == 100_000 for waiting in box.take(100, 10**9))
        box.settle([waiting.seq for waiting in box.take(3, 10**9)])
        assert box.put(composed(still=b"x" * 100_000))
        box.close()

    def test_a_batch_that_does_not_fit_leaves_nothing_behind(self, tmp_path: Path) -> None:
        box = Outbox.open(tmp_path / "small.db", limit_bytes=1024 * 1024)
        with pytest.raises(StorageFullError):
            box.put_all([composed(still=b"x" * 100_000) for _ in range(20)])
        assert box.waiting() == 0
        assert box.put(composed())
        box.close()

    def test_a_disk_that_is_really_full(self, tmp_path: Path) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True)
        if mounted.returncode != 0:
            pytest.skip("mounting a small disk needs root's rights")
        try:
            box = Outbox.open(disk / "outbox.db")
            kept = self.fill(box)
            assert kept > 0
            box.close()
        finally:
            subprocess.run(["umount", disk], check=True)


class TestStrangeFiles:
    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        path = tmp_path / "outbox.db"
        path.write_bytes(b"this is not a database at all" * 100)
        with pytest.raises(ConfigurationError, match="cannot be used as an outbox"):
            Outbox.open(path)
        assert path.read_bytes().startswith(b"this is not")

    def test_an_absurd_limit(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="at least"):
            Outbox.open(tmp_path / "a.db", limit_bytes=10)

    def test_two_processes_share_one_outbox(self, tmp_path: Path) -> None:
        path = tmp_path / "outbox.db"
        script = (
            "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
            "from tests.edge.test_outbox import composed\n"
            "from matpho_edge.outbox import Outbox\n"
            "box = Outbox.open(Path(sys.argv[1]))\n"
            "for _ in range(30): box.put(composed())\n"
            "box.close()\n"
        )
        child = subprocess.Popen([sys.executable, "-c", script, str(path), str(Path(__file__).parents[2])])
        box = Outbox.open(path)
        for _ in range(30):
            box.put(composed())
            time.sleep(0.005)
        assert child.wait(60) == 0
        assert box.waiting() == 60
        box.close()
