"""Checkpoints: PyTorch's `.pt` files, safetensors and `.npz`, read without running anything in them."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import IO, Any, Final, TypeAlias

from ..devices import Device, check_device
from ..functional.node import seal
from ..functional.warn import warn_user
from ..lifting import wrap
from ..tensor import Tensor
from .archive import Archive, DamagedFile as DamagedFile, Path, write_archive, write_whole
from .arrays import (
    load_npz as load_npz,
    load_safetensors as load_safetensors,
    save_npz as save_npz,
    save_safetensors as save_safetensors,
)
from .pickling import Writer
from .storages import Stored
from .unpickling import Interpreter, RefusedFile as RefusedFile

File: TypeAlias = Path | IO[bytes]
MapLocation: TypeAlias = Device | Mapping[str, Device] | Callable[[Tensor, str], object]

_always: Final[dict[str, Any]] = {}
_allowed: Final[ContextVar[Mapping[str, Any]]] = ContextVar("nngrad_safe_globals")


def save(
    obj: object,
    f: File,
    pickle_module: object = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Write an object to a file in PyTorch's `.pt` format, which PyTorch loads.

    obj: tensors, state_dicts, optimiser states, numbers, text, and plain containers of them. (Other
    objects are written too, by the names of their classes, which the reader has to be allowed.)
    f: a path, where the file appears whole or not at all; or a file that is open for writing.
    A path that ends in `.safetensors` or `.npz` takes a mapping of names to tensors, in that format.
    pickle_protocol: from 2 on; all that is written is in protocol 2, which every reader knows.
    Raises PicklingError for what cannot be found again by its name.
    """
    if not _use_new_zipfile_serialization:
        raise ValueError("save: the format from before PyTorch 1.6 is not written")
    if not 2 <= pickle_protocol <= pickle.HIGHEST_PROTOCOL:
        raise ValueError(
            f"save: pickle_protocol must be from 2 to {pickle.HIGHEST_PROTOCOL}, got {pickle_protocol}"
        )
    by_suffix = _SUFFIXES.get(_suffix(f))
    if by_suffix is not None:
        by_suffix[0](obj, f)
        return
    writer = Writer()
    pickled = writer.pickled(obj)
    arrays = writer.storages.arrays
    if isinstance(f, (str, os.PathLike)):
        name = os.path.splitext(os.path.basename(os.fspath(f)))[0] or "archive"
        write_whole(f, lambda file: write_archive(file, name, pickled, arrays))
        return
    if not hasattr(f, "write"):
        raise TypeError(f"save: f must be a path or a file that is open for writing, got {type(f).__name__}")
    buffer = io.BytesIO()
    write_archive(buffer, "archive", pickled, arrays)
    f.write(buffer.getbuffer())


def load(
    f: File,
    map_location: MapLocation = None,
    pickle_module: object = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    encoding: str = "utf-8",
) -> Any:
    """What a `.pt` file holds that `save`, here or in PyTorch, wrote. Nothing in it is run.

    Tensors, numbers, text and plain containers are built; a file that asks for any other class is
    refused with its name, unless the program allowed that (`add_safe_globals`). Tensors that
    shared memory when they were saved stay in step.
    f: a path, or a file that is open for reading. A path that ends in `.safetensors` or `.npz` is read
    as such. map_location: where to put tensors that were on another device: "cpu" is what there is.
    weights_only: always True in effect; False gives a warning that says so. mmap, encoding: accepted
    for PyTorch's sake, without effect.
    Raises UnpicklingError for a file that is refused, RuntimeError for one that is damaged.
    """
    if weights_only is False:
        warn_user(
            "load: weights_only=False, which would run whatever the file says, has no effect: a file that "
            "needs other classes than tensors and containers is refused, unless "
            "nngrad.serialization.add_safe_globals allows them"
        )
    if pickle_module is not None:
        raise ValueError("load: pickle_module would run whatever the file says: leave it out")
    by_suffix = _SUFFIXES.get(_suffix(f))
    if by_suffix is not None:
        return by_suffix[1](f)
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return _loaded(file, map_location)
    if not (hasattr(f, "read") and hasattr(f, "seek") and hasattr(f, "tell")):
        raise AttributeError(
            f"load: f must be a path or a file with read, seek and tell, got {type(f).__name__}; "
            "put what you have in a buffer: io.BytesIO(f.read())"
        )
    return _loaded(f, map_location)


def _loaded(file: IO[bytes], map_location: MapLocation) -> Any:
    archive = Archive(file)

    def fetch(key: str, dtype: Any, numel: int, location: str) -> Stored:
        stored = Stored(key, archive.storage(key, dtype, numel))
        _check_location(map_location, location, stored)
        return stored

    return Interpreter(fetch, {**_always, **_allowed.get({})}, "load").run(archive.pickled())


def _check_location(given: MapLocation, location: str, stored: Stored) -> None:
    """Raise RuntimeError if a storage would have to be anywhere but on the CPU."""
    if callable(given):
        if given(wrap(seal(stored.array)), location) is not None:
            return
        given = None
    if isinstance(given, Mapping):
        given = given.get(location)
    if given is not None:
        check_device("load: map_location", given)
    elif location != "cpu":
        raise RuntimeError(
            f"load: the file holds tensors that were on {location!r}, and there is only the CPU; "
            "give map_location='cpu'"
        )


def _suffix(f: object) -> str:
    return os.path.splitext(os.fspath(f))[1] if isinstance(f, (str, os.PathLike)) else ""


_SUFFIXES: Final[dict[Any, tuple[Callable[..., None], Callable[..., Any]]]] = {
    ".safetensors": (save_safetensors, load_safetensors),
    ".npz": (save_npz, load_npz),
}


# ---------------------------------------------------------------- classes that a program allows


def _named(allowed: Iterable[Any]) -> dict[str, Any]:
    named = {}
    for thing in allowed:
        given, name = thing if isinstance(thing, tuple) else (thing, None)
        if not callable(given):
            raise TypeError(f"safe_globals: expected classes and functions, got {given!r:.80}")
        named[name or f"{given.__module__}.{given.__qualname__}"] = given
    return named


def add_safe_globals(safe_globals: Iterable[Any]) -> None:
    """Allow files to build objects of these classes, and to call these functions: trust them with both.

    Each is a class or function, or a pair of it and the name that files call it by.
    """
    _always.update(_named(safe_globals))


def get_safe_globals() -> list[Any]:
    """The classes and functions that files may use."""
    return list({**_always, **_allowed.get({})}.values())


def clear_safe_globals() -> None:
    """Allow none any more."""
    _always.clear()


class safe_globals:
    """Allow files some classes and functions in a `with` block; see `add_safe_globals`."""

    def __init__(self, safe_globals: Iterable[Any]) -> None:
        self._named = _named(safe_globals)

    def __enter__(self) -> None:
        self._token = _allowed.set({**_allowed.get({}), **self._named})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _allowed.reset(self._token)
