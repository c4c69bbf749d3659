"""The release formats' rounding, as values: FP8 blocks, FP4 groups, and the rounding of cached rows."""

import functools

import torch
from torch import Tensor

E4M3_MAX, E2M1_MAX = 448.0, 6.0
FP8_BLOCK, FP4_GROUP, KV_GROUP = 128, 32, 64


def power_of_two_scale(amax: Tensor, largest: float) -> Tensor:
    """2^ceil(log2(amax / largest)) by exponent bits, what E8M0 can hold; 1 for an all-zero block."""
    bits = (amax.float() / largest).view(torch.int32)
    scale = ((bits + 0x7FFFFF) & 0x7F800000).view(torch.float32)
    return torch.where(scale > 0, scale, 1.0)


def round_e4m3(x: Tensor) -> Tensor:
    """Nearest E4M3 value, ties to even, saturating; by arithmetic, so that it can be compiled into a larger loop."""
    x = x.clamp(-E4M3_MAX, E4M3_MAX)
    binade = (x.float().view(torch.int32) & 0x7F800000).view(torch.float32)
    step = (binade / 8).clamp(min=2.0 ** -9)
    return torch.round(x / step) * step


def round_e2m1(x: Tensor) -> Tensor:
    """Nearest of 0, 0.5, 1, 1.5, 2, 3, 4, 6 with its sign, ties to even, saturating."""
    magnitude = x.abs().clamp(max=E2M1_MAX)
    step = torch.where(magnitude < 2, 0.5, torch.where(magnitude < 4, 1.0, 2.0))
    return torch.copysign(torch.round(magnitude / step) * step, x)


def fp8_block_scales(w: Tensor) -> Tensor:
    """w [out, in] -> one scale per 128x128 block, [ceil(out/128), ceil(in/128)]."""
    rows, columns = -(-w.shape[0] // FP8_BLOCK), -(-w.shape[1] // FP8_BLOCK)
    padded = w.new_zeros(rows * FP8_BLOCK, columns * FP8_BLOCK)
    padded[:w.shape[0], :w.shape[1]] = w.abs()
    return power_of_two_scale(padded.view(rows, FP8_BLOCK, columns, FP8_BLOCK).amax((1, 3)), E4M3_MAX)


def spread_blocks(scales: Tensor, shape: torch.Size) -> Tensor:
    """Block scales repeated to the weight's own shape."""
    wide = scales.repeat_interleave(FP8_BLOCK, 0).repeat_interleave(FP8_BLOCK, 1)
    return wide[:shape[0], :shape[1]]


def fp8_round_weight(w: Tensor) -> Tensor:
    scale = spread_blocks(fp8_block_scales(w), w.shape)
    return round_e4m3(w / scale) * scale


def fp4_group_scales(w: Tensor) -> Tensor:
    """w [..., in] -> one scale per 32 columns, [..., in/32]: of the covering power of two and half of it, the
    one with the smaller squared error."""
    groups = w.unflatten(-1, (-1, FP4_GROUP))
    covering = power_of_two_scale(groups.abs().amax(-1, keepdim=True), E2M1_MAX)
    errors = [(round_e2m1(groups / s) * s - groups).square().sum(-1, keepdim=True) for s in (covering, covering / 2)]
    return torch.where(errors[1] < errors[0], covering / 2, covering).squeeze(-1)


def fp4_round_weight(w: Tensor) -> Tensor:
    scale = fp4_group_scales(w).unsqueeze(-1)
    return (round_e2m1(w.unflatten(-1, (-1, FP4_GROUP)) / scale) * scale).flatten(-2)


def bf16_round(x: Tensor) -> Tensor:
    return x.bfloat16().to(x.dtype)


def straight_through(x: Tensor, rounded: Tensor) -> Tensor:
    """The rounded value, with the gradient of the unrounded one."""
    return x + (rounded - x).detach()


def round_kv(kv: Tensor, rope_dims: int) -> Tensor:
    """kv [..., head_dim]: E4M3 in groups of 64 on the leading non-rope dims (a shorter last group is its own)."""
    head, tail = kv[..., :-rope_dims], kv[..., -rope_dims:]
    width = min(KV_GROUP, head.shape[-1])
    groups = head.detach().unflatten(-1, (-1, width))
    scale = power_of_two_scale(groups.abs().amax(-1, keepdim=True).clamp(min=1e-4), E4M3_MAX).to(kv.dtype)
    return torch.cat([straight_through(head, (round_e4m3(groups / scale) * scale).flatten(-2)), tail], -1)


@functools.cache
def hadamard(n: int) -> Tensor:
    """The orthonormal Sylvester matrix [n, n]."""
    h = torch.ones(1, 1)
    while len(h) < n:
        h = torch.cat([torch.cat([h, h], 1), torch.cat([h, -h], 1)], 0)
    return h * n ** -0.5


def round_index(x: Tensor) -> Tensor:
    """Indexer query or key [..., index_head_dim]: Hadamard, then E2M1 in groups of 32."""
    turned = x @ hadamard(x.shape[-1]).to(x.dtype)
    groups = turned.detach().unflatten(-1, (-1, min(FP4_GROUP, x.shape[-1])))
    amax = groups.abs().amax(-1, keepdim=True).clamp(min=E2M1_MAX * 2.0 ** -126)
    scale = power_of_two_scale(amax, E2M1_MAX).to(x.dtype)
    return straight_through(turned, (round_e2m1(groups / scale) * scale).flatten(-2))
