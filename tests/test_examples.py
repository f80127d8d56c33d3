"""The demos at a small size: they learn, and they draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

for package in ("sklearn", "matplotlib", "tqdm"):
    pytest.importorskip(package)

from examples import digits, digits_pure  # noqa: E402  # what they import is there
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
