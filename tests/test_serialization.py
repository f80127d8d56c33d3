"""Checkpoints: what is written is read again, PyTorch and NNGrad read each other's, and no file does harm."""

from __future__ import annotations

import io
import os
import pickle
import random
import stat
import sys
import tracemalloc
import zipfile
from collections import Counter, OrderedDict, UserString
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import nn, serialization
from nngrad.serialization import DamagedFile, RefusedFile

FIXTURE = Path(__file__).parent / "data" / "pytorch.pt"
DTYPES = ("float16", "float64", "uint8", "int8", "int16", "int32", "int64", "bool", "complex64")


def model() -> nn.Sequential:
    nngrad.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def again(thing: Any) -> Any:
    buffer = io.BytesIO()
    nngrad.save(thing, buffer)
    buffer.seek(0)
    return nngrad.load(buffer)


def same(a: Any, b: Any) -> None:
    """The two are equal through and through, and of the same types."""
    assert type(a).__name__ == type(b).__name__
    if isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            same(x, y)
    elif hasattr(a, "requires_grad"):
        assert a.requires_grad == b.requires_grad
        assert a.stride() == b.stride()
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy(), strict=True)
    else:
        assert a == b or repr(a) == repr(b).replace("torch.", "nngrad.")


# ---------------------------------------------------------------- what comes back


def test_a_file_of_pytorch_loads() -> None:
    """The file in tests/data was saved by PyTorch; what is in it is known."""
    found = nngrad.load(FIXTURE)
    assert list(found["model"])[:3] == ["0.weight", "0.bias", "1.weight"]
    assert found["model"]._metadata["1"] == {"version": 2}
    assert found["optimizer"]["param_groups"][0]["lr"] == 0.01
    assert sorted(found["optimizer"]["state"]) == [0, 1, 2, 3]
    assert isinstance(found["weight"], nn.Parameter)
    assert found["weight"].requires_grad
    x = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    views = found["views"]
    for view, expected in zip(views, (x, x[:, 1], x.T, x[1:, ::2], np.broadcast_to(x[0], (2, 4)))):
        np.testing.assert_array_equal(view.numpy(), expected, strict=True)
    for name, tensor in zip(DTYPES, found["kinds"]):
        assert tensor.dtype is getattr(nngrad, name)
        assert tensor.tolist() == [1, 0]
    assert found["empty"].shape == (0, 3)
    assert found["number"].item() == 7
    assert found["plain"] == [
        None, True, 3, -(2**70), 1.5, 2j, "text é", b"by\xfftes", (1, (2,)), {1, 2}, frozenset({"a"}),
        nngrad.float32, nngrad.Size([1, 2]), nngrad.device("cpu"),
    ]  # fmt: skip


def test_views_of_one_storage_stay_in_step() -> None:
    whole, column, transposed, part, expanded = nngrad.load(FIXTURE)["views"]
    whole[0, 1] = 100.0
    assert column[0].item() == transposed[1, 0].item() == expanded[1, 1].item() == 100.0
    part[0, 1] = -1.0
    assert whole[1, 2].item() == -1.0
    column.zero_()
    assert whole[:, 1].tolist() == [0.0, 0.0, 0.0]


def test_plain_things_come_back_as_they_were() -> None:
    shared = [1, 2]
    long = list(range(2500))
    things: list[Any] = [
        None, True, 0, 255, 256, -1, 2**31, -(2**40), 1 << 3000, 1.5, float("inf"), 2j, "", "é\n", b"",
        b"\x00\xff",
        bytearray(b"ab"), (), (1,), (1, 2, 3, 4), [], long, {}, {"a": {1: (2.5, None)}}, set(), {1, "x"},
        frozenset({2}), OrderedDict(b=1, a=2), dict.fromkeys(long), {(1, "a"): 1},
        nngrad.int8, nngrad.Size([2, 3]), nngrad.device("cuda:1"), nngrad.strided,
    ]  # fmt: skip
    same(again(things), things)
    pair = again([shared, shared])
    assert pair[0] is pair[1]
    ring: list[Any] = []
    ring.append(ring)
    found = again(ring)
    assert found[0] is found


