"""The operators that PyTorch's users reach for, by family: what docs/parity.md tells about."""

from __future__ import annotations

FAMILIES: dict[str, str] = {
    "Shape and order": (
        "T mT t atleast_1d atleast_2d atleast_3d block_diag broadcast_shapes broadcast_tensors "
        "broadcast_to cartesian_prod cat chunk column_stack diag diag_embed diagflat diagonal dstack "
        "expand expand_as flatten flip fliplr flipud hsplit hstack kron movedim narrow permute ravel "
        "repeat repeat_interleave reshape reshape_as roll rot90 select split split_with_sizes squeeze "
        "stack tensor_split tile transpose tril triu unbind unflatten unsqueeze vsplit vstack windows"
    ),
    "Indexing": (
        "getitem argwhere bucketize gather index_add index_copy index_fill index_put index_select "
        "masked_fill masked_scatter masked_select nonzero scatter scatter_add scatter_reduce searchsorted "
        "take take_along_dim where"
    ),
    "Pointwise": (
        "abs acos acosh add addcdiv addcmul asin asinh atan atan2 atanh bitwise_and bitwise_not "
        "bitwise_or bitwise_xor ceil clip clamp_max clamp_min copysign cos cosh deg2rad digamma div erf "
        "erfc erfinv exp exp2 expm1 fill floor floor_divide fmod frac hypot lerp lgamma log log10 log1p "
        "log2 logaddexp logit mul nan_to_num neg pow rad2deg reciprocal remainder round rsqrt sigmoid "
        "sign sin sinh sqrt square sub tan tanh trunc xlogy"
    ),
    "Comparison and logic": (
        "allclose eq equal fmax fmin ge gt isclose isfinite isin isinf isnan le logical_and logical_not "
        "logical_or logical_xor lt maximum minimum ne"
    ),
    "Reductions, scans, sorting": (
        "all amax amin aminmax any argmax argmin argsort bincount count_nonzero cummax cummin cumprod "
        "cumsum diff histc kthvalue logcumsumexp logsumexp max mean median min mode nanmean nansum norm "
        "prod quantile sort std std_mean sum topk trace unique var var_mean"
    ),
    "Linear algebra": (
        "addbmm addmm addmv addr baddbmm bmm cdist cholesky_solve cross dot einsum inner matmul mm mv "
        "outer tensordot logdet linalg.cholesky linalg.cross linalg.det linalg.diagonal linalg.eigh "
        "linalg.eigvalsh linalg.inv linalg.matrix_norm linalg.matrix_power linalg.matrix_rank "
        "linalg.multi_dot linalg.norm linalg.pinv linalg.qr linalg.slogdet linalg.solve "
        "linalg.solve_triangular linalg.svd linalg.svdvals linalg.vecdot linalg.vector_norm"
    ),
    "Activations": (
        "celu elu gelu glu hardshrink hardsigmoid hardswish hardtanh leaky_relu log_softmax logsigmoid "
        "mish prelu relu relu6 rrelu selu silu softmax softmin softplus softshrink softsign tanhshrink "
        "threshold"
    ),
    "Losses": (
        "binary_cross_entropy binary_cross_entropy_with_logits cosine_embedding_loss cosine_similarity "
        "cross_entropy ctc_loss gaussian_nll_loss hinge_embedding_loss huber_loss kl_div l1_loss "
        "margin_ranking_loss mse_loss multi_margin_loss multilabel_margin_loss "
        "multilabel_soft_margin_loss nll_loss pairwise_distance pdist poisson_nll_loss smooth_l1_loss "
        "soft_margin_loss triplet_margin_loss triplet_margin_with_distance_loss"
    ),
    "Layers": (
        "linear bilinear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d "
        "avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool3d adaptive_avg_pool1d "
        "adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d "
        "adaptive_max_pool3d fractional_max_pool2d fractional_max_pool3d max_unpool1d max_unpool2d "
        "max_unpool3d fold unfold batch_norm dropout "
        "dropout1d dropout2d dropout3d alpha_dropout group_norm instance_norm layer_norm "
        "local_response_norm normalize rms_norm scaled_dot_product_attention multi_head_attention_forward "
        "embedding embedding_bag one_hot pad interpolate grid_sample affine_grid pixel_shuffle "
        "pixel_unshuffle channel_shuffle"
    ),
}

#: names whose results are no arrays or need no operands, and the file that tests them beside PyTorch
TESTED_IN: dict[str, str] = {
    "allclose": "test_pointwise.py",
    "equal": "test_pointwise.py",
    "broadcast_shapes": "test_shape_views.py",
}
