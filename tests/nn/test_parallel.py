"""Programs for several GPUs or processes: where there is one CPU, they are answered."""

from __future__ import annotations

import pytest

from nngrad import Tensor, device, distributed, equal, nn, randn
from nngrad.nn.parallel import DistributedDataParallel, data_parallel


def test_data_parallel_hands_calls_on_under_its_name() -> None:
    inner = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    wrapped = nn.DataParallel(inner)
    assert wrapped.module is inner
    assert wrapped.device_ids == []
    assert list(wrapped.state_dict()) == [f"module.{key}" for key in inner.state_dict()]
    x = randn(5, 3)
    assert equal(wrapped(x), inner(x))
    assert equal(data_parallel(inner, x), inner(x))
    assert equal(data_parallel(inner, (x,), None), inner(x))
    wrapped.eval()
    assert not inner.training


def test_data_parallel_passes_keywords() -> None:
    class Scaled(nn.Module):
        def forward(self, x: Tensor, *, by: float = 1.0) -> Tensor:
            return x * by

    x = randn(2)
    assert equal(nn.DataParallel(Scaled())(x, by=3.0), x * 3)
    assert equal(data_parallel(Scaled(), x, module_kwargs={"by": 3.0}), x * 3)


def test_gpus_are_refused() -> None:
    with pytest.raises(RuntimeError, match=r"DataParallel: there is no GPU; leave .* out, got \[0, 1\]"):
        nn.DataParallel(nn.Linear(1, 1), device_ids=[0, 1])
    with pytest.raises(RuntimeError, match=r"data_parallel: there is no GPU"):
        data_parallel(nn.Linear(1, 1), randn(1), device_ids=[device("cuda")])


def test_processes_are_refused() -> None:
    assert not distributed.is_available()
    assert not distributed.is_initialized()
    with pytest.raises(RuntimeError, match=r"distributed\.init_process_group: NNGrad does not train"):
        distributed.init_process_group(backend="gloo")
    with pytest.raises(RuntimeError, match=r"distributed\.destroy_process_group: NNGrad does not train"):
        distributed.destroy_process_group()
    with pytest.raises(RuntimeError, match=r"DistributedDataParallel: NNGrad does not train in several"):
        DistributedDataParallel(nn.Linear(1, 1), device_ids=[0])