@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors_come_back_as_they_were(dtype: str) -> None:
    x = nngrad.arange(24).reshape(2, 3, 4).to(getattr(nngrad, dtype))
    things = [
        x,
        x.permute(2, 0, 1),
        x[1, :, ::2],
        x[:0],
        x[0, 0, 0],
        x.flip(0),
        x.detach(),
        nngrad.zeros(0, 2),
    ]
    found = again(things)
    for a, b in zip(things, found):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), strict=True)
    found[0][1, 0, 0] = 0
    assert found[1][0, 1, 0].item() == found[6][1, 0, 0].item() == 0
    assert x[1, 0, 0].item() != 0


def test_what_shares_memory_is_written_once(tmp_path: Path) -> None:
    x = nngrad.zeros(1000)
    nngrad.save([x, x[:500], x.detach(), x.view(10, 100).T], tmp_path / "x.pt")
    with zipfile.ZipFile(tmp_path / "x.pt") as archive:
        assert [i.file_size for i in archive.infolist() if "/data/" in i.filename] == [4000]
    nngrad.save([x, x.clone()], tmp_path / "x.pt")
    assert (tmp_path / "x.pt").stat().st_size > 8000


def test_networks_and_optimisers_go_on_where_they_stopped(tmp_path: Path) -> None:
    x = nngrad.randn(8, 3)

    def steps(net: nn.Module, optimizer: Any, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            net(x).square().mean().backward()
            optimizer.step()

    net = model()
    optimizer = nngrad.optim.AdamW(net.parameters(), lr=0.1)
    steps(net, optimizer, 3)
    nngrad.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "step": 3}, tmp_path / "at.pt")
    steps(net, optimizer, 3)
    saved = nngrad.load(tmp_path / "at.pt")
    other = model()
    other.load_state_dict(saved["net"])
    resumed = nngrad.optim.AdamW(other.parameters(), lr=0.5)
    resumed.load_state_dict(saved["optimizer"])
    steps(other, resumed, saved["step"])
    for a, b in zip(net.parameters(), other.parameters()):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def test_parameters_and_results_keep_requires_grad() -> None:
    tied = nn.Parameter(nngrad.ones(2))
    found = again({"a": tied, "b": tied, "fixed": nn.Parameter(nngrad.ones(1), False), "result": tied * 2})
    assert found["a"] is found["b"]
    assert isinstance(found["fixed"], nn.Parameter)
    assert [t.requires_grad for t in found.values()] == [True, True, False, True]
    assert all(t.is_leaf for t in found.values())
    (found["a"] * 3).sum().backward()
    assert found["a"].grad.tolist() == [3.0, 3.0]


# ---------------------------------------------------------------- with PyTorch


