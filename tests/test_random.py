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


def same_draws(call: Callable[[Any, dict[str, Any]], Any], tolerance: float = 1e-12) -> None:
    """By the default generator and by one of its own; and both libraries stand where they stood together."""
    torch = pytest.importorskip("torch")
    for seed in (0, 7):
        for own in (False, True):
            results = []
            for library in (nngrad, torch):
                library.manual_seed(seed)
                given = {"generator": library.Generator().manual_seed(seed + 1)} if own else {}
                results.append((call(library, given).numpy(), library.rand(1, **given).item()))
            (ours, our_next), (theirs, their_next) = results
            assert ours.dtype == theirs.dtype
            np.testing.assert_allclose(ours, theirs, tolerance, tolerance)
            assert our_next == their_next


TOLERANCES = {"float16": 2e-3, "float32": 3e-6, "float64": 1e-12, "int64": 0.0, "uint8": 0.0}
DISTRIBUTIONS: dict[str, tuple[float, ...]] = {
    "uniform_": (-1.0, 2.0),
    "normal_": (0.5, 2.0),
    "exponential_": (2.0,),
    "cauchy_": (1.0, 2.0),
    "log_normal_": (0.1, 0.5),
    "geometric_": (0.3,),
    "random_": (3, 100),
    "bernoulli_": (0.3,),
}
WHOLE = ("geometric_", "random_", "bernoulli_")


CASES = [(n, d) for n in DISTRIBUTIONS for d in TOLERANCES if n in WHOLE or d.startswith("float")]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_fills_draw_what_pytorch_draws(name: str, dtype: str) -> None:
    def zeros(library: Any, *shape: int) -> Any:
        return library.zeros(*shape, dtype=getattr(library, dtype))

    for count in (0, 1, 15, 16, 17, 40, 300):

        def vector(library: Any, given: dict[str, Any], count: int = count) -> Any:
            return getattr(zeros(library, count), name)(*DISTRIBUTIONS[name], **given)

        same_draws(vector, TOLERANCES[dtype])
    parts: tuple[Callable[[Any], Any], ...] = (
        lambda x: x.T,
        lambda x: x.T[1:3],
        lambda x: x[:, ::3],
        lambda x: x.permute(1, 0),
        lambda x: x[3],
    )
    for part in parts:

        def write(library: Any, given: dict[str, Any], part: Callable[[Any], Any] = part) -> Any:
            whole = zeros(library, 20, 7)
            getattr(part(whole), name)(*DISTRIBUTIONS[name], **given)
            return whole

        same_draws(write, TOLERANCES[dtype])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_samples_are_pytorchs(dtype: str) -> None:
    tolerance = TOLERANCES[dtype]
    for count in (3, 16, 40):

        def weights(library: Any, count: int = count) -> Any:
            return (library.arange(3 * count) % 5 + 1).reshape(3, count).to(getattr(library, dtype))

        def like(library: Any, value: float, count: int = count) -> Any:
            return library.full((count,), value, dtype=getattr(library, dtype))

        if dtype != "float16":  # too coarse for an order without ties
            same_draws(lambda lib, given: lib.multinomial(weights(lib), 3, **given))
        same_draws(lambda lib, given: lib.multinomial(weights(lib)[0], 1, True, **given))
        same_draws(lambda lib, given: weights(lib).multinomial(50, replacement=True, **given))
        same_draws(lambda lib, given: lib.poisson(weights(lib) * 7, **given))
        same_draws(lambda lib, given: lib.poisson(weights(lib) - 1, **given))
        same_draws(lambda lib, given: lib.bernoulli(weights(lib) / 9, **given))
        same_draws(lambda lib, given: lib.bernoulli(weights(lib).T / 9, **given))
        same_draws(lambda lib, given: lib.bernoulli(like(lib, 0.0), 0.3, **given))
        same_draws(lambda lib, given: like(lib, 0.3).bernoulli(**given))
        same_draws(lambda lib, given: lib.normal(like(lib, 1.0), like(lib, 2.0), **given), tolerance)
        same_draws(lambda lib, given: lib.normal(like(lib, 1.0), 2.0, **given), tolerance)
        same_draws(lambda lib, given: lib.normal(like(lib, 1.0), **given), tolerance)
        same_draws(lambda lib, given: lib.normal(1.0, like(lib, 2.0), **given), tolerance)
        same_draws(
            lambda lib, given: lib.normal(1.0, 2.0, (4, 5), dtype=getattr(lib, dtype), **given), tolerance
        )
        same_draws(
            lambda lib, given: lib.normal(like(lib, 0.0).reshape(-1, 1), like(lib, 1.0), **given),
            tolerance,
        )


