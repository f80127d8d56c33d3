"""Distributions beside PyTorch's: samples seed for seed, densities, moments, gradients, shapes, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nngrad

torch = pytest.importorskip("torch")
special = pytest.importorskip("scipy.special")
BOTH = (nngrad, torch)
D = nngrad.distributions


def draw(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


def positive(*shape: int, seed: int = 0) -> Any:
    return np.exp(draw(*shape, seed=seed))


def chances(*shape: int, seed: int = 0) -> Any:
    return 1 / (1 + np.exp(-draw(*shape, seed=seed)))


COVARIANCE = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 0.7]])
FACTOR = np.linalg.cholesky(np.stack([COVARIANCE, COVARIANCE + np.eye(3)]))

#: name -> how to build it from a library, and the parameters (arrays, which get gradients)
CASES: dict[str, tuple[Any, list[Any]]] = {
    "normal": (lambda d, a, b: d.Normal(a, b), [draw(4, 3), positive(3)]),
    "normal of a number": (lambda d, a: d.Normal(a, 2), [draw(3)]),
    "laplace": (lambda d, a, b: d.Laplace(a, b), [draw(4, 1), positive(3)]),
    "uniform": (lambda d, a, b: d.Uniform(a, b), [draw(4, 1), 3 + positive(3)]),
    "exponential": (lambda d, a: d.Exponential(a), [positive(4, 3)]),
    "gamma": (lambda d, a, b: d.Gamma(a, b), [positive(4, 3) * 3, positive(3, seed=1)]),
    "small gamma": (lambda d, a: d.Gamma(a, 1.0), [positive(50) * 0.2]),
    "chi2": (lambda d, a: d.Chi2(a), [positive(5) * 4]),
    "beta": (lambda d, a, b: d.Beta(a, b), [positive(4, 3) * 2, positive(3, seed=1)]),
    "dirichlet": (lambda d, a: d.Dirichlet(a), [positive(4, 3) + 1]),
    "log-normal": (lambda d, a, b: d.LogNormal(a, b), [draw(4, 3), positive(3) * 0.3]),
    "bernoulli": (lambda d, a: d.Bernoulli(a), [chances(4, 3)]),
    "bernoulli logits": (lambda d, a: d.Bernoulli(logits=a), [draw(4, 3) * 3]),
    "categorical": (lambda d, a: d.Categorical(a), [positive(4, 3)]),
    "categorical logits": (lambda d, a: d.Categorical(logits=a), [draw(2, 4, 5)]),
    "one category": (lambda d, a: d.Categorical(logits=a), [draw(6)]),
    "one hot": (lambda d, a: d.OneHotCategorical(a), [positive(4, 3)]),
    "mixture": (
        lambda d, a, b, c: d.MixtureSameFamily(d.Categorical(logits=a.detach()), d.Normal(b, c)),
        [draw(4, 3), draw(4, 3), positive(4, 3)],
    ),
    "mixture of vectors": (
        lambda d, a, b: d.MixtureSameFamily(d.Categorical(a), d.Independent(d.Normal(b, 0.5), 1)),
        [positive(3), draw(3, 2)],
    ),
    "relaxed one hot": (lambda d, a, t: d.RelaxedOneHotCategorical(t, logits=a), [draw(4, 3), np.array(0.7)]),
    "relaxed bernoulli": (lambda d, a, t: d.RelaxedBernoulli(t, a), [chances(4, 3), np.array(0.7)]),
    "poisson": (lambda d, a: d.Poisson(a), [positive(4, 3) * 8]),
    "binomial": (lambda d, a: d.Binomial(7, a), [chances(4, 3)]),
    "large binomial": (lambda d, a: d.Binomial(90, logits=a), [draw(40)]),
    "covariance": (lambda d, a, b: d.MultivariateNormal(a, b), [draw(4, 3), COVARIANCE]),
    "precision": (lambda d, a, b: d.MultivariateNormal(a, precision_matrix=b), [draw(3), COVARIANCE]),
    "factor": (lambda d, a, b: d.MultivariateNormal(a, scale_tril=b), [draw(5, 1, 3), FACTOR]),
    "independent": (lambda d, a, b: d.Independent(d.Normal(a, b), 1), [draw(4, 3), positive(3)]),
    "twice independent": (
        lambda d, a: d.Independent(d.Independent(d.Bernoulli(a), 1), 1),
        [chances(2, 4, 3)],
    ),
    "affine": (
        lambda d, a, b: d.TransformedDistribution(
            d.Normal(a, 1.5), [d.transforms.AffineTransform(b, -2.0), d.transforms.TanhTransform()]
        ),
        [draw(4, 3) * 0.3, draw(3) * 0.1],
    ),
    "flow": (
        lambda d, a, b: d.TransformedDistribution(
            d.Independent(d.Normal(a, 0.7), 1),
            [
                d.transforms.AffineTransform(a, b, event_dim=1),
                d.transforms.SigmoidTransform().inv.inv,
                d.transforms.PowerTransform(2.0),
                d.transforms.ReshapeTransform((6,), (2, 3)),
            ],
        ),
        [draw(4, 6), positive(6)],
    ),
    "softplus": (
        lambda d, a: d.TransformedDistribution(
            d.Laplace(a, 1.0), d.transforms.ComposeTransform([d.transforms.SoftplusTransform()])
        ),
        [draw(3)],
    ),
}
DISCRETE = {
    *("bernoulli", "bernoulli logits", "categorical", "categorical logits", "one category", "one hot"),
    *("poisson", "binomial", "large binomial", "twice independent"),
}
MIXED = {"mixture", "mixture of vectors"}
WITHOUT_KL = {"flow", "affine", "softplus", "factor", "relaxed one hot", "relaxed bernoulli"}
#: PyTorch differentiates samples of these by approximations
ROUGH = {"gamma", "small gamma", "chi2", "beta", "dirichlet"}


def tensors(library: Any, arrays: list[Any], dtype: str, grad: bool = True) -> list[Any]:
    return [library.tensor(a.astype(dtype)).requires_grad_(grad) for a in arrays]


def numbers(value: Any) -> Any:
    return value.detach().numpy()


def close(ours: Any, theirs: Any, dtype: str = "float64", rough: float = 1.0) -> None:
    """Values, dtype and shape."""
    a, b = numbers(ours), numbers(theirs)
    assert a.dtype == b.dtype
    tolerance = (1e-10 if dtype == "float64" else 2e-4) * rough
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def pair(name: str, dtype: str = "float64", grad: bool = True) -> list[Any]:
    """Ours and theirs, each with its parameters."""
    build, arrays = CASES[name]
    made = []
    for library in BOTH:
        parameters = tensors(library, arrays, dtype, grad)
        made.append((library, build(library.distributions, *parameters), parameters))
    return made


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_samples(name: str, dtype: str) -> None:
    """The same numbers from the same seed; afterwards the generators stand where they stood."""
    drawn = []
    for library, distribution, _ in pair(name, dtype):
        library.manual_seed(5)
        samples = [distribution.sample(), distribution.sample((7,)), distribution.sample((2, 3))]
        assert not samples[0].requires_grad
        if distribution.has_rsample:
            samples += [distribution.rsample(), distribution.rsample((20,))]
        drawn.append([*samples, library.rand(3)])
    for ours, theirs in zip(*drawn, strict=True):
        close(ours, theirs, dtype)


@pytest.mark.parametrize("name", sorted(CASES.keys() - DISCRETE - MIXED))
def test_gradients_of_samples(name: str) -> None:
    """Of the parameters, through rsample; where PyTorch approximates them, to its precision."""
    found = []
    for library, distribution, parameters in pair(name):
        library.manual_seed(5)
        samples = distribution.rsample((30,))
        weights = library.tensor(draw(*samples.shape, seed=3))
        (samples * weights).sum().backward()
        found.append([p.grad for p in parameters])
    for ours, theirs in zip(*found):
        close(ours, theirs, rough=3e7 if name in ROUGH else 10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_densities(name: str, dtype: str) -> None:
    """log_prob and cdf at samples, with the gradients of values and parameters."""
    (_, ours, our_parameters), (_, theirs, their_parameters) = pair(name, dtype)
    torch.manual_seed(2)
    at = theirs.sample((6,))
    values = [nngrad.tensor(numbers(at)), at.clone()]
    if name not in DISCRETE:
        values = [value.requires_grad_() for value in values]
    for function in ("log_prob", "cdf"):
        try:
            expected = getattr(theirs, function)(values[1])
        except NotImplementedError:
            continue
        if not hasattr(type(ours), function) or (function == "cdf" and name in ROUGH):
            continue
        result = getattr(ours, function)(values[0])
        close(result, expected, dtype)
        assert result.shape == expected.shape
        weights = draw(*expected.shape, seed=4).astype(dtype)
        (result * nngrad.tensor(weights)).sum().backward()
        (expected * torch.tensor(weights)).sum().backward()
        if name not in DISCRETE:
            assert (values[0].grad is None) == (values[1].grad is None)
            if values[0].grad is not None:
                close(values[0].grad, values[1].grad, dtype, 10)
        for mine, other in zip(our_parameters, their_parameters):
            assert (mine.grad is None) == (other.grad is None)
            if mine.grad is not None:
                close(mine.grad, other.grad, dtype, 30)


@pytest.mark.parametrize("name", CASES)
def test_moments_and_shapes(name: str) -> None:
    """Mean, mode, variance, entropy and their kin; the shapes, and what is printed."""
    (_, ours, _), (_, theirs, _) = pair(name, grad=False)
    assert (ours.batch_shape, ours.event_shape) == (theirs.batch_shape, theirs.event_shape)
    assert ours.has_rsample == theirs.has_rsample
    assert ours.has_enumerate_support == theirs.has_enumerate_support
    assert ours.support.event_dim == theirs.support.event_dim
    assert ours.support.is_discrete == theirs.support.is_discrete
    for what in ("mean", "mode", "variance", "stddev", "entropy", "perplexity"):
        try:
            expected = getattr(theirs, what)
            expected = expected() if callable(expected) else expected
        except NotImplementedError:
            with pytest.raises(NotImplementedError):
                _ = getattr(ours, what)() if what in ("entropy", "perplexity") else getattr(ours, what)
            continue
        value = getattr(ours, what)
        close(value() if callable(value) else value, expected)
    if ours.has_enumerate_support:
        for expand in (True, False):
            close(ours.enumerate_support(expand), theirs.enumerate_support(expand))
    for what in ("loc", "scale", "rate", "concentration", "concentration0", "probs", "logits", "df", "low"):
        if hasattr(theirs, what):
            close(getattr(ours, what), getattr(theirs, what))
    for what in ("covariance_matrix", "precision_matrix", "scale_tril"):
        if hasattr(theirs, what):
            close(getattr(ours, what), getattr(theirs, what))


@pytest.mark.parametrize("name", CASES)
def test_expansion(name: str) -> None:
    """The expanded distributions have the samples and densities of PyTorch's."""
    drawn = []
    for library, distribution, _ in pair(name, grad=False):
        wider = distribution.expand((2, *distribution.batch_shape))
        assert type(wider) is type(distribution)
        library.manual_seed(1)
        samples = wider.sample((3,))
        drawn.append([samples, wider.log_prob(samples)])
        assert tuple(wider.batch_shape) == (2, *distribution.batch_shape)
    for ours, theirs in zip(*drawn):
        close(ours, theirs, rough=1e4 if name == "affine" else 1)  # atanh near 1