def test_pytorch_reads_what_is_written(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    x = nngrad.arange(12.0).reshape(3, 4)
    net = model()
    optimizer = nngrad.optim.Adam(net.parameters())
    net(nngrad.ones(1, 3)).sum().backward()
    optimizer.step()
    things: dict[str, Any] = {
        "net": net.state_dict(), "optimizer": optimizer.state_dict(), "p": nn.Parameter(nngrad.ones(2)),
        "views": [x, x[:, 1], x.T, x[1:, ::2]],
        "kinds": [nngrad.ones(2).to(getattr(nngrad, d)) for d in DTYPES],
        "plain": [None, -(2**70), 1.5, 2j, "é", b"\xff", (1, 2, 3, 4), {1}, nngrad.int64, nngrad.Size([1])],
        "cpu": nngrad.device("cpu"),
    }  # fmt: skip
    nngrad.save(things, tmp_path / "ours.pt")
    found = torch.load(tmp_path / "ours.pt", weights_only=True)
    same(things, found)
    found["views"][0][0, 1] = 50.0
    assert found["views"][1][0].item() == found["views"][2][1, 0].item() == 50.0
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    theirs.load_state_dict(found["net"])
    torch.optim.Adam(theirs.parameters()).load_state_dict(found["optimizer"])
    assert torch.load(tmp_path / "ours.pt", weights_only=True, mmap=True)["p"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_pytorch_writes_is_read(tmp_path: Path, protocol: int) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net(torch.randn(5, 3)).sum().backward()
    optimizer.step()
    x = torch.arange(6.0).reshape(2, 3)
    things = {
        "net": net.state_dict(), "optimizer": optimizer.state_dict(),
        "x": [x, x.T, x[:, 1], x.unfold(1, 2, 1)],
        "parameters": list(net.parameters()),
        "plain": [1, "é", b"\xff", {1}, frozenset({2}), 2j, bytearray(b"a")],
    }  # fmt: skip
    torch.save(things, tmp_path / "theirs.pt", pickle_protocol=protocol)
    found = nngrad.load(tmp_path / "theirs.pt", map_location="cpu", weights_only=True)
    same(things, found)
    found["x"][3][0, 1, 0] = 9.0
    assert found["x"][0][0, 1].item() == 9.0


def numbers() -> dict[str, Any]:
    return {
        "number": np.float64(1.5), "bool": np.bool_(True), "complex": np.complex64(1j),
        "array": np.arange(6).reshape(2, 3), "columns": np.asfortranarray(np.ones((2, 3), np.float32)),
        "swapped": np.arange(3, dtype=">i4"), "none": np.zeros((0, 2)), "one": np.array(2.5),
        "counts": Counter("aab"), "again": [np.int32(3)] * 3,
    }  # fmt: skip


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_numbers_of_numpy_are_read(tmp_path: Path, protocol: int) -> None:
    torch = pytest.importorskip("torch")
    torch.save(numbers(), tmp_path / "theirs.pt", pickle_protocol=protocol)
    found = nngrad.load(tmp_path / "theirs.pt")
    for name, value in numbers().items():
        assert type(found[name]) is type(value)
        np.testing.assert_array_equal(found[name], value)
        if isinstance(value, (np.ndarray, np.generic)):
            assert found[name].dtype == value.dtype.newbyteorder("=")
    assert found["array"].flags.writeable
    nngrad.save(numbers(), tmp_path / "ours.pt")
    assert torch.load(tmp_path / "ours.pt", weights_only=False)["counts"] == Counter("aab")
    assert nngrad.load(tmp_path / "ours.pt")["columns"].tolist() == [[1.0] * 3] * 2


@pytest.mark.parametrize(
    "pickled",
    [
        pickle.dumps(np.array([None]), 2),
        pickle.dumps(np.array(["a"]), 2),
        pickle.dumps(np.zeros(1, [("a", "f4")]), 2),
        pickle.dumps(np.arange(3, dtype=np.int16), 3).replace(b"K\x03\x85", b"K\x04\x85"),
        pickle.dumps(np.dtype("f4"), 2),
        b"\x80\x02cnumpy\nndarray\n.",
        b"\x80\x02ccollections\nCounter\n}X\x01\x00\x00\x00aX\x01\x00\x00\x00bs\x85R.",
    ],
)
def test_arrays_of_other_things_are_refused(pickled: bytes) -> None:
    with pytest.raises((RefusedFile, DamagedFile)):
        nngrad.load(packed(pickled))


def test_the_state_of_a_scheduler_goes_through_a_file() -> None:
    file = io.BytesIO()
    optimizer = nngrad.optim.SGD([nngrad.zeros(1, requires_grad=True)], lr=1.0)
    nngrad.save(nngrad.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4]).state_dict(), file)
    file.seek(0)
    assert nngrad.load(file)["milestones"] == Counter([2, 4])


