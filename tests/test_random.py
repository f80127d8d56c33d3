"""Random numbers: the same as PyTorch's for the same seed, apart in every generator and thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import Generator, random
from nngrad.dtypes import DTypeLike

SEEDS = [0, 1, 123, 2**31 + 5, 2**32 + 7, 2**64 - 1, -3]
SIZES = [*range(41), 257]


def zeros(count: int, dtype: DTypeLike = nngrad.float32) -> nngrad.Tensor:
    return nngrad.zeros(count, dtype=dtype)


@pytest.mark.parametrize("seed", SEEDS)
def test_draws_equal_pytorch(seed: int) -> None:
    """Interleaved draws of all kinds stay in step: normal ones to rounding, the others bit for bit."""
    torch = pytest.importorskip("torch")
    nngrad.manual_seed(seed)
    torch.manual_seed(seed)
    assert nngrad.initial_seed() == torch.initial_seed()
    for count in SIZES:
        for name in ("float32", "float64"):
            ours, theirs = getattr(nngrad, name), getattr(torch, name)
            near = 2e-6 if name == "float32" else 1e-14
            exact = [
                (nngrad.rand(count, dtype=ours), torch.rand(count, dtype=theirs)),
                (nngrad.randperm(count), torch.randperm(count)),
                (nngrad.randint(-3, count + 1, (count,)), torch.randint(-3, count + 1, (count,))),
                (nngrad.randint(2**40, (count,)), torch.randint(2**40, (count,))),
                (nngrad.randint(2**28, (count,)), torch.randint(2**28, (count,))),
                (nngrad.randint(2**28 - 1, (count,)), torch.randint(2**28 - 1, (count,))),
                (
                    nngrad.bernoulli(nngrad.full((count,), 0.3, dtype=ours)),
                    torch.bernoulli(torch.full((count,), 0.3, dtype=theirs)),
                ),
                *[
                    (zeros(count, ours).uniform_(a, b), torch.zeros(count, dtype=theirs).uniform_(a, b))
                    for a, b in ((-1.0, 1.0), (0.1, 0.7), (-0.0361, 0.0361))
                ],
            ]
            for mine, other in exact:
                assert str(mine.dtype).split(".")[1] == str(other.dtype).split(".")[1]
                np.testing.assert_array_equal(mine.numpy(), other.numpy())
            close = [
                (nngrad.randn(count, dtype=ours), torch.randn(count, dtype=theirs)),
                (zeros(count, ours).normal_(0.1, 2.5), torch.zeros(count, dtype=theirs).normal_(0.1, 2.5)),
            ]
            for mine, other in close:
                np.testing.assert_allclose(mine.numpy(), other.numpy(), near, near)


@pytest.mark.parametrize(
    "name", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
)
def test_integers_of_every_dtype_equal_pytorch(name: str) -> None:
    """random_ covers what each dtype holds exactly; its bounds count from 0 and exclude the last."""
    torch = pytest.importorskip("torch")
    nngrad.manual_seed(5)
    torch.manual_seed(5)
    for bounds in ((), (2,), (0, 2)):
        mine = zeros(9, getattr(nngrad, name)).random_(*bounds)
        other = torch.zeros(9, dtype=getattr(torch, name)).random_(*bounds)
        np.testing.assert_array_equal(mine.numpy(), other.numpy())


def test_recorded_draws() -> None:
    """What PyTorch 2.13 drew for this seed, in this order."""
    nngrad.manual_seed(2147483652)
    assert nngrad.rand(3).tolist() == [0.9858590960502625, 0.47696352005004883, 0.8492488265037537]
    few = [0.18337321281433105, 0.7756463885307312, -1.7018561363220215]
    np.testing.assert_allclose(nngrad.randn(3).numpy(), few, 1e-6)
    many = nngrad.randn(18, dtype=nngrad.float64)[[0, 15, 17]].numpy()
    np.testing.assert_allclose(many, [0.11006365078367561, -1.0214643012010696, -0.3289162991338064], 1e-14)
    assert nngrad.randperm(7).tolist() == [5, 2, 4, 0, 3, 1, 6]
    assert nngrad.randint(-3, 9, (5,)).tolist() == [0, 6, -1, 2, 5]
    assert zeros(3).uniform_(-1, 2).tolist() == [-0.8411974906921387, 1.5441957712173462, 0.8196232914924622]
    assert zeros(5).bernoulli_(0.4).tolist() == [1.0, 1.0, 0.0, 1.0, 0.0]
    integers = [1695920698674844974, 4443355649686436587, 1168612811694117403]
    assert zeros(3, nngrad.int64).random_().tolist() == integers


def test_state_moves_to_pytorch_and_back() -> None:
    """The bytes of a state are PyTorch's, with the second normal number that was kept."""
    torch = pytest.importorskip("torch")
    mine, other = Generator().manual_seed(9), torch.Generator().manual_seed(9)
    nngrad.randn(3, generator=mine)
    other.set_state(torch.tensor(mine.get_state().tolist(), dtype=torch.uint8))
    for count in (1, 700, 3):
        np.testing.assert_allclose(
            nngrad.randn(count, generator=mine).numpy(),
            torch.randn(count, generator=other).numpy(),
            2e-6,
            2e-6,
        )
    mine.set_state(nngrad.tensor(other.get_state().tolist(), dtype=nngrad.uint8))
    assert nngrad.rand(1, generator=mine).item() == torch.rand(1, generator=other).item()
    assert mine.get_state().tolist() == other.get_state().tolist()