@pytest.mark.parametrize(
    "name", ["normal", "laplace", "uniform", "exponential", "log-normal", "affine", "softplus"]
)
def test_quantiles(name: str) -> None:
    (_, ours, _), (_, theirs, _) = pair(name)
    at = chances(5, *theirs.batch_shape)
    close(ours.icdf(nngrad.tensor(at)), theirs.icdf(torch.tensor(at)))
    close(ours.cdf(ours.icdf(nngrad.tensor(at))), torch.tensor(at), rough=100)


@pytest.mark.parametrize("a", [0.02, 0.3, 1.0, 2.5, 30.0, 900.0, 1e5])
def test_gamma_paths(a: float) -> None:
    """By how much a gamma sample moves: against differences of the quantile function, far out too."""
    quantiles = np.array([1e-9, 0.001, 0.3, 0.6, 0.999])
    x = special.gammaincinv(a, quantiles)
    step = 1e-4 * min(a, np.sqrt(a))
    kept = x > 1e-300
    above, below = (np.log(special.gammaincinv(a + d, quantiles[kept])) for d in (step, -step))
    expected = x[kept] * (above - below) / (2 * step)
    from nngrad.distributions.drawing import gamma_path

    found = gamma_path(nngrad.tensor(np.full(5, a)), nngrad.tensor(x)).numpy()
    np.testing.assert_allclose(found[kept], expected, rtol=3e-5)


