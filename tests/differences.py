"""Where NNGrad differs from PyTorch on purpose: the reason for each, checked by test_parity.py.

A key is the beginning of rows' ids. Every row that is not compared with PyTorch must be under one, and
at least one row under each must still differ, or the entry is no longer true.
"""

from __future__ import annotations

#: rows that are not compared, because PyTorch's answer is another or none
DIFFERENCES: dict[str, str] = {
    "sum-dtype": "NumPy's longdouble, which PyTorch has not",
    "getitem-backwards": "slices with a negative step, which PyTorch refuses",
    "index_put-": (
        "slices with a negative step, which PyTorch refuses; and where an index names a cell twice, the "
        "value that stands receives the gradient alone (PyTorch gives it to all of them)"
    ),
    "hardsigmoid": "the slope is 1/6 in float64; PyTorch's is 1/6 rounded to float32",
    "rrelu": "the pure function takes its slopes, or NumPy's generator",
    "dropout": "the pure function takes NumPy's generator",
    "alpha_dropout": "the pure function takes NumPy's generator",
    "feature_alpha_dropout": "the pure function takes NumPy's generator",
    "scaled_dot_product_attention-mask-and-causal": "a mask and is_causal combine",
    "take_along_dim-0d": "a number has a dimension 0, as everywhere else",
    "scatter": (
        "reduce= has a gradient, a source larger than the index too; where an index names a cell twice, the "
        "value that stands receives the gradient alone"
    ),
    "index_copy-repeated": "the value that stands receives the gradient alone",
    "pixel_shuffle-0x": "shapes without elements are shuffled too, with a gradient",
    "pixel_unshuffle-0x": "shapes without elements are unshuffled too",
    "pdist": "PyTorch crashes in the gradient of no vectors",
    "max_unpool2d": "where elements meet in one place, the one that stands receives the gradient",
    "linalg.cond-": "PyTorch raises in its gradient where it has to do with an inverse",
    "digamma": "the derivative is exact; PyTorch's trigamma is rounded to about 1e-8",
    "polygamma-0": "the derivative is exact; PyTorch's trigamma is rounded to about 1e-8",
    "polygamma-1": "exact; PyTorch's trigamma is rounded to about 1e-8",
    **dict.fromkeys(("vander-None", "vander-3", "vander-5"), "PyTorch's raises in its gradient"),
}

#: what PyTorch cannot be asked for: it would crash the process
CRASHES = ("pdist",)

#: functions that take operands of some dtypes where PyTorch has left out the case
LENIENT: dict[str, str] = {
    "abs": "of bools: themselves",
    "relu": "of bools: themselves",
    "argmax": "of bools",
    "argmin": "of bools",
    "sub": "of bools and an int or float",
    "clip": "of bools by bools",
    "maximum": "with a Python number",
    "minimum": "with a Python number",
    "logical_and": "with a Python number",
    "logical_or": "with a Python number",
    "logical_xor": "with a Python number",
    "atan2": "with a Python number",
    "hypot": "with a Python number",
    "logaddexp": "with a Python number",
    "logaddexp2": "with a Python number",
    "gcd": "with a Python number",
    "lcm": "with a Python number",
    "fmax": "with a Python number",
    "fmin": "with a Python number",
}

#: names that PyTorch has in a place where NNGrad has not, and why
MISSING: dict[str, str] = {
    "torch.batch_norm": "another signature there; use nn.functional's",
    "torch.binary_cross_entropy_with_logits": "takes its reduction as a number there; use nn.functional's",
    "torch.cosine_embedding_loss": "takes its reduction as a number there; use nn.functional's",
    "torch.ctc_loss": "takes its reduction as a number there; use nn.functional's",
    "torch.embedding_bag": "another signature there; use nn.functional's",
    "torch.hinge_embedding_loss": "takes its reduction as a number there; use nn.functional's",
    "torch.instance_norm": "another signature there; use nn.functional's",
    "torch.kl_div": "takes its reduction as a number there; use nn.functional's",
    "torch.margin_ranking_loss": "takes its reduction as a number there; use nn.functional's",
    "torch.poisson_nll_loss": "another signature there; use nn.functional's",
    "torch.triplet_margin_loss": "takes its reduction as a number there; use nn.functional's",
    **dict.fromkeys(
        [f"torch.{cell}" for cell in ("gru", "gru_cell", "lstm", "lstm_cell")],
        "takes its weights as a flat list there; use nn.GRU and nn.LSTM",
    ),
    **dict.fromkeys(
        [f"torch.rnn_{cell}" for cell in ("relu", "relu_cell", "tanh", "tanh_cell")],
        "takes its weights as a flat list there; use nn.RNN",
    ),
}
