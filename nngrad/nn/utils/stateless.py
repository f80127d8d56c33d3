"""`functional_call` under its older name."""

from ..stateless import functional_call as functional_call
