"""Models from the network, which NNGrad does not fetch."""

import os
import re
from typing import Final, NoReturn
from urllib.parse import urlparse as urlparse

#: the part of a hash in the name of a file of weights
HASH_REGEX: Final = re.compile(r"-([a-f0-9]*)\.")


def _refuse(asked: str, instead: str) -> NoReturn:
    raise RuntimeError(
        f"hub.{asked}: NNGrad fetches nothing from the network and runs no code from there; {instead}"
    )


def load(repo_or_dir: str, model: str, *args: object, **kwargs: object) -> NoReturn:
    """Raises RuntimeError: nothing is fetched."""
    _refuse("load", "define the model in Python and load its weights by nngrad.load(path)")


def list(github: str, *args: object, **kwargs: object) -> NoReturn:
    """Raises RuntimeError: nothing is fetched."""
    _refuse("list", "look at the repository in a browser")


def help(github: str, model: str, *args: object, **kwargs: object) -> NoReturn:
    """Raises RuntimeError: nothing is fetched."""
    _refuse("help", "look at the repository in a browser")


def load_state_dict_from_url(url: str, *args: object, **kwargs: object) -> NoReturn:
    """Raises RuntimeError: nothing is fetched."""
    _refuse("load_state_dict_from_url", f"download {url} yourself and load it by nngrad.load(path)")


def download_url_to_file(url: str, dst: str, *args: object, **kwargs: object) -> NoReturn:
    """Raises RuntimeError: nothing is fetched."""
    _refuse("download_url_to_file", f"download {url} yourself")


def _get_torch_home() -> str:
    """Where packages keep what they fetch, as PyTorch's users have it."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch")))


def get_dir() -> str:
    """Where models are kept: `hub` in the folder that TORCH_HOME names."""
    return os.path.join(_get_torch_home(), "hub")