def test_files_of_the_old_format_and_programs_are_told_apart(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save(torch.ones(2), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(DamagedFile, match="before version"):
        nngrad.load(tmp_path / "old.pt")
    torch.save(torch.ones(2).bfloat16(), tmp_path / "b.pt")
    with pytest.raises(RefusedFile, match="BFloat16Storage, a kind of elements that nngrad lacks"):
        nngrad.load(tmp_path / "b.pt")


# ---------------------------------------------------------------- where to


def located(location: str) -> bytes:
    """A checkpoint whose tensor says where it was."""
    with zipfile.ZipFile(FIXTURE) as archive:
        entries = {i.filename: archive.read(i) for i in archive.infolist()}
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as changed:
        for name, content in entries.items():
            if name.endswith("data.pkl"):
                old = b"X\x03\x00\x00\x00cpu"
                content = content.replace(old, b"X" + len(location).to_bytes(4, "little") + location.encode())
            changed.writestr(name, content)
    return written.getvalue()


def test_map_location() -> None:
    data = located("cuda:0")
    with pytest.raises(RuntimeError, match=r"on 'cuda:0'.*map_location='cpu'"):
        nngrad.load(io.BytesIO(data))
    seen: list[str] = []

    def keep(storage: nngrad.Tensor, location: str) -> nngrad.Tensor:
        seen.append(location)
        return storage

    for place in ("cpu", nngrad.device("cpu"), {"cuda:0": "cpu"}, keep):
        assert nngrad.load(io.BytesIO(data), map_location=place)["number"].item() == 7
    assert set(seen) == {"cuda:0"}
    for nowhere in ({"cuda:1": "cpu"}, lambda storage, location: None):
        with pytest.raises(RuntimeError, match="on 'cuda:0'"):
            nngrad.load(io.BytesIO(data), map_location=nowhere)
    with pytest.raises(RuntimeError, match="map_location: device must be 'cpu'"):
        nngrad.load(FIXTURE, map_location="cuda")


# ---------------------------------------------------------------- what is refused


def packed(pickled: bytes, records: dict[str, bytes] | None = None) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", pickled)
        for name, content in (records or {"data/0": bytes(24)}).items():
            archive.writestr(f"a/{name}", content)
    buffer.seek(0)
    return buffer


def one_tensor(
    size: str = "(K\x02K\x03t", stride: str = "(K\x03K\x01t", offset: str = "K\x00", **say: str
) -> bytes:
    """The pickle of one tensor of two rows, about which lies may be told."""
    kind, key, numel = say.get("kind", "FloatStorage"), say.get("key", "0"), say.get("numel", "K\x06")
    text = (
        "\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage"
        f"ctorch\n{kind}\nX\x01\x00\x00\x00{key}X\x03\x00\x00\x00cpu{numel}tQ{offset}{size}{stride}"
        f"{say.get('grad', chr(0x89))}ccollections\nOrderedDict\n)RtR."
    )
    return text.encode("latin1")


class Evil:
    """What a pickle would run, were it run."""

    def __reduce__(self) -> Any:
        return os.mkdir, (os.path.join(os.environ["NNGRAD_EVIL"], "ran"),)


def test_no_other_class_is_built_and_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNGRAD_EVIL", str(tmp_path))
    calls = {
        "posix.mkdir|nt.mkdir": pickle.dumps(Evil(), 2),
        "builtins.eval": pickle.dumps(eval, 4),
        "__builtin__.exec": b"\x80\x02c__builtin__\nexec\nX\x01\x00\x00\x001\x85R.",
        "collections.UserString": pickle.dumps(UserString("a"), 4),
        "os.system": b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.",
        "torch.nn.modules.linear.Linear": b"\x80\x02ctorch.nn.modules.linear\nLinear\n)\x81.",
        "torch.load": b"\x80\x02ctorch\nload\n.",
        "test_serialization.Sneaky": b"\x80\x04\x8c\x12test_serialization\x8c\x06Sneaky\x93.",
    }
    for name, pickled in calls.items():
        with pytest.raises(RefusedFile, match=f"asks for ({name})".replace(".", r"\.")):
            nngrad.load(packed(pickled))
    for pickled in (
        b"ios\nsystem\n.",
        b"\x80\x02X\x01\x00\x00\x001(ios\nsystem\n.",
        b"(cos\nsystem\no.",
        b"\x82\x01.",
    ):
        with pytest.raises((RefusedFile, DamagedFile)):
            nngrad.load(packed(pickled))
    assert list(tmp_path.iterdir()) == []
    assert not isinstance(sys.modules.get("antigravity"), type(os))
    with pytest.raises(RefusedFile, match=r"this\.s"):  # a module that is not imported stays so
        nngrad.load(packed(b"\x80\x02cthis\ns\n."))
    assert "this" not in sys.modules


LIES: dict[str, tuple[bytes, str]] = {
    "beyond": (one_tensor(size="(K\x03K\x03t"), "said to lie in storage '0' of 6 elements"),
    "offset": (one_tensor(offset="K\x01"), "said to lie"),
    "stride": (one_tensor(stride="(K\x04K\x01t"), "said to lie"),
    "negative stride": (one_tensor(stride="(J\xff\xff\xff\xffK\x01t"), "has size"),
    "negative size": (one_tensor(size="(J\xff\xff\xff\xffK\x01t"), "has size"),
    "bool size": (one_tensor(size="(\x88K\x01t"), "has size"),
    "dimensions": (one_tensor(size="(K\x06t"), "1 sizes and 2 strides"),
    "many dimensions": (one_tensor("(" + "K\x01" * 65 + "t", "(" + "K\x01" * 65 + "t"), "65 sizes"),
    "huge": (one_tensor("(\x8a\x08" + "\xff" * 7 + "\x7fK\x01t", "(K\x00K\x00t"), "said to lie"),
    "numel": (one_tensor(numel="J\xff\xff\xff\x7f"), "record has 24 bytes"),
    "negative numel": (one_tensor(numel="J\xff\xff\xff\xff"), "elements"),
    "kind": (one_tensor(kind="LongStorage"), "record has 24 bytes"),
    "no kind": (one_tensor(kind="Size"), "storage of no known kind"),
    "key": (one_tensor(key="9"), "no record 'data/9'"),
    "grad": (one_tensor(grad="K\x05"), "requires_grad=5"),
    "integer grad": (one_tensor(kind="IntStorage", grad="\x88"), "requires_grad=True"),
    "bytes": (b"\x80\x02B\xff\xff\xff\x7fab.", "damaged"),
    "memo": (b"\x80\x02Kar\xff\xff\xff\x7fj\xff\xff\xff\x6f.", "damaged"),
    "stack": (b"\x80\x02\x86.", "too few"),
    "no end": (b"\x80\x02K\x01", "damaged"),
    "empty": (b"", "damaged"),
    "open": (b"\x80\x02(K\x01.", "in the middle"),
    "a name": (b"\x80\x02ctorch\nFloatStorage\n.", "where a value should be"),
    "names in a list": (b"\x80\x02](ctorch\nFloatStorage\ne.", "where a value should be"),
    "attributes": (b"\x80\x02K\x01}b.", "attributes for a int"),
    "size of a bytearray": (b"\x80\x02c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R.", "what are no bytes"),
    "a list often": (
        b"\x80\x02](" + b"K\x01" * 500 + b"eq\x00(" + b"c__builtin__\nset\nh\x00\x85R" * 99 + b"t.",
        "more than it holds",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_found_out(lie: str) -> None:
    pickled, message = LIES[lie]
    tracemalloc.start()
    try:
        with pytest.raises(DamagedFile, match=message):
            nngrad.load(packed(pickled))
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_the_tensor_that_lies_are_told_about_loads() -> None:
    assert nngrad.load(packed(one_tensor())).shape == (2, 3)


def test_keys_and_attributes_that_take_forever_or_hide_things_are_refused() -> None:
    nested = b"\x80\x02}K\x01" + b"q\x00h\x00\x86" * 60 + b"K\x01s."  # hashing it takes 2**60 steps
    with pytest.raises(RefusedFile, match="key of type tuple"):
        nngrad.load(packed(nested))
    with pytest.raises(RefusedFile, match="attributes besides _metadata"):
        nngrad.load(packed(b"\x80\x02ccollections\nOrderedDict\n)R}X\x05\x00\x00\x00itemsK\x01sb."))


def test_records_that_lie() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(50_000_000))
    bomb.seek(0)
    with pytest.raises(DamagedFile, match="compressed"):
        nngrad.load(bomb)
    for content, message in (
        (b"", "not as a zip archive"), (b"PK\x03\x04", "directory is damaged"), (b"hi", "begins with b'hi'"),
    ):  # fmt: skip
        with pytest.raises(DamagedFile, match=message):
            nngrad.load(io.BytesIO(content))
    nothing = io.BytesIO()
    with zipfile.ZipFile(nothing, "w") as archive:
        archive.writestr("a/b", b"")
    nothing.seek(0)
    with pytest.raises(DamagedFile, match=r"no record data\.pkl"):
        nngrad.load(nothing)
    for record, message in (
        ("constants.pkl", "TorchScript"), ("byteorder", "byteorder is"),
    ):  # fmt: skip
        with pytest.raises(DamagedFile, match=message):
            nngrad.load(packed(one_tensor(), {record: b"middle"}))
    big = packed(one_tensor(), {"byteorder": b"big", "data/0": np.arange(6, dtype=">f4").tobytes()})
    assert nngrad.load(big).tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


# ---------------------------------------------------------------- damage


def mutations(data: bytes, count: int, seed: int) -> Any:
    """The file, damaged in one of many ways; the pickle's part more often than the rest."""
    rng = random.Random(seed)
    start = data.index(b"\x80\x02}")
    for i in range(count):
        changed = bytearray(data)
        kind = i % 5
        if kind == 0:
            del changed[rng.randrange(len(data)) :]
        elif kind == 1:
            for _ in range(rng.randrange(1, 5)):
                changed[rng.randrange(start, start + 4000)] = rng.randrange(256)
        elif kind == 2:
            changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif kind == 3:
            at = rng.randrange(len(data))
            changed[at : at + 8] = rng.choice([b"\xff" * 8, bytes(8), b"\xff\xff\xff\x7f" * 2])
        else:
            a, b = sorted(rng.sample(range(len(data)), 2))
            changed[a : a + 50], changed[b : b + 50] = changed[b : b + 50], changed[a : a + 50]
        yield bytes(changed)


def without_checksums(data: bytes, count: int, seed: int) -> Any:
    """Damage that the zip archive cannot see: in a pickle that was packed after it."""
    rng = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        folder = archive.namelist()[0].partition("/")[0] + "/"
        records = {i.filename.removeprefix(folder): archive.read(i) for i in archive.infolist()}
    pickled = records.pop("data.pkl")
    for _ in range(count):
        changed = bytearray(pickled)
        for _ in range(rng.randrange(1, 4)):
            changed[rng.randrange(len(changed))] = rng.choice(
                [rng.randrange(256), *b"(.tRbQusea0\x85\x86\x94cX\x8a"]
            )
        yield packed(bytes(changed), records).getvalue()


def of_numpy() -> bytes:
    file = io.BytesIO()
    nngrad.save(numbers(), file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("mutate", "count", "make"),
    [
        (mutations, 400, FIXTURE.read_bytes),
        (without_checksums, 600, FIXTURE.read_bytes),
        (without_checksums, 600, of_numpy),
    ],
)
def test_damaged_files_are_refused_or_read_and_do_no_harm(
    mutate: Callable[..., Any], count: int, make: Callable[[], bytes]
) -> None:
    """No file crashes, hangs, runs anything, or takes more memory than a few times its size."""
    data = make()
    modules = set(sys.modules)
    outcomes: Counter[str] = Counter()
    nngrad.load(FIXTURE)
    tracemalloc.start()
    try:
        for changed in mutate(data, count, 0):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            try:
                nngrad.load(io.BytesIO(changed))
                outcomes["read"] += 1
            except (DamagedFile, RefusedFile) as error:
                outcomes[type(error).__name__ if str(error).startswith("load: ") else str(error)] += 1
            except RuntimeError as error:
                outcomes["elsewhere" if "there is only the CPU" in str(error) else str(error)] += 1
            assert tracemalloc.get_traced_memory()[1] - before < len(changed) + 4_000_000
    finally:
        tracemalloc.stop()
    assert set(sys.modules) - modules <= {"pickletools", "nngrad.serialization"}
    assert outcomes["DamagedFile"] > count // 4
    assert outcomes["read"] < count
    assert set(outcomes) <= {"read", "DamagedFile", "RefusedFile", "elsewhere"}


def test_nothing_changes_where_loading_fails(tmp_path: Path) -> None:
    net = model()
    before = net.snapshot()
    nngrad.save(net.state_dict(), tmp_path / "net.pt")
    data = (tmp_path / "net.pt").read_bytes()
    for end in range(0, len(data), 100):
        (tmp_path / "cut.pt").write_bytes(data[:end])
        with pytest.raises(DamagedFile):
            net.load_state_dict(nngrad.load(tmp_path / "cut.pt"))
    after = net.snapshot()
    assert all(np.array_equal(before[name], after[name]) for name in before)


# ---------------------------------------------------------------- writing


def test_there_is_the_old_file_or_the_whole_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.pt"
    nngrad.save(nngrad.ones(3), path)
    path.chmod(0o640)
    old = path.read_bytes()
    with pytest.raises(pickle.PicklingError, match="cannot be saved"):
        nngrad.save({"x": nngrad.ones(2), "f": lambda: 0}, path)

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    for step in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, step, fail)
            with pytest.raises(OSError, match="the disk is full"):
                nngrad.save(nngrad.zeros(100), path)
        assert path.read_bytes() == old
        assert list(tmp_path.iterdir()) == [path]
    nngrad.save(nngrad.zeros(1), path)
    assert nngrad.load(path).tolist() == [0.0]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        link = tmp_path / "link.pt"
        link.symlink_to(path)
        nngrad.save(nngrad.ones(1), link)
        assert link.is_symlink()
        assert nngrad.load(path).tolist() == [1.0]
        nngrad.save(nngrad.ones(1), "/dev/null")
        assert Path("/dev/null").is_char_device()


def test_writing_is_checked() -> None:
    with pytest.raises(TypeError, match="f must be a path"):
        nngrad.save(1, 5)  # type: ignore[arg-type]  # the mistake
    with pytest.raises(ValueError, match=r"before PyTorch 1\.6"):
        nngrad.save(1, io.BytesIO(), _use_new_zipfile_serialization=False)
    with pytest.raises(ValueError, match="pickle_protocol"):
        nngrad.save(1, io.BytesIO(), pickle_protocol=1)
    with pytest.raises(AttributeError, match="read, seek and tell"):
        nngrad.load(5)  # type: ignore[arg-type]  # the mistake
    with pytest.raises(ValueError, match="run whatever the file says"):
        nngrad.load(FIXTURE, pickle_module=pickle)
    with pytest.warns(UserWarning, match="weights_only=False.* has no effect"):
        assert nngrad.load(FIXTURE, weights_only=False)["number"].item() == 7
    with pytest.warns(UserWarning, match="no effect"), pytest.raises(RefusedFile, match="asks for os"):
        nngrad.load(packed(b"\x80\x02cos\nsystem\n."), weights_only=False)


# ---------------------------------------------------------------- classes that a program allows


class Net(nn.Module):
    """A model of this file's."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.width = 3

    def forward(self, x: nngrad.Tensor) -> nngrad.Tensor:
        return self.first(x)


def test_whole_models_need_their_classes_allowed(tmp_path: Path) -> None:
    nngrad.save(Net(), tmp_path / "net.pt")
    with pytest.raises(RefusedFile, match=r"asks for test_serialization\.Net.*add_safe_globals\(\[Net\]\)"):
        nngrad.load(tmp_path / "net.pt")
    with serialization.safe_globals([Net]), pytest.raises(RefusedFile, match=r"asks for nngrad.*Linear"):
        nngrad.load(tmp_path / "net.pt")
    with serialization.safe_globals([Net, nn.Linear]):
        assert serialization.get_safe_globals() == [Net, nn.Linear]
        net = nngrad.load(tmp_path / "net.pt")
    assert isinstance(net, Net)
    assert net.width == 3
    assert net(nngrad.ones(1, 2)).shape == (1, 3)
    serialization.add_safe_globals([(Net, "elsewhere.Net")])
    assert serialization.get_safe_globals() == [Net]
    serialization.clear_safe_globals()
    with pytest.raises(RefusedFile):
        nngrad.load(tmp_path / "net.pt")
    with pytest.raises(TypeError, match="expected classes and functions"):
        serialization.add_safe_globals(["Net"])


# ---------------------------------------------------------------- other formats


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_named_tensors_in_other_formats(tmp_path: Path, suffix: str) -> None:
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    path = tmp_path / f"net{suffix}"
    tensors = {f"x.{d}": nngrad.arange(6).reshape(2, 3).to(getattr(nngrad, d)) for d in DTYPES}
    tensors |= {"number": nngrad.tensor(2.0), "empty": nngrad.zeros(0, 2), "view": nngrad.ones(3, 2).T}
    if suffix == ".safetensors":
        del tensors["x.complex64"]
    nngrad.save(tensors, path)
    found = nngrad.load(path)
    assert list(found) == list(tensors) or suffix == ".safetensors"
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(found[name].numpy(), tensor.numpy(), strict=True)
    net = model()
    nngrad.save(net.state_dict(), path)
    net.load_state_dict(nngrad.load(path))
    old = path.read_bytes()
    for wrong in ([nngrad.ones(1)], {"a": "text"}):
        with pytest.raises(TypeError, match="expected"):
            nngrad.save(wrong, path)
    assert path.read_bytes() == old
    rng = random.Random(1)
    for _ in range(60):
        changed = bytearray(old)
        changed[rng.randrange(len(old))] ^= 1 << rng.randrange(8)
        path.write_bytes(changed[: rng.choice([len(old), len(old) // 2])])
        with suppress(DamagedFile):
            nngrad.load(path)
    with pytest.raises(FileNotFoundError):
        nngrad.load(tmp_path / f"none{suffix}")


def test_npz_reads_numpys_and_no_objects(tmp_path: Path) -> None:
    x: Any = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.savez_compressed(tmp_path / "x.npz", x=x, big=x.astype(">f4"))
    found = nngrad.load(tmp_path / "x.npz")
    np.testing.assert_array_equal(found["x"].numpy(), x, strict=True)
    np.testing.assert_array_equal(found["big"].numpy(), x.astype(np.float32), strict=True)
    np.savez(tmp_path / "x.npz", x=np.array([{}], object))
    with pytest.raises(DamagedFile, match="no dtype"):
        nngrad.load(tmp_path / "x.npz")
