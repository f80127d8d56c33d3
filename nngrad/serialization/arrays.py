"""Named tensors in two simple formats: NumPy's `.npz`, and safetensors through its library."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import of
from ..functional.node import seal
from ..lifting import wrap
from ..tensor import Tensor
from .archive import DamagedFile, Path, write_whole

if TYPE_CHECKING:
    from types import ModuleType

    from ..functional.dtypes import AnyArray

    Values = Mapping[str, Tensor | AnyArray]


def _arrays(op: str, tensors: Values) -> dict[str, AnyArray]:
    if not isinstance(tensors, Mapping):
        raise TypeError(f"{op}: expected a mapping of names to tensors, got {type(tensors).__name__}")
    arrays: dict[str, Any] = {}
    for name, value in tensors.items():
        if not isinstance(value, (Tensor, np.ndarray)):
            raise TypeError(
                f"{op}: expected tensors, got a {type(value).__name__} named {name!r:.80}; "
                "a .pt file keeps other things too"
            )
        array: Any = value.node._value if isinstance(value, Tensor) else value
        of(array.dtype)
        arrays[name] = np.asarray(array, order="C")
    return arrays


def _tensor(array: AnyArray) -> Tensor:
    return wrap(seal(array))


def save_npz(tensors: Values, path: Path) -> None:
    """Write named tensors to an `.npz` file without pickle; it appears whole or not at all.

    Raises TypeError for what is no mapping of names to tensors.
    """
    arrays = _arrays("save_npz", tensors)

    def write(file: Any) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                with archive.open(name + ".npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, array, allow_pickle=False)

    write_whole(path, write)


def load_npz(path: Path) -> dict[str, Tensor]:
    """The tensors of an `.npz` file by name. Nothing in it is run.

    Raises RuntimeError for a file that is damaged, or holds objects.
    """
    size = os.path.getsize(path)
    found: dict[str, Tensor] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                found[entry.filename.removesuffix(".npy")] = _tensor(_array(archive, entry, size))
    except (DamagedFile, FileNotFoundError):
        raise
    except Exception as error:  # a damaged file fails in many ways
        raise DamagedFile(f"load_npz: the file is damaged, or no .npz file of numbers: {error}") from error
    return found


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, size: int) -> AnyArray:
    """One array, whose header's word for its size is taken only up to the record's."""
    if entry.file_size > 1100 * size:  # no compression that NumPy uses does better
        raise DamagedFile(f"load_npz: record {entry.filename!r} is said to have {entry.file_size} bytes")
    with archive.open(entry) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"format version {version}")
        read: Any = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = read(stream)
        of(dtype.newbyteorder("="))
        count = 1
        for n in shape:
            count *= int(n)
        if min(shape, default=0) < 0 or count * dtype.itemsize > entry.file_size:
            raise ValueError(f"shape {shape} for a record of {entry.file_size} bytes")
        content = stream.read()
    if len(content) != count * dtype.itemsize:
        raise ValueError(f"shape {shape} for {len(content)} bytes")
    flat: Any = np.frombuffer(content, dtype).astype(dtype.newbyteorder("="))
    array: AnyArray = flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
    return array


def _library() -> ModuleType:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            "safetensors files need the library of that name: pip install nngrad[safetensors]"
        ) from None
    library: ModuleType = safetensors
    return library


def save_safetensors(tensors: Values, path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write named tensors to a safetensors file; it appears whole or not at all.

    Raises ImportError without the library, TypeError for what is no mapping of names to tensors.
    """
    library = _library()
    arrays = _arrays("save_safetensors", tensors)
    content: bytes = library.numpy.save(arrays, metadata)
    write_whole(path, lambda file: file.write(content))


def load_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name.

    Raises ImportError without the library, RuntimeError for a file that is damaged.
    """
    library = _library()
    try:
        with library.safe_open(os.fspath(path), "np") as file:
            return {name: _tensor(file.get_tensor(name)) for name in list(file.keys())}
    except FileNotFoundError:
        raise
    except Exception as error:  # the library's own exception among others
        raise DamagedFile(f"load_safetensors: the file is damaged: {error}") from error