def test_state_is_where_the_generator_stands() -> None:
    """Going back to a state repeats what followed, a cached normal number included."""
    generator = Generator().manual_seed(1)
    nngrad.randn(1, generator=generator)
    state = generator.get_state()
    first = nngrad.randn(5, generator=generator).tolist()
    assert nngrad.randn(5, generator=generator).tolist() != first
    generator.set_state(state)
    assert nngrad.randn(5, generator=generator).tolist() == first
    nngrad.randn(1, generator=generator)  # leaves its second number, which a seed forgets
    generator.manual_seed(1)
    assert (
        nngrad.randn(1, generator=generator).item()
        == nngrad.randn(1, generator=Generator().manual_seed(1)).item()
    )
    nngrad.set_rng_state(state)
    assert nngrad.get_rng_state().tolist() == state.tolist()
    with pytest.raises(TypeError, match="uint8"):
        generator.set_state(nngrad.zeros(5056))
    with pytest.raises(RuntimeError, match="5056 bytes"):
        generator.set_state(nngrad.zeros(3, dtype=nngrad.uint8))


def test_generators_do_not_share() -> None:
    """Drawing from one leaves the default one where it was; a new one starts from one fixed seed."""
    nngrad.manual_seed(0)
    expected = nngrad.rand(3).tolist()
    nngrad.manual_seed(0)
    nngrad.rand(10, generator=Generator())
    assert nngrad.rand(3).tolist() == expected
    assert Generator().initial_seed() == 67280421310721
    assert nngrad.seed() == nngrad.initial_seed()
    assert nngrad.seed() != nngrad.seed()