def test_second_derivatives_of_samples_are_refused() -> None:
    a = nngrad.tensor([2.0], requires_grad=True)
    grad: Any
    (grad,) = nngrad.autograd.grad(D.Gamma(a, 1.0).rsample().sum(), a, create_graph=True)
    with pytest.raises(RuntimeError, match="second derivatives"):
        grad.sum().backward()


PAIRS: list[tuple[str, str]] = [
    *((name, name) for name in sorted(CASES.keys() - MIXED - WITHOUT_KL)),
    ("covariance", "precision"),
    ("precision", "factor"),
    ("factor", "precision"),
    ("uniform", "normal"),
    ("laplace", "normal"),
    ("exponential", "gamma"),
    ("gamma", "exponential"),
    ("bernoulli", "poisson"),
    ("softplus", "softplus"),
    ("normal", "normal of a number"),
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_divergences(first: str, second: str) -> None:
    """KL(p || q), where q has other parameters, with gradients."""
    found = []
    for library in BOTH:
        p_parameters = tensors(library, CASES[first][1], "float64")
        moved = [x + 0.1 * np.eye(3) if x.shape[-2:] == (3, 3) else x * 0.8 for x in CASES[second][1]]
        q_parameters = tensors(library, moved, "float64")
        p = CASES[first][0](library.distributions, *p_parameters)
        q = CASES[second][0](library.distributions, *q_parameters)
        divergence = library.distributions.kl_divergence(p, q)
        finite = library.where(library.isfinite(divergence), divergence, library.zeros_like(divergence))
        if bool(library.isfinite(divergence).all()):
            finite.sum().backward()
        found.append([divergence, *(x.grad for x in (*p_parameters, *q_parameters))])
    for ours, theirs in zip(*found):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            close(ours, theirs, rough=30)


def test_divergences_at_the_edges() -> None:
    """Chances of 0 and 1, and supports that do not fit."""
    edges = np.array([0.0, 0.0, 1.0, 1.0, 0.3])
    others = np.array([0.0, 1.0, 0.0, 1.0, 0.0])
    for name in ("Bernoulli", "Categorical"):
        found = []
        for library in BOTH:
            p, q = (library.tensor(x) for x in (edges, others))
            if name == "Categorical":
                p, q = (library.stack([x, 1 - x], -1) for x in (p, q))
            build = getattr(library.distributions, name)
            found.append(library.distributions.kl_divergence(build(p), build(q)))
        close(found[0], found[1])
    results = []
    for library in BOTH:
        p = library.distributions.Uniform(library.tensor([0.0, 0.5]), library.tensor([1.0, 0.7]))
        q = library.distributions.Uniform(library.tensor([0.5, 0.0]), library.tensor([1.0, 1.0]))
        results.append(library.distributions.kl_divergence(p, q))
    close(results[0], results[1], "float32")


def test_registering_a_divergence() -> None:
    """For types of one's own; a subclass is served by its nearest base."""

    class Own(D.Normal):
        pass

    @D.register_kl(Own, D.Normal)
    def own(p: Any, q: Any) -> Any:
        return nngrad.tensor(42.0)

    plain = D.Normal(0.0, 1.0)
    assert float(D.kl_divergence(Own(0.0, 1.0), plain)) == 42
    assert float(D.kl_divergence(plain, Own(0.0, 1.0))) == 0
    with pytest.raises(TypeError, match="Distribution subclass"):
        D.register_kl(int, D.Normal)


TRANSFORMS: dict[str, Any] = {
    "exp": lambda t, x: t.ExpTransform(),
    "sigmoid": lambda t, x: t.SigmoidTransform(),
    "tanh": lambda t, x: t.TanhTransform(),
    "softplus": lambda t, x: t.SoftplusTransform(),
    "affine": lambda t, x: t.AffineTransform(x[0], 2.5),
    "affine vectors": lambda t, x: t.AffineTransform(1.5, x[0].exp(), event_dim=1),
    "power": lambda t, x: t.ComposeTransform([t.ExpTransform(), t.PowerTransform(x[0] + 3)]),
    "reshape": lambda t, x: t.ReshapeTransform((4,), (2, 2)),
    "independent": lambda t, x: t.IndependentTransform(t.TanhTransform(), 1),
    "inverse": lambda t, x: t.AffineTransform(1.0, -3.0).inv,
    "composed": lambda t, x: t.ComposeTransform(
        [t.AffineTransform(0.0, 0.5), t.ReshapeTransform((4,), (2, 2)), t.TanhTransform()]
    ),
    "nothing": lambda t, x: t.ComposeTransform([]),
    "softmax": lambda t, x: t.SoftmaxTransform(),
    "abs": lambda t, x: t.AbsTransform(),
}


@pytest.mark.parametrize("cache", [0, 1])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name: str, cache: int) -> None:
    """There, back and the determinant; shapes, signs, constraints, equality."""
    found = []
    for library in BOTH:
        x = library.tensor(draw(3, 4)).requires_grad_()
        transform = TRANSFORMS[name](library.distributions.transforms, x.detach())
        transform = transform.with_cache(cache)
        y = transform(x)
        result = [y, transform.inv(y)]
        if name not in ("nothing", "composed", "power"):
            assert (result[1] is x) == (cache == 1)
        if name not in ("softmax", "abs"):
            result.append(transform.log_abs_det_jacobian(x, y))
            result.append(transform.inv.log_abs_det_jacobian(y, x))
        loss: Any = sum((part * part.detach()).sum() for part in result)
        loss.backward()
        shapes = [tuple(transform.forward_shape((3, 4))), tuple(transform.inverse_shape(tuple(y.shape)))]
        dims = [transform.domain.event_dim, transform.codomain.event_dim, bool(transform.bijective)]
        same = transform == TRANSFORMS[name](library.distributions.transforms, x.detach()).with_cache(cache)
        other = transform == library.distributions.transforms.AffineTransform(7.0, 1.0)
        found.append(([*result, x.grad], shapes, dims, bool(other)))
        assert name in ("reshape", "independent", "composed") or same
        assert repr(transform)
    for ours, theirs in zip(found[0][0], found[1][0]):
        close(ours, theirs)
    assert found[0][1:] == found[1][1:]


