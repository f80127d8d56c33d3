"""Event files hold what was written, record by record, as TensorBoard's format asks."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

import nngrad
from nngrad.utils.tensorboard import SummaryWriter, checksum


def fields(message: bytes) -> dict[int, int | bytes]:
    """A protocol buffer's fields by number, each once."""
    found: dict[int, int | bytes] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        number = shift = 0
        while True:
            byte = message[at]
            at += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            found[key >> 3] = varint()
        else:
            size = {1: 8, 5: 4}.get(key & 7) or varint()
            found[key >> 3] = message[at : at + size]
            at += size
    return found


def events(folder: Path) -> Iterator[dict[int, int | bytes]]:
    """The events of the only file in a folder, their checksums checked."""
    (path,) = folder.glob("events.out.tfevents.*")
    data = path.read_bytes()
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        content = data[12 : 12 + size]
        for part, masked in ((data[:8], data[8:12]), (content, data[12 + size : 16 + size])):
            crc = (struct.unpack("<I", masked)[0] - 0xA282EAD8) & 0xFFFFFFFF
            assert (crc >> 17 | crc << 15) & 0xFFFFFFFF == checksum(part)
        yield fields(content)
        data = data[16 + size :]


def scalar(event: dict[int, int | bytes]) -> tuple[object, ...]:
    summary = event[5]
    assert isinstance(summary, bytes)
    value = fields(summary)[1]
    assert isinstance(value, bytes)
    found = fields(value)
    number = found[2]
    assert isinstance(number, bytes)
    return found[1], struct.unpack("<f", number)[0], event.get(2)


def test_scalars(tmp_path: Path) -> None:
    assert checksum(b"123456789") == 0xE3069283
    with SummaryWriter(log_dir=tmp_path / "run") as writer:
        writer.add_scalar("Loss/train", 0.5, 1, walltime=12.5)
        writer.add_scalar("Loss/train", nngrad.tensor(0.25, requires_grad=True), 300)
        writer.add_scalar("é", 3)
        writer.add_scalars("both", {"a": 1.0, "b": 2.0}, 7)
        writer.flush()
        assert writer.get_logdir() == str(tmp_path / "run")
        with pytest.raises(ValueError, match="one element"):
            writer.add_scalar("x", nngrad.ones(2))
    first, *rest = events(tmp_path / "run")
    assert first[3] == b"brain.Event:2"
    assert rest[0][1] == struct.pack("<d", 12.5)
    assert [scalar(event) for event in rest] == [
        (b"Loss/train", 0.5, 1), (b"Loss/train", 0.25, 300), ("é".encode(), 3.0, None)
    ]  # fmt: skip
    assert scalar(list(events(tmp_path / "run" / "both_b"))[1]) == (b"both", 2.0, 7)


def test_the_folder_is_named_after_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    SummaryWriter(comment="-mine", purge_step=5).close()
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.endswith("-mine")
    _, start = events(folder)
    assert (start[2], start[7]) == (5, b"\x08\x01")