def test_threads_draw_whole_blocks() -> None:
    """Four threads draw what one would have drawn: no number twice, none lost."""
    alone = Generator().manual_seed(3)
    expected = {tuple(nngrad.randn(20, generator=alone).tolist()) for _ in range(200)}
    shared, drawn = Generator().manual_seed(3), []

    def work() -> None:
        drawn.extend([tuple(nngrad.randn(20, generator=shared).tolist()) for _ in range(50)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(drawn) == expected


FILLS: list[Callable[[nngrad.Tensor], nngrad.Tensor]] = [
    random.uniform_,
    random.normal_,
    random.bernoulli_,
    random.random_,
]


@pytest.mark.parametrize("fill", FILLS)
def test_fills_respect_leaves(fill: Callable[[nngrad.Tensor], nngrad.Tensor]) -> None:
    """A leaf that requires grad is refused, drawing nothing; under no_grad it is filled and stays one."""
    leaf = nngrad.zeros(50, requires_grad=True)
    nngrad.manual_seed(4)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        fill(leaf)
    state = nngrad.get_rng_state()
    nngrad.manual_seed(4)
    assert nngrad.get_rng_state().tolist() == state.tolist()
    with nngrad.no_grad():
        assert fill(leaf) is leaf
    assert leaf.requires_grad
    assert leaf.is_leaf
    assert leaf.tolist() != [0.0] * 50


def test_fills_write_through_views() -> None:
    """Filling a row of a matrix fills the matrix."""
    matrix = nngrad.zeros(2, 50)
    matrix[1].normal_()
    assert matrix[0].tolist() == [0.0] * 50
    assert 0.0 not in matrix[1].tolist()


def test_like_and_sizes() -> None:
    """Shapes come one by one, as a sequence or by name; *_like takes shape and dtype from its input."""
    x = nngrad.zeros(2, 3, dtype=nngrad.float64)
    for made in (nngrad.rand(2, 3), nngrad.randn([2, 3]), nngrad.rand(size=(2, 3)), nngrad.rand_like(x)):
        assert made.shape == (2, 3)
    assert nngrad.randn_like(x).dtype is nngrad.float64
    assert nngrad.rand(2, requires_grad=True).requires_grad
    assert nngrad.rand(()).shape == ()
    assert nngrad.randint(high=3, size=(4,)).shape == (4,)


REFUSED: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: nngrad.rand(3, dtype=nngrad.int64), NotImplementedError, "rand: .*int64"),
    (lambda: zeros(3, nngrad.int64).normal_(), NotImplementedError, "normal_: .*int64"),
    (lambda: nngrad.rand(-1), RuntimeError, "rand: .*negative dimension -1"),
    (lambda: nngrad.randint(5, 5, (2,)), RuntimeError, "from=5 >= to=5"),
    (
        lambda: nngrad.randint(300, (2,), dtype=nngrad.uint8),
        RuntimeError,
        "to - 1 is out of bounds for uint8",
    ),
    (lambda: nngrad.randint(3, (2,), requires_grad=True), RuntimeError, "floating point"),
    (lambda: nngrad.randperm(-1), RuntimeError, "randperm: .*-1"),
    (lambda: zeros(3).uniform_(2.0, 1.0), RuntimeError, "from=2.0 > to=1.0"),
    (lambda: zeros(3).normal_(0.0, -1.0), RuntimeError, "std -1.0"),
    (lambda: zeros(3).bernoulli_(1.5), RuntimeError, "p=1.5"),
    (lambda: nngrad.bernoulli(nngrad.tensor([float("nan")])), RuntimeError, "p=.*nan"),
    (lambda: nngrad.manual_seed(2**64), ValueError, "does not fit 64 bits"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_bad_input_is_refused(call: Callable[[], object], error: type[Exception], message: str) -> None:
    """Each raises the type that PyTorch raises, naming the argument."""
    with pytest.raises(error, match=message):
        call()


def test_numpy_random_is_loaded_late() -> None:
    """`import nngrad` does not load numpy.random, which would cost a tenth of its import."""
    import subprocess
    import sys

    code = "import nngrad, sys; sys.exit('numpy.random' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_integers_like_another_tensor_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    drawn: list[list[Any]] = []
    for f in (nngrad, torch):
        f.manual_seed(3)
        x = f.zeros(2, 3, dtype=f.float64)
        made = [
            f.randint_like(x, 10),
            f.randint_like(x, low=-3, high=4, dtype=f.int64),
            f.randint_like(x, 2, 5),
        ]
        made.append(f.randint_like(x, high=4))
        drawn.append([(str(m.dtype).split(".")[-1], m.tolist()) for m in made])
    assert drawn[0] == drawn[1]
    with pytest.raises(RuntimeError, match="randint expects 'from' to be less than 'to'"):
        nngrad.randint_like(nngrad.zeros(2), 0)
