"""Where tensors live and how they lie: there is one answer to each, said in PyTorch's words."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, final

from .naming import library

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import SupportsIndex, TypedDict

_KINDS: Final = ("cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga")
_MORE_KINDS: Final = ("maia", "xla", "lazy", "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone")


@final
class device:
    """The name of a device. Any that PyTorch knows can be named; only the CPU can be used.

    type: its kind, with or without a number behind a colon; or a device; index: the number.
    Raises RuntimeError for a name that is none.

    >>> device("cpu")
    device(type='cpu')
    """

    __slots__ = ("index", "type")

    def __init__(self, type: str | device | int = "cpu", index: int | None = None) -> None:
        if isinstance(type, int):
            type = f"cuda:{type}"  # a number alone is an accelerator's
        given = str(type)
        kind, colon, number = given.partition(":")
        if kind not in (*_KINDS, *_MORE_KINDS):
            known = ", ".join((*_KINDS, *_MORE_KINDS))
            raise RuntimeError(
                f"device: Expected one of {known} device type at start of device string: {given}"
            )
        if colon:
            if index is not None:
                raise RuntimeError(f"device: type must not include an index where one is given: {given!r}")
            if not number.isdecimal():
                raise RuntimeError(f"device: Invalid device string: {given!r}")
            index = int(number)
        self.type: str = kind
        self.index: int | None = index

    def __repr__(self) -> str:
        return f"device(type={self.type!r}{'' if self.index is None else f', index={self.index}'})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (self.type, self.index)

    def __enter__(self) -> device:
        check_device("with device", self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the block."""


Device: TypeAlias = device | str | None
CPU: Final = device("cpu")


@final
class layout:
    """How elements are kept. There is `strided` alone: all of them, in an array."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name: str = name

    def __repr__(self) -> str:
        return f"{library()}.{self.name}"


@final
class memory_format:
    """In which order of dimensions elements lie in memory; a hint, and harmless."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name: str = name

    def __repr__(self) -> str:
        return f"{library()}.{self.name}"


strided: Final = layout("strided")
contiguous_format: Final = memory_format("contiguous_format")
preserve_format: Final = memory_format("preserve_format")
channels_last: Final = memory_format("channels_last")
channels_last_3d: Final = memory_format("channels_last_3d")

if TYPE_CHECKING:

    class Place(TypedDict, total=False):
        """What PyTorch's programs say of where and how a new tensor lies, and what is but one way here."""

        device: Device
        layout: layout | None
        pin_memory: bool | None

    class New(Place, total=False):
        """What else a new tensor may be told."""

        size: Sequence[SupportsIndex]
        requires_grad: bool

    class PlaceLike(Place, total=False):
        """The same for a tensor made after another."""

        memory_format: memory_format | None


def is_cpu(given: Device) -> bool:
    """Whether a device, or the name of one, is the CPU (None is). Raises RuntimeError for no name of any."""
    return given is None or device(given).type == "cpu"


def check_device(op: str, given: Device) -> None:
    """Raise RuntimeError for a device that is not the CPU, TypeError for what is no device."""
    if given is not None:
        if not isinstance(given, (str, device)):
            raise TypeError(f"{op}: device must be a nngrad.device, a str or None, got {given!r}")
        if not is_cpu(given):
            raise RuntimeError(f"{op}: device must be 'cpu' or None, got {str(given)!r}: there is no other")


def check_place(op: str, place: Place | PlaceLike) -> None:
    """Take what PyTorch's programs say of where and how a tensor lies, if it is what there is.

    Raises RuntimeError for another device or layout and for pinned memory, TypeError for another
    keyword.
    """
    for name, given in place.items():
        if name == "device":
            check_device(op, place.get("device"))
        elif name == "layout":
            if given not in (None, strided):
                raise RuntimeError(f"{op}: layout must be nngrad.strided or None, got {given!r}")
        elif name == "pin_memory":
            if given:
                raise RuntimeError(f"{op}: pin_memory must be False: only an accelerator needs pinned memory")
        elif name == "memory_format":
            check_format(op, given)
        else:
            raise TypeError(f"{op}() got an unexpected keyword argument {name!r}")


def check_format(op: str, given: object) -> None:
    """Raise TypeError unless `given` is a memory format or None."""
    if given is not None and not isinstance(given, memory_format):
        raise TypeError(f"{op}: memory_format must be a nngrad.memory_format or None, got {given!r}")