BAD: list[Any] = [
    lambda d, t: d.Normal(0.0, -1.0),
    lambda d, t: d.Normal(t.tensor([0.0, float("nan")]), 1.0),
    lambda d, t: d.Normal("a", 1.0),
    lambda d, t: d.Uniform(1.0, 0.0),
    lambda d, t: d.Gamma(0.0, 1.0),
    lambda d, t: d.Beta(t.tensor([1.0, -1.0]), 1.0),
    lambda d, t: d.Dirichlet(t.tensor(1.0)),
    lambda d, t: d.Dirichlet(t.tensor([1.0, 0.0])),
    lambda d, t: d.Bernoulli(),
    lambda d, t: d.Bernoulli(0.5, 0.5),
    lambda d, t: d.Bernoulli(1.5),
    lambda d, t: d.Categorical(),
    lambda d, t: d.Categorical(t.tensor(0.5)),
    lambda d, t: d.Categorical(t.tensor([0.5, -0.2])),
    lambda d, t: d.Categorical(logits=t.tensor([0.5, float("nan")])),
    lambda d, t: d.Categorical(t.ones(3)).log_prob(t.tensor(3)),
    lambda d, t: d.Poisson(-1.0),
    lambda d, t: d.Binomial(-1, t.tensor(0.5)),
    lambda d, t: d.Binomial(3, t.tensor(0.5)).log_prob(t.tensor(4.0)),
    lambda d, t: d.Binomial(t.tensor([3.0, 4.0]), t.tensor(0.5)).entropy(),
    lambda d, t: d.MultivariateNormal(t.zeros(2)),
    lambda d, t: d.MultivariateNormal(t.tensor(0.0), t.eye(1)),
    lambda d, t: d.MultivariateNormal(t.zeros(2), t.ones(2)),
    lambda d, t: d.MultivariateNormal(t.zeros(2), t.ones(2, 2)),
    lambda d, t: d.MultivariateNormal(t.zeros(2), -t.eye(2)),
    lambda d, t: d.MultivariateNormal(t.zeros(2), scale_tril=t.ones(2, 2)),
    lambda d, t: d.Independent(d.Normal(0.0, 1.0), 1),
    lambda d, t: d.TransformedDistribution(d.Normal(0.0, 1.0), 3),
    lambda d, t: d.TransformedDistribution(d.Normal(0.0, 1.0), [3]),
    lambda d, t: d.TransformedDistribution(d.Normal(0.0, 1.0), d.transforms.ReshapeTransform((2,), (2, 1))),
    lambda d, t: d.transforms.ReshapeTransform((2,), (3,)),
    lambda d, t: d.transforms.ReshapeTransform((2,), (2, 1)).forward_shape((3,)),
    lambda d, t: d.transforms.ReshapeTransform((2, 1), (2,)).forward_shape((2,)),
    lambda d, t: d.transforms.ExpTransform(2),
    lambda d, t: d.transforms.ReshapeTransform((2,), (2, 1)).event_dim,
    lambda d, t: d.Normal(0.0, 1.0).log_prob(1.0),
    lambda d, t: d.Normal(t.zeros(3), 1.0).log_prob(t.zeros(2)),
    lambda d, t: d.Dirichlet(t.ones(3)).log_prob(t.ones(2) / 2),
    lambda d, t: d.Dirichlet(t.ones(3)).log_prob(t.ones(3)),
    lambda d, t: d.Exponential(1.0).log_prob(t.tensor(-1.0)),
    lambda d, t: d.Uniform(0.0, 1.0).log_prob(t.tensor(2.0)),
    lambda d, t: d.Bernoulli(0.5).log_prob(t.tensor(0.5)),
    lambda d, t: d.LogNormal(0.0, 1.0).log_prob(t.tensor(-1.0)),
    lambda d, t: d.Bernoulli(0.5).rsample(),
    lambda d, t: d.Bernoulli(0.5).cdf(t.tensor(1.0)),
    lambda d, t: d.Distribution(),
    lambda d, t: d.Distribution(validate_args=False).mean,
    lambda d, t: d.Distribution(validate_args=False).expand((2,)),
    lambda d, t: d.kl_divergence(d.Normal(0.0, 1.0), d.Poisson(1.0)),
    lambda d, t: d.kl_divergence(d.LogNormal(0.0, 1.0), d.TransformedDistribution(d.Normal(0.0, 1.0), [])),
    lambda d, t: d.constraints.dependent.check(t.zeros(1)),
]


