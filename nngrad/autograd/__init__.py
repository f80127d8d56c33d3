"""Gradients of tensors: modes, `grad` and `backward`, and what is loaded when a program names it:
functions with derivatives of their own, transforms, checks."""

from typing import TYPE_CHECKING

from .gradients import backward as backward, grad as grad
from .modes import (
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    is_grad_enabled as is_grad_enabled,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
)

if TYPE_CHECKING:
    from . import forward_ad as forward_ad, function as function
    from . import functional as functional  # isort: skip  # together, mypy would not find it
    from .anomaly import detect_anomaly as detect_anomaly, set_detect_anomaly as set_detect_anomaly
    from .checking import (
        GradcheckError as GradcheckError,
        gradcheck as gradcheck,
        gradgradcheck as gradgradcheck,
    )
    from .function import Function as Function, Variable as Variable
else:
    _WHERE = {
        "forward_ad": "",
        "function": "",
        "functional": "",
        "detect_anomaly": "anomaly",
        "set_detect_anomaly": "anomaly",
        "is_anomaly_enabled": "anomaly",
        "GradcheckError": "checking",
        "gradcheck": "checking",
        "gradgradcheck": "checking",
        "Function": "function",
        "Variable": "function",
    }

    def __getattr__(name):
        """Load what a program names: importing NNGrad stays quick."""
        if name not in _WHERE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        module = import_module(f".{_WHERE[name] or name}", __name__)
        return getattr(module, name) if _WHERE[name] else module
