"""Training in several processes, which NNGrad does not do: programs that ask whether they can are told."""

from typing import NoReturn

from .nn.parallel import refuse_processes


def is_available() -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False."""
    return False


def init_process_group(*args: object, **kwargs: object) -> NoReturn:
    """Raises RuntimeError: NNGrad does not train in several processes."""
    refuse_processes("distributed.init_process_group")


def destroy_process_group(group: object = None) -> NoReturn:
    """Raises RuntimeError: there is no process group."""
    refuse_processes("distributed.destroy_process_group")
