"""A reader of pickles that can build tensors, plain containers and numbers, and nothing else.

It is an interpreter of its own for the few pickle operations that a checkpoint needs: no class is
looked up by import, and nothing that a file names is called, but for what stands in its table and
what the program has allowed by name (`add_safe_globals`).
"""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from .. import dtypes
from ..devices import device, strided
from ..nn.parameter import Parameter
from ..tensor import Size, Tensor
from . import numpies, storages
from .archive import DamagedFile
from .numpies import PickledArray, PickledDType
from .storages import Stored

_new = object.__new__


class RefusedFile(pickle.UnpicklingError):
    """A file that asks for something that is not built from files."""


class Named:
    """A name that a file asked for, and what it stands for."""

    __slots__ = ("build", "name", "value")

    def __init__(self, name: str, build: Callable[..., Any] | None, value: Any = None) -> None:
        self.name: Final = name
        self.build: Final = build
        self.value: Final = self if value is None else value


def _tensor(
    stored: Any, offset: Any, size: Any, stride: Any, requires_grad: Any = False, *rest: Any
) -> Tensor:
    if type(stored) is not Stored:
        raise ValueError("a tensor without a storage")
    if rest and rest[0]:
        raise RefusedFile("load: the file holds a tensor with hooks, and hooks are not read")
    place = storages.checked(stored.key, stored.array.size, offset, size, stride)
    tensor: Tensor = _new(Tensor)
    return stored.add(tensor, place, _flag(stored, requires_grad))


def _flag(stored: Stored, requires_grad: Any) -> bool:
    if type(requires_grad) is not bool or (requires_grad and stored.array.dtype.kind not in "fc"):
        raise ValueError(f"a tensor of {stored.array.dtype} has requires_grad={requires_grad!r:.80}")
    return requires_grad


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise ValueError(f"bytes in encoding {encoding!r:.80}")
    return text.encode("latin1")


def _layout(name: str) -> object:
    if name != "torch.strided":
        raise RefusedFile(f"load: the file asks for layout {name!r:.80}, and there is strided alone")
    return strided


def _set(members: Any = ()) -> set[Any]:
    return {_key(member) for member in _plain(members)}


def _frozenset(members: Any = ()) -> frozenset[Any]:
    return frozenset(_set(members))


def _ordered(pairs: Any = ()) -> OrderedDict[Any, Any]:
    return OrderedDict([(_key(key), value) for key, value in _plain(pairs)])


def _counter(counts: Any = ()) -> Counter[Any]:
    """As in the state of MultiStepLR."""
    if type(counts) is not dict or not all(type(count) is int for count in counts.values()):
        raise ValueError("a Counter of what are no counts")
    counter: Counter[Any] = Counter()
    dict.update(counter, counts)
    return counter


def _size(sizes: Any = ()) -> Size:
    if not all(type(size) is int for size in _plain(sizes)):
        raise ValueError("a Size of what are no integers")
    return Size(sizes)


def _complex(real: Any, imag: Any) -> complex:
    return complex(*[part for part in (real, imag) if type(part) in (float, int)])


def _bytearray(content: Any = b"") -> bytearray:
    if type(content) is not bytes:  # a number would be a size
        raise ValueError("a bytearray of what are no bytes")
    return bytearray(content)


def _bytes() -> bytes:
    return b""  # others are encoded


def _plain(given: Any) -> Any:
    if type(given) not in (list, tuple):
        raise ValueError(f"{type(given).__name__} in place of a list")
    return given


_SCALARS: Final = (str, int, float, complex, bool, bytes, type(None), dtypes.dtype, device)


def _key(key: Any) -> Any:
    """What may be a key or in a set: other things take forever to hash, or run code to."""
    if type(key) in _SCALARS or (type(key) in (tuple, Size) and all(type(part) in _SCALARS for part in key)):
        return key
    raise RefusedFile(f"load: the file has a key of type {type(key).__name__}, and keys are plain values")