@pytest.mark.filterwarnings("ignore:.*does not define `arg_constraints`:UserWarning")
@pytest.mark.parametrize("number", range(len(BAD)))
def test_errors(number: int) -> None:
    """The type of error that PyTorch raises; no warning where it has none."""
    outcome: Any = None
    try:
        BAD[number](torch.distributions, torch)
    except Exception as error:
        outcome = type(error)
    if outcome is None:
        BAD[number](D, nngrad)
        return
    with pytest.raises(outcome) as raised:
        BAD[number](D, nngrad)
    assert str(raised.value)


def test_validation_can_be_left_out() -> None:
    assert float(D.Uniform(0.0, 1.0, validate_args=False).log_prob(nngrad.tensor(2.0))) == -np.inf
    D.Distribution.set_default_validate_args(False)
    try:
        D.Normal(0.0, -1.0)
    finally:
        D.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError, match=r"parameter scale .* of distribution Normal\(loc: 0.0, "):
        D.Normal(0.0, -1.0)


def test_names_are_loaded_late() -> None:
    import subprocess
    import sys

    code = "import nngrad, sys; assert 'nngrad.distributions' not in sys.modules; nngrad.distributions.Normal"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_gradients_of_what_chooses_among_the_parts_of_a_mixture() -> None:
    found = []
    for library in BOTH:
        logits, means, at = tensors(library, [draw(4, 3), draw(4, 3, seed=1), draw(4, seed=2)], "float64")
        d = library.distributions
        mixture = d.MixtureSameFamily(d.Categorical(logits=logits), d.Normal(means, 0.5))
        mixture.log_prob(at).sum().backward()
        found.append([logits.grad, means.grad, at.grad])
        assert mixture.expand((2, 4)).sample((3,)).shape == (3, 2, 4)
        choice = d.Categorical(logits=means)
        for chooser, parts in (
            (d.Normal(0.0, 1.0), d.Normal(0.0, 1.0)),
            (choice, 1),
            (choice, d.Normal(means[:, :2], 1.0)),
            (choice, d.Normal(means[:2], 1.0)),
        ):
            with pytest.raises(ValueError, match="istribution"):
                d.MixtureSameFamily(chooser, parts)
    for ours, theirs in zip(*found):
        close(ours, theirs)