def test_halves_stay_below_their_upper_bound() -> None:
    same_draws(lambda lib, given: lib.rand(30000, dtype=lib.float16, **given), 0.0)
    same_draws(lambda lib, given: lib.zeros(30000, dtype=lib.float16).uniform_(-1, 2, **given), 0.0)


REFUSED_SAMPLES: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "negative weight": (lambda lib: lib.multinomial(lib.tensor([-1.0, 2.0]), 1), RuntimeError, "element < 0"),
    "NaN weight": (lambda lib: lib.multinomial(lib.tensor([np.nan, 2.0]), 1), RuntimeError, "`nan`"),
    "no weight": (lambda lib: lib.multinomial(lib.zeros(2), 1), RuntimeError, "sum of probabilities <= 0"),
    "too many": (lambda lib: lib.multinomial(lib.ones(2), 3), RuntimeError, "without replacement"),
    "none": (lambda lib: lib.multinomial(lib.ones(2), 0), RuntimeError, "n_sample <= 0"),
    "0-d": (lambda lib: lib.multinomial(lib.tensor(1.0), 1), RuntimeError, "1 or 2 dim"),
    "integers": (lambda lib: lib.multinomial(lib.ones(2).long(), 1), RuntimeError, "floating-point"),
    "normal, std": (lambda lib: lib.normal(0.0, -1.0, (2,)), RuntimeError, "std >= 0.0"),
    "normal, stds": (lambda lib: lib.normal(0.0, lib.tensor([-1.0])), RuntimeError, "std >= 0.0"),
    "normal, no size": (lambda lib: lib.normal(0.0, 1.0), TypeError, "normal"),
    "normal, shapes": (lambda lib: lib.normal(lib.zeros(3), lib.ones(4)), RuntimeError, "3.*4"),
    "normal, whole": (lambda lib: lib.normal(lib.zeros(3).long(), 1.0), NotImplementedError, "normal"),
    "exponential": (lambda lib: lib.zeros(3).exponential_(0.0), RuntimeError, "lambda > 0.0"),
    "exponential, whole": (lambda lib: lib.zeros(3).long().exponential_(), RuntimeError, "floating"),
    "cauchy": (lambda lib: lib.zeros(3).cauchy_(0.0, 0.0), RuntimeError, "sigma > 0.0"),
    "log_normal": (lambda lib: lib.zeros(3).log_normal_(0.0, 0.0), RuntimeError, "std > 0.0"),
    "log_normal, whole": (lambda lib: lib.zeros(3).long().log_normal_(), NotImplementedError, "log_normal"),
    "geometric": (lambda lib: lib.zeros(3).geometric_(1.0), RuntimeError, r"in \(0, 1\)"),
    "geometric, bools": (lambda lib: lib.zeros(3).bool().geometric_(0.5), NotImplementedError, "geometric"),
    "poisson": (lambda lib: lib.poisson(lib.tensor([-1.0])), RuntimeError, "non-negative"),
    "randperm, bools": (lambda lib: lib.randperm(3, dtype=lib.bool), NotImplementedError, "randperm"),
    "randperm, bytes": (lambda lib: lib.randperm(300, dtype=lib.uint8), RuntimeError, "300|without overflow"),
    "leaf": (lambda lib: lib.zeros(3, requires_grad=True).exponential_(), RuntimeError, "leaf"),
}


@pytest.mark.parametrize("case", REFUSED_SAMPLES)
@pytest.mark.parametrize("library", ["nngrad", "torch"])
def test_bad_samples_are_refused(library: str, case: str) -> None:
    call, error, message = REFUSED_SAMPLES[case]
    with pytest.raises(error, match=message):
        call(pytest.importorskip(library))


def test_a_fork_of_the_default_generator_leaves_it_where_it_was() -> None:
    nngrad.manual_seed(1)
    expected = nngrad.rand(3).tolist()
    nngrad.manual_seed(1)
    with random.fork_rng():
        nngrad.manual_seed(9)
        nngrad.rand(5)
    assert nngrad.rand(3).tolist() == expected
    nngrad.manual_seed(1)
    with random.fork_rng(enabled=False):
        nngrad.rand(3)
    assert nngrad.rand(3).tolist() != expected


def test_a_generator_knows_its_place_and_can_be_cloned() -> None:
    source = Generator(device="cpu").manual_seed(4)
    assert source.device == nngrad.device("cpu")
    nngrad.randn(3, generator=source)
    twin = source.clone_state()
    assert nngrad.randn(5, generator=twin).tolist() == nngrad.randn(5, generator=source).tolist()
    with pytest.raises(RuntimeError, match="Generator: device"):
        Generator(device="cuda")
