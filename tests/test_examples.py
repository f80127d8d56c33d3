"""The demos at a small size: they learn, and they draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nngrad.functional as F

for package in ("sklearn", "matplotlib", "tqdm"):
    pytest.importorskip(package)

from examples import (  # noqa: E402  # what they import is there
    bayes_hmc,
    diabetes_newton,
    digits,
    digits_pure,
    oscillator,
    private_cnn,
)
from examples.digits_data import Digits, load, picture, table  # noqa: E402  # likewise


@pytest.fixture(scope="module")
def data() -> Digits:
    return load()


def test_the_held_out_images_are_not_trained_on(data: Digits) -> None:
    assert (len(data.train_labels), len(data.test_labels)) == (1437, 360)
    trained = {image.tobytes() for image in data.train_images}
    assert not any(image.tobytes() in trained for image in data.test_images)


def test_the_imperative_demo_learns(data: Digits, tmp_path: Path) -> None:
    model, history, predicted = digits.train(data, epochs=8)
    assert history[-1].test_accuracy > 0.93
    assert history[-1].train_loss < history[0].train_loss / 4
    assert float(np.mean(predicted == data.test_labels)) == pytest.approx(history[-1].test_accuracy, abs=1e-6)
    assert table(history).count("\n") == 8
    picture(tmp_path / "out" / "digits.png", history, data.test_images, data.test_labels, predicted)
    assert (tmp_path / "out" / "digits.png").stat().st_size > 10_000
    assert len(model.snapshot()) == 6


def test_the_pure_demo_learns(data: Digits) -> None:
    params, history, _ = digits_pure.train(data, epochs=8)
    assert history[-1].test_accuracy > 0.93
    assert [a.flags.writeable for a in params.values()] == [False] * 6


def drawn(path: Path) -> bool:
    """Whether there is a picture with something on it."""
    return path.stat().st_size > 10_000


def test_the_private_demo_learns_within_its_budget(data: Digits, tmp_path: Path) -> None:
    run = private_cnn.train(data, steps=60)
    assert run.accuracy[-1] > 0.75
    assert run.epsilon == sorted(run.epsilon)
    assert 0.4 < run.epsilon[0] < run.epsilon[-1] < 2
    private_cnn.picture(tmp_path / "private.png", run)
    assert drawn(tmp_path / "private.png")


def test_the_privacy_spent_is_that_of_the_paper() -> None:
    """Abadi et al. 2016, section 4: 1.26 after 100 epochs of a hundredth each, at noise 4."""
    assert private_cnn.privacy_spent(10_000, noise=4, rate=0.01, delta=1e-5) == pytest.approx(1.26, abs=0.005)


def test_no_example_moves_the_private_gradient_further_than_the_clip(data: Digits) -> None:
    params = private_cnn.initial(np.random.default_rng(0))
    images, labels = data.train_images[:6].reshape(-1, 1, 8, 8), data.train_labels[:6]
    with F.vmap_fallbacks() as loops:
        whole, norms = private_cnn.clipped_sum(params, images, labels)
    assert loops == {}
    less, _ = private_cnn.clipped_sum(params, images[1:], labels[1:])
    moved = np.sqrt(sum(np.sum((whole[name] - less[name]) ** 2) for name in whole))
    assert norms[0] > private_cnn.CLIP
    assert moved == pytest.approx(private_cnn.CLIP, rel=1e-4)


def test_the_oscillator_follows_the_closed_form(tmp_path: Path) -> None:
    history = oscillator.solve(steps=25)
    assert oscillator.largest_error(history[-1].params) < 1e-3 < oscillator.largest_error(history[0].params)
    oscillator.picture(tmp_path / "oscillator.png", history)
    assert drawn(tmp_path / "oscillator.png")


def test_newton_doubles_its_digits_and_descent_does_not(tmp_path: Path) -> None:
    patients = diabetes_newton.load()
    norms, weights = diabetes_newton.compare(patients, steps=20)
    assert min(norms["Newton"]) < 1e-14 < 1e-3 < min(norms["gradient descent"])
    assert diabetes_newton.order(norms["Newton"]) == pytest.approx(2, abs=0.1)
    assert diabetes_newton.order(norms["Gauss-Newton"]) == pytest.approx(1, abs=0.1)
    diabetes_newton.picture(tmp_path / "newton.png", patients, norms, weights)
    assert drawn(tmp_path / "newton.png")


def test_the_chains_agree_and_classify(tmp_path: Path) -> None:
    tumours = bayes_hmc.load()
    with F.vmap_fallbacks() as loops:
        weights, accepted = bayes_hmc.sample(tumours, draws=60)
    assert loops == {}
    assert weights.shape == (60, bayes_hmc.CHAINS, 31)
    assert 0.6 < accepted < 1
    assert bayes_hmc.r_hat(weights).max() < 1.1
    assert bayes_hmc.r_hat(weights[:, :, :1] + np.arange(bayes_hmc.CHAINS)[:, None])[0] > 2  # chains apart
    chance = bayes_hmc.chances(weights, tumours.test_x).mean((0, 1))
    assert np.mean((chance > 0.5) == tumours.test_y) > 0.95
    bayes_hmc.picture(tmp_path / "bayes.png", tumours, weights)
    assert drawn(tmp_path / "bayes.png")
