"""Writing pickles that PyTorch's own safe reader takes: protocol 2, under PyTorch's names."""

from __future__ import annotations

import importlib
import pickle
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType
from typing import Any, Final

from .. import dtypes
from ..devices import device, layout
from ..nn.parameter import Parameter
from ..tensor import Size, Tensor
from .storages import NAMES, Storages

_BATCH: Final = 1000
_NEW_OBJECT: Final = object().__reduce_ex__(2)[0]


class Global:
    """A name that a pickle asks for."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name: Final = name


class Writer:
    """Writes one object. Tensors' elements go to `storages`; the pickle says where they are."""

    def __init__(self) -> None:
        self.storages: Final = Storages()
        self._out = bytearray(b"\x80\x02")
        self._memo: Final[dict[object, tuple[int, Any]]] = {}

    def pickled(self, thing: Any) -> bytes:
        """The pickle of an object. Raises PicklingError for what cannot be found again by its name."""
        self._write(thing)
        return bytes(self._out + b".")

    def _write(self, thing: Any) -> None:
        kind = type(thing)
        simple = _SIMPLE.get(kind)
        if simple is not None:
            self._out += simple(thing)
            return
        key: object = thing if kind is str else thing.name if kind is Global else id(thing)
        seen = self._memo.get((kind, key))
        if seen is not None:
            self._out += b"h" + bytes([seen[0]]) if seen[0] < 256 else b"j" + struct.pack("<I", seen[0])
            return
        write = _WRITERS.get(kind, Writer._object)
        write(self, thing)
        if (kind, key) not in self._memo:
            self._remember(kind, key, thing)

    def _remember(self, kind: type, key: object, thing: Any) -> None:
        index = len(self._memo)
        self._memo[kind, key] = index, thing  # holding it keeps its id from being another's
        self._out += b"q" + bytes([index]) if index < 256 else b"r" + struct.pack("<I", index)

    # ------------------------------------------------------------ plain values

    def _text(self, text: str) -> None:
        encoded = text.encode("utf-8", "surrogatepass")
        self._out += b"X" + struct.pack("<I", len(encoded)) + encoded
        self._remember(str, text, text)

    def _name(self, name: Global) -> None:
        module, _, attribute = name.name.rpartition(".")
        self._out += f"c{module}\n{attribute}\n".encode()
        self._remember(Global, name.name, name)

    def _call(self, function: str, *arguments: Any) -> None:
        self._write(Global(function))
        self._write(arguments)
        self._out += b"R"

    # ------------------------------------------------------------ containers

    def _tuple(self, members: tuple[Any, ...]) -> None:
        if len(members) > 3:
            self._out += b"("
        for member in members:
            self._write(member)
        self._out += (b")", b"\x85", b"\x86", b"\x87")[len(members)] if len(members) <= 3 else b"t"

    def _list(self, members: list[Any]) -> None:
        self._out += b"]"
        self._remember(list, id(members), members)
        self._members(members)

    def _members(self, members: list[Any]) -> None:
        for start in range(0, len(members), _BATCH):
            self._out += b"("
            for member in members[start : start + _BATCH]:
                self._write(member)
            self._out += b"e"

    def _dict(self, items: dict[Any, Any]) -> None:
        self._out += b"}"
        self._remember(dict, id(items), items)
        self._items(items)

    def _items(self, items: dict[Any, Any]) -> None:
        pairs = list(items.items())
        for start in range(0, len(pairs), _BATCH):
            self._out += b"("
            for key, value in pairs[start : start + _BATCH]:
                self._write(key)
                self._write(value)
            self._out += b"u"

    def _ordered(self, items: OrderedDict[Any, Any]) -> None:
        self._call("collections.OrderedDict")
        self._remember(OrderedDict, id(items), items)
        self._items(items)
        if "_metadata" in items.__dict__:
            self._write({"_metadata": items.__dict__["_metadata"]})
            self._out += b"b"

    # ------------------------------------------------------------ tensors

    def _tensor(self, tensor: Tensor) -> None:
        key, place = self.storages.of(tensor)
        array = self.storages.arrays[key]
        self._write(Global("torch._utils._rebuild_tensor_v2"))
        self._out += b"("
        self._write(("storage", Global(f"torch.{NAMES[array.dtype]}"), key, "cpu", array.size))
        self._out += b"Q"
        tracked = False if isinstance(tensor, Parameter) else tensor.requires_grad
        for part in (*place, tracked, _no_hooks()):
            self._write(part)
        self._out += b"tR"

    def _parameter(self, parameter: Parameter) -> None:
        self._write(Global("torch._utils._rebuild_parameter"))
        self._tensor(parameter)
        self._write(parameter.requires_grad)
        self._write(_no_hooks())
        self._out += b"\x87R"

    # ------------------------------------------------------------ anything else

    def _object(self, thing: Any) -> None:
        if isinstance(thing, Parameter):
            self._parameter(thing)
            return
        if isinstance(thing, Tensor):
            self._tensor(thing)
            return
        if isinstance(thing, (type, FunctionType, BuiltinFunctionType)):
            self._found(thing, thing.__qualname__)
            return
        reduced = thing.__reduce_ex__(2)
        if isinstance(reduced, str):
            self._found(thing, reduced)
            return
        parts: tuple[Any, ...] = (*reduced, None, None, None)
        function, arguments, state, members, items = parts[:5]
        if function is _NEW_OBJECT:
            self._write(arguments[0])
            self._write(arguments[1:])
            self._out += b"\x81"
        else:
            self._write(function)
            self._write(arguments)
            self._out += b"R"
        self._remember(type(thing), id(thing), thing)
        if members is not None:
            self._members(list(members))
        if items is not None:
            self._items(dict(items))
        if state is not None:
            self._write(state)
            self._out += b"b"

    def _found(self, thing: Any, name: str) -> None:
        """Write the name of a class or function, if it can be found again by it."""
        module = getattr(thing, "__module__", None)
        found: Any = None
        if isinstance(module, str):
            found = sys.modules.get(module)
            if found is None and module.startswith("torch."):  # a class as a program run by as_torch knows it
                found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is not thing:
            raise pickle.PicklingError(
                f"save: {thing!r:.120} cannot be saved, as nobody could find it again by its name"
            )
        self._out += f"c{module}\n{name}\n".encode()


