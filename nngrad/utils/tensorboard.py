"""Scalars for TensorBoard: event files that it reads, written without it."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Final

from ..tensor import Tensor

_POLYNOMIAL: Final = 0x82F63B78


def _table() -> list[int]:
    table = []
    for byte in range(256):
        rest = byte
        for _ in range(8):
            rest = rest >> 1 ^ (_POLYNOMIAL if rest & 1 else 0)
        table.append(rest)
    return table


_TABLE: Final = _table()


def checksum(data: bytes) -> int:
    """The CRC-32C of some bytes.

    >>> hex(checksum(b"123456789"))
    '0xe3069283'
    """
    rest = 0xFFFFFFFF
    for byte in data:
        rest = rest >> 8 ^ _TABLE[(rest ^ byte) & 0xFF]
    return rest ^ 0xFFFFFFFF


def _masked(data: bytes) -> bytes:
    crc = checksum(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(number: int) -> bytes:
    out = bytearray()
    number &= (1 << 64) - 1
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


class SummaryWriter:
    """Writes scalars to an event file in a folder, where TensorBoard finds them.

    log_dir: the folder; one under `runs` named after the time unless given. comment: the end of that
    name. purge_step: steps from there on, of an earlier run, are to be forgotten. (What else
    PyTorch's can write, as images and graphs, is not there.)
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
    ) -> None:
        host = socket.gethostname()
        if log_dir is None:
            log_dir = os.path.join("runs", f"{time.strftime('%b%d_%H-%M-%S')}_{host}{comment}")
        self.log_dir: Final = os.fspath(log_dir)
        self._suffix: Final = filename_suffix
        self._within: Final[dict[str, SummaryWriter]] = {}
        os.makedirs(self.log_dir, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time()):010d}.{host}.{os.getpid()}.{id(self)}{filename_suffix}"
        self._file: Final = open(os.path.join(self.log_dir, name), "xb")  # noqa: SIM115  # until close()
        self._write(_field(3, b"brain.Event:2"), None, None)
        if purge_step is not None:
            self._write(_field(7, b"\x08\x01"), purge_step, None)  # a session starts

    def _write(self, what: bytes, step: int | None, walltime: float | None) -> None:
        event = b"\x09" + struct.pack("<d", time.time() if walltime is None else walltime)
        if step is not None:
            event += b"\x10" + _varint(int(step))
        event += what
        size = struct.pack("<Q", len(event))
        self._file.write(size + _masked(size) + event + _masked(event))

    def get_logdir(self) -> str:
        """The folder that it writes to."""
        return self.log_dir

    def add_scalar(
        self,
        tag: str,
        scalar_value: float | Tensor,
        global_step: int | None = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """Write a number under a name. Raises RuntimeError for a tensor of several elements."""
        number = struct.pack("<f", float(scalar_value))
        self._write(_field(5, _field(1, _field(1, tag.encode()) + b"\x15" + number)), global_step, walltime)

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, float | Tensor],
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Write several numbers under one name, each to a folder within, so that one chart shows them."""
        for tag, number in tag_scalar_dict.items():
            folder = os.path.join(self.log_dir, f"{main_tag.replace('/', '_')}_{tag}")
            if folder not in self._within:
                self._within[folder] = SummaryWriter(folder, filename_suffix=self._suffix)
            self._within[folder].add_scalar(main_tag, number, global_step, walltime)

    def flush(self) -> None:
        """Put on the disk what has been written."""
        for writer in (self, *self._within.values()):
            writer._file.flush()

    def close(self) -> None:
        """Close the file."""
        for writer in (self, *self._within.values()):
            writer._file.close()

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
