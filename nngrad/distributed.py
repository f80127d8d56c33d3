"""Training in several processes, which NNGrad does not do: programs that ask whether they can are told."""

from collections.abc import Callable
from typing import Final, NoReturn

from .nn.parallel import refuse_processes


def is_available() -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False."""
    return False


def _refusing(name: str) -> Callable[..., NoReturn]:
    def refused(*args: object, **kwargs: object) -> NoReturn:
        refuse_processes(f"distributed.{name}")

    refused.__name__ = refused.__qualname__ = name
    refused.__doc__ = "Raises RuntimeError: NNGrad does not train in several processes."
    return refused


all_gather: Final = _refusing("all_gather")
all_gather_object: Final = _refusing("all_gather_object")
all_reduce: Final = _refusing("all_reduce")
barrier: Final = _refusing("barrier")
broadcast: Final = _refusing("broadcast")
broadcast_object_list: Final = _refusing("broadcast_object_list")
destroy_process_group: Final = _refusing("destroy_process_group")
gather: Final = _refusing("gather")
get_backend: Final = _refusing("get_backend")
get_rank: Final = _refusing("get_rank")
get_world_size: Final = _refusing("get_world_size")
init_process_group: Final = _refusing("init_process_group")
new_group: Final = _refusing("new_group")
reduce: Final = _refusing("reduce")
scatter: Final = _refusing("scatter")


class ReduceOp:
    """How values of several processes would be put together."""

    SUM: Final = "sum"
    AVG: Final = "avg"
    PRODUCT: Final = "product"
    MIN: Final = "min"
    MAX: Final = "max"


def is_nccl_available() -> bool:
    """False."""
    return False


def is_mpi_available() -> bool:
    """False."""
    return False


def is_gloo_available() -> bool:
    """False."""
    return False