def _no_hooks() -> OrderedDict[str, Any]:
    return OrderedDict()


def _integer(number: int) -> bytes:
    if 0 <= number < 256:
        return b"K" + bytes([number])
    if -(1 << 31) <= number < 1 << 31:
        return b"J" + struct.pack("<i", number)
    encoded = pickle.encode_long(number)
    if len(encoded) < 256:
        return b"\x8a" + bytes([len(encoded)]) + encoded
    return b"\x8b" + struct.pack("<i", len(encoded)) + encoded


#: what is written anew each time
_SIMPLE: Final[dict[type, Callable[[Any], bytes]]] = {
    type(None): lambda _: b"N",
    bool: lambda flag: b"\x88" if flag else b"\x89",
    int: _integer,
    float: lambda number: b"G" + struct.pack(">d", number),
}
_WRITERS: Final[dict[type, Callable[[Writer, Any], None]]] = {
    str: Writer._text,
    tuple: Writer._tuple,
    list: Writer._list,
    dict: Writer._dict,
    OrderedDict: Writer._ordered,
    Global: Writer._name,
    bytes: lambda writer, content: writer._call("_codecs.encode", content.decode("latin1"), "latin1"),
    bytearray: lambda writer, content: writer._call("__builtin__.bytearray", bytes(content)),
    complex: lambda writer, number: writer._call("__builtin__.complex", number.real, number.imag),
    set: lambda writer, members: writer._call("__builtin__.set", list(members)),
    frozenset: lambda writer, members: writer._call("__builtin__.frozenset", list(members)),
    Size: lambda writer, size: writer._call("torch.Size", tuple(size)),
    device: lambda writer, place: writer._call("torch.device", *_parts(place)),
    layout: lambda writer, _: writer._call("torch.serialization._get_layout", "torch.strided"),
    dtypes.dtype: lambda writer, dtype: writer._write(Global(f"torch.{dtype.name}")),
}


def _parts(place: device) -> tuple[Any, ...]:
    return (place.type,) if place.index is None else (place.type, place.index)