def _table() -> dict[str, Named]:
    calls: dict[str, Callable[..., Any]] = {
        "collections.Counter": _counter,
        "collections.OrderedDict": _ordered,
        "torch.Size": _size,
        "torch.device": device,
        "torch.serialization._get_layout": _layout,
        "torch._utils._rebuild_tensor": _tensor,
        "torch._utils._rebuild_tensor_v2": _tensor,
        "_codecs.encode": _encode,
        **numpies.CALLS,
    }
    for module in ("builtins", "__builtin__"):
        calls |= {f"{module}.set": _set, f"{module}.frozenset": _frozenset, f"{module}.complex": _complex}
        calls |= {f"{module}.bytearray": _bytearray, f"{module}.bytes": _bytes}
    table = {name: Named(name, call) for name, call in calls.items()}
    table |= {f"torch.{name}": Named(f"torch.{name}", None) for name in storages.DTYPES}
    table["numpy.ndarray"] = Named("numpy.ndarray", None)
    values = {f"torch.{dtype.name}": dtype for dtype in dtypes.KINDS}
    return table | {name: Named(name, None, value) for name, value in values.items()}


TABLE: Final = _table()


_OTHER_DTYPES: Final = frozenset(
    f"torch.{name}" for name in ("bfloat16", "complex32", "uint16", "uint32", "uint64")
)


