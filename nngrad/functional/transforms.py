"""Functions of functions, loaded when a program first names one; public in `nngrad.functional`."""

from .batching import vmap_fallbacks as vmap_fallbacks
from .custom import custom_jvp as custom_jvp, custom_vjp as custom_vjp, stop_gradient as stop_gradient
from .derivatives import (
    grad as grad,
    hvp as hvp,
    jvp as jvp,
    linearize as linearize,
    value_and_grad as value_and_grad,
    vjp as vjp,
)
from .jacobians import hessian as hessian, jacfwd as jacfwd, jacrev as jacrev
from .recomputing import checkpoint as checkpoint
from .vectorize import vmap as vmap
