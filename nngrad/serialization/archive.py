"""PyTorch's `.pt` archive: an uncompressed zip of one pickle and the bytes of each storage."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any, Final

import numpy as np

from ..functional.dtypes import AnyArray, DType

#: where PyTorch's own files put the bytes of a storage: at multiples of this
_ALIGNMENT: Final = 64
_HEADER: Final = 30
_MAGIC: Final = b"PK\x03\x04"
#: how files began before PyTorch 1.6: with a pickled number
_LEGACY: Final = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_RARE: Final = ("constants.pkl", "code/")

Path = str | os.PathLike[str]


class DamagedFile(RuntimeError):
    """A file that is not what it says it is: truncated, changed, or no checkpoint at all."""


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file so that there is the old one or the whole new one, whatever happens in between.

    The new file is made beside the old one, forced to the disk and then takes its name. What is no
    ordinary file (a pipe, a device) is written to directly.
    """
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "wb") as pipe:
            write(pipe)
        return
    folder, name = os.path.split(target)
    beside = os.path.join(folder, f".{name[:100]}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):  # the old file's permissions, where there is one and we may
            os.chmod(beside, os.stat(target).st_mode & 0o7777)
        os.replace(beside, target)
    except BaseException:
        os.unlink(beside)
        raise
    with suppress(OSError):  # not every system opens folders
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def write_archive(file: IO[bytes], name: str, pickled: bytes, storages: Mapping[str, AnyArray]) -> None:
    """Write the archive that holds a pickle and the storages it names. name: of its inner folder."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:

        def add(record: str, content: Any) -> None:
            entry = zipfile.ZipInfo(f"{name}/{record}")
            start = file.tell() + _HEADER + len(entry.filename.encode()) + 4
            padding = -start % _ALIGNMENT
            entry.extra = b"FB" + padding.to_bytes(2, "little") + bytes(padding)
            archive.writestr(entry, content)

        add("data.pkl", pickled)
        add(".format_version", b"1")
        add(".storage_alignment", str(_ALIGNMENT).encode())
        add("byteorder", sys.byteorder.encode())
        for key, array in storages.items():
            add(f"data/{key}", array.reshape(-1).view(np.uint8).data if array.size else b"")
        add("version", b"3\n")


class Archive:
    """An archive that is being read. Nothing larger than the file is ever made of what it says."""

    def __init__(self, file: IO[bytes]) -> None:
        start = file.tell()
        head = file.read(len(_LEGACY))
        size = file.seek(0, os.SEEK_END)
        file.seek(start)
        if head.startswith(_LEGACY):
            raise DamagedFile(
                "load: the file is in the format that PyTorch wrote before version 1.6, which is pickled "
                "throughout and not read here; load it in PyTorch and save it again"
            )
        if not head.startswith(_MAGIC):
            raise DamagedFile(f"load: no checkpoint: the file begins with {head[:8]!r}, not as a zip archive")
        try:
            self._zip: Final = zipfile.ZipFile(file)
            entries = self._zip.infolist()
        except Exception as error:  # a damaged directory fails in many ways
            raise DamagedFile(f"load: the file's directory is damaged or cut off: {error}") from error
        total = 0
        for entry in entries:
            total += entry.file_size
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                raise DamagedFile(f"load: record {entry.filename!r} is compressed, which no checkpoint is")
            if entry.flag_bits & 1:
                raise DamagedFile(f"load: record {entry.filename!r} is encrypted")
        if total > size - start:
            raise DamagedFile(
                f"load: the records are said to hold {total} bytes, and the file has {size - start}"
            )
        self._entries: Final = {entry.filename: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise DamagedFile("load: two records of the file have one name")
        pickles = [name for name in self._entries if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(pickles) != 1:
            raise DamagedFile("load: the file has no record data.pkl, so it is no checkpoint")
        self._folder: Final = pickles[0][: -len("data.pkl")]
        if any(name.startswith(self._folder + rare) for name in self._entries for rare in _RARE):
            raise DamagedFile("load: the file is a TorchScript program, and only checkpoints are read")
        order = self._read("byteorder").decode("latin1") if self._has("byteorder") else "little"
        if order not in ("little", "big"):
            raise DamagedFile(f"load: byteorder is 'little' or 'big', and the file says {order[:20]!r}")
        self._swapped: Final = order != sys.byteorder

    def _has(self, record: str) -> bool:
        return self._folder + record in self._entries

    def pickled(self) -> bytes:
        """The pickle that says what is in the file."""
        return self._read("data.pkl")

    def _read(self, record: str) -> bytes:
        entry = self._entries[self._folder + record]
        content = bytearray(entry.file_size)
        self._read_into(record, memoryview(content))
        return bytes(content)

    def _read_into(self, record: str, buffer: memoryview) -> None:
        try:
            with self._zip.open(self._folder + record) as stream:
                done = 0
                while done < len(buffer):
                    part = stream.read(min(len(buffer) - done, 1 << 20))
                    if not part:
                        break
                    buffer[done : done + len(part)] = part
                    done += len(part)
                rest = stream.read(1)  # at the end the checksum is looked at
        except Exception as error:  # a damaged record fails in many ways
            raise DamagedFile(f"load: record {record!r} is damaged or cut off: {error}") from error
        if done < len(buffer) or rest:
            raise DamagedFile(f"load: record {record!r} is cut off")

    def storage(self, key: str, dtype: DType, numel: int) -> AnyArray:
        """The elements of a storage, in memory of their own. Raises DamagedFile if it has not so many."""
        record = f"data/{key}"
        if not self._has(record):
            raise DamagedFile(f"load: the file has no record {record!r}, which a tensor of it needs")
        held = self._entries[self._folder + record].file_size
        if held != numel * dtype.itemsize:
            raise DamagedFile(
                f"load: storage {key!r} is said to hold {numel} elements of {dtype}, and its record has "
                f"{held} bytes"
            )
        array: Any = np.empty(numel, dtype)
        if numel:
            self._read_into(record, memoryview(array.view(np.uint8)))
        if self._swapped:
            array.byteswap(inplace=True)
        if dtype.kind == "b":  # any byte but 0 is True
            np.not_equal(array.view(np.uint8), 0, out=array)
        return array  # type: ignore[no-any-return]  # an array