class Interpreter:
    """Runs one pickle. `fetch` gives the storage that a key names."""

    def __init__(
        self, fetch: Callable[[Any, Any, Any, Any], Stored], allowed: Mapping[str, Any], told: str
    ) -> None:
        self._fetch: Final = fetch
        self._allowed: Final = allowed
        self._told: Final = told
        self._kinds: Final = tuple({kind for kind in allowed.values() if isinstance(kind, type)})
        self._stack: list[Any] = []
        self._marked: Final[list[list[Any]]] = []
        self._memo: Final[dict[int, Any]] = {}
        self._parameters: Final = {
            "torch._utils._rebuild_parameter": Named("torch._utils._rebuild_parameter", self._parameter)
        }
        self._known: Final[dict[str, Stored]] = {}
        self._left = 0

    def run(self, pickled: bytes) -> Any:
        """What the pickle holds.

        Raises RefusedFile for what is not built from files, DamagedFile for what is no pickle.
        """
        from pickletools import genops

        self._left = len(pickled)
        try:
            for operation, argument, _ in genops(pickled):
                if operation.name == "STOP":
                    if self._marked or len(self._stack) != 1:
                        raise ValueError("it ends in the middle")
                    (result,) = _finished(self._stack)
                    self._stack.clear()
                    self._memo.clear()
                    for stored in self._known.values():
                        stored.settle()
                    return result
                run = _OPERATIONS.get(operation.name)
                if run is None:
                    raise RefusedFile(
                        f"{self._told}: the file uses pickle's {operation.name}, which no checkpoint needs"
                    )
                run(self, argument)
            raise ValueError("it has no end")
        except (RefusedFile, DamagedFile, MemoryError):
            raise
        except Exception as error:  # whatever damage makes of it
            raise DamagedFile(f"{self._told}: the file's pickle is damaged: {error}") from error

    # ------------------------------------------------------------ names

    def _named(self, name: str) -> Any:
        found = TABLE.get(name) or self._parameters.get(name)
        if found is not None:
            return found.value
        if name in self._allowed:
            return self._allowed[name]
        if name.startswith("torch.") and (name.endswith("Storage") or name in _OTHER_DTYPES):
            raise RefusedFile(
                f"{self._told}: the file holds {name}, a kind of elements that nngrad lacks: convert it first"
            )
        raise RefusedFile(
            f"{self._told}: the file asks for {name}, which is not built from files: only tensors, numbers, "
            "text and plain containers are. If you trust the file, allow the class by "
            f"nngrad.serialization.add_safe_globals([{name.rpartition('.')[2]}]), or save model.state_dict() "
            "instead of the model"
        )

    def _global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._stack.append(self._named(f"{module}.{name}"))

    def _stack_global(self, _: Any) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if type(name) is not str or type(module) is not str:
            raise ValueError("a name that is no text")
        self._stack.append(self._named(f"{module}.{name}"))

    def _persistent(self, _: Any) -> None:
        kind, storage, key, location, numel = self._stack.pop()
        dtype = storages.DTYPES.get(storage.name.removeprefix("torch.")) if type(storage) is Named else None
        if kind != "storage" or dtype is None or type(key) is not str or type(location) is not str:
            raise ValueError("a storage of no known kind")
        if type(numel) is not int or numel < 0:
            raise ValueError(f"storage {key!r:.80} of {numel!r:.80} elements")
        stored = self._known.get(key)
        if stored is None:
            stored = self._known[key] = self._fetch(key, dtype, numel, location)
        if stored.array.dtype != dtype or stored.array.size != numel:
            raise ValueError(f"storage {key!r:.80} of two kinds")
        self._stack.append(stored)

    # ------------------------------------------------------------ building

    def _reduce(self, _: Any) -> None:
        arguments: Any = self._stack.pop()
        function: Any = self._stack.pop()
        if type(arguments) is not tuple:
            raise ValueError("arguments that are no tuple")
        if type(function) is Named and function.build is not None:
            # a list built once takes no more than the file; built a thousand times, it would
            self._left -= (
                len(arguments[0])
                if arguments and isinstance(arguments[0], (str, bytes, list, tuple, dict))
                else 0
            )
            if self._left < 0:
                raise ValueError("it builds more than it holds")
            self._stack.append(function.build(*arguments))
        elif type(function) is not Named and any(function is given for given in self._allowed.values()):
            called: Any = function
            self._stack.append(called(*arguments))
        else:
            raise ValueError(f"a call of a {type(function).__name__}")

    def _new_object(self, _: Any) -> None:
        arguments, kind = self._stack.pop(), self._stack.pop()
        if type(kind) is Named and kind.build is _ordered and arguments == ():
            self._stack.append(OrderedDict())
        elif isinstance(kind, type) and kind in self._kinds and type(arguments) is tuple:
            self._stack.append(kind.__new__(kind, *arguments))
        else:
            raise ValueError("an object of no class")

    def _build(self, _: Any) -> None:
        state, thing = self._stack.pop(), self._stack[-1]
        if type(thing) is OrderedDict:
            if type(state) is not dict or set(state) - {"_metadata"}:
                raise RefusedFile(f"{self._told}: the file gives an OrderedDict attributes besides _metadata")
            thing.__dict__.update(state)
        elif type(thing) is PickledDType:
            thing.build(state)
        elif type(thing) is PickledArray:
            self._left -= len(state[-1])
            if self._left < 0:
                raise ValueError("it builds more than it holds")
            self._stack[-1] = thing.build(state)
            for index in reversed(self._memo):  # where it has just been put
                if self._memo[index] is thing:
                    self._memo[index] = self._stack[-1]
                break
        elif type(thing) in self._kinds:
            set_state = getattr(thing, "__setstate__", None)
            if set_state is not None:
                set_state(state)
                return
            plain, slots = state if type(state) is tuple and len(state) == 2 else (state, None)
            thing.__dict__.update(plain or {})
            for name, value in (slots or {}).items():
                setattr(thing, name, value)
        else:
            raise ValueError(f"attributes for a {type(thing).__name__}")

    def _parameter(self, data: Any, requires_grad: Any, hooks: Any) -> Parameter:
        if type(data) is not Tensor:
            raise ValueError("a parameter without a tensor")
        if hooks:
            raise RefusedFile(f"{self._told}: the file holds a parameter with hooks, and hooks are not read")
        for stored in reversed(self._known.values()):  # the tensor has just been built
            for ref, place, _ in reversed(stored.tensors):
                if ref() is data:
                    parameter: Parameter = _new(Parameter)
                    stored.add(parameter, place, _flag(stored, requires_grad))
                    return parameter
        raise ValueError("a parameter without a storage")

    # ------------------------------------------------------------ the stack

    def _push(self, argument: Any) -> None:
        self._stack.append(argument)

    def _pop_marked(self) -> list[Any]:
        members, self._stack = self._stack, self._marked.pop()
        return members

    def _mark(self, _: Any) -> None:
        self._marked.append(self._stack)
        self._stack = []

    def _pop(self, _: Any) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._stack = self._marked.pop()

    def _pop_to_mark(self, _: Any) -> None:
        self._pop_marked()

    def _tuple(self, _: Any) -> None:
        members = self._pop_marked()
        self._stack.append(tuple(members))

    def _short_tuple(self, length: int) -> None:
        members = tuple(self._stack[-length:])
        if len(members) != length:
            raise ValueError("a tuple of too few")
        del self._stack[-length:]
        self._stack.append(members)

    def _list(self, _: Any) -> None:
        members = self._pop_marked()
        self._stack.append(_finished(members))

    def _append(self, members: list[Any]) -> None:
        target = self._stack[-1]
        if not (type(target) is list or (isinstance(target, list) and type(target) in self._kinds)):
            raise ValueError(f"members for a {type(target).__name__}")
        target.extend(_finished(members))

    def _set_items(self, members: list[Any]) -> None:
        target = self._stack[-1]
        if len(members) % 2:
            raise ValueError("a key without a value")
        if not (
            type(target) in (dict, OrderedDict) or (isinstance(target, dict) and type(target) in self._kinds)
        ):
            raise ValueError(f"items for a {type(target).__name__}")
        for key, value in zip(members[::2], _finished(members[1::2])):
            target[_key(key)] = value

    def _add_items(self, members: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not set:
            raise ValueError(f"members for a {type(target).__name__}")
        target.update([_key(member) for member in members])

    def _frozen(self, _: Any) -> None:
        members = self._pop_marked()
        self._stack.append(_frozenset(members))

    def _put(self, index: Any) -> None:
        self._memo[len(self._memo) if index is None else index] = self._stack[-1]

    def _get(self, index: Any) -> None:
        self._stack.append(self._memo[index])


def _finished(things: list[Any]) -> list[Any]:
    for thing in things:
        if type(thing) in (Named, Stored, PickledDType, PickledArray):
            raise ValueError("a name or a storage where a value should be")
    return things


def _nothing(interpreter: Interpreter, argument: Any) -> None:
    """Headers and frames say nothing that is needed."""


_I = Interpreter
_OPERATIONS: Final[dict[str, Callable[[Interpreter, Any], None]]] = {
    **dict.fromkeys(("PROTO", "FRAME"), _nothing),
    **dict.fromkeys(
        ("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES"), _I._push
    ),
    **dict.fromkeys(("BINBYTES8", "BYTEARRAY8", "BININT", "BININT1", "BININT2", "LONG1", "LONG4"), _I._push),
    "BINFLOAT": _I._push,
    "NONE": lambda it, _: it._push(None),
    "NEWTRUE": lambda it, _: it._push(True),
    "NEWFALSE": lambda it, _: it._push(False),
    "EMPTY_TUPLE": lambda it, _: it._push(()),
    "EMPTY_LIST": lambda it, _: it._push([]),
    "EMPTY_DICT": lambda it, _: it._push({}),
    "EMPTY_SET": lambda it, _: it._push(set()),
    "MARK": _I._mark,
    "POP": _I._pop,
    "POP_MARK": _I._pop_to_mark,
    "TUPLE": _I._tuple,
    "TUPLE1": lambda it, _: it._short_tuple(1),
    "TUPLE2": lambda it, _: it._short_tuple(2),
    "TUPLE3": lambda it, _: it._short_tuple(3),
    "LIST": _I._list,
    "APPEND": lambda it, _: it._append([it._stack.pop()]),
    "APPENDS": lambda it, _: it._append(it._pop_marked()),
    "SETITEM": lambda it, _: it._set_items([it._stack.pop() for _ in range(2)][::-1]),
    "SETITEMS": lambda it, _: it._set_items(it._pop_marked()),
    "ADDITEMS": lambda it, _: it._add_items(it._pop_marked()),
    "FROZENSET": _I._frozen,
    **dict.fromkeys(("BINPUT", "LONG_BINPUT", "MEMOIZE"), _I._put),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), _I._get),
    "GLOBAL": _I._global,
    "STACK_GLOBAL": _I._stack_global,
    "BINPERSID": _I._persistent,
    "REDUCE": _I._reduce,
    "NEWOBJ": _I._new_object,
    "BUILD": _I._build,
}
