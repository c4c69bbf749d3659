"""A trainable DeepSeek-V4: sliding, CSA and HCA attention, hash and scored routing, mHC.

Names are those of config.json and of the released tensors. Shapes: B rows, T tokens, D hidden_size,
H heads, d head_dim, n hc_mult, E experts, I moe_intermediate_size. Rows start at position 0 and are
padded on the right only, which the causal layers never see.
"""

import dataclasses
import json
import math
import pathlib
from typing import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import quant

NEVER = float("-inf")
EXPERT_TILE = 128
MOST_COMPILATIONS = 64          # of one function: layers x shapes


@dataclasses.dataclass(frozen=True)
class Config:
    """The fields of config.json that the forward pass reads."""

    vocab_size: int
    hidden_size: int
    moe_intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    head_dim: int
    qk_rope_head_dim: int
    q_lora_rank: int
    o_groups: int
    o_lora_rank: int
    sliding_window: int
    compress_ratios: tuple[int, ...]
    n_routed_experts: int
    num_experts_per_tok: int
    num_hash_layers: int
    index_n_heads: int
    index_head_dim: int
    index_topk: int
    routed_scaling_factor: float = 1.5
    swiglu_limit: float = 10.0
    rope_theta: float = 10000.0
    compress_rope_theta: float = 160000.0
    rope_scaling: dict | None = None
    hc_mult: int = 4
    hc_sinkhorn_iters: int = 20
    hc_eps: float = 1e-6
    rms_norm_eps: float = 1e-6

    @staticmethod
    def load(path: str | pathlib.Path) -> "Config":
        values = json.loads(pathlib.Path(path).read_text())
        values["compress_ratios"] = tuple(values["compress_ratios"])
        return Config(**{f.name: values[f.name] for f in dataclasses.fields(Config) if f.name in values})


@dataclasses.dataclass(frozen=True)
class Run:
    """What one forward pass is told."""

    dtype: torch.dtype = torch.float32
    round_kv: bool = False
    train_indexer: bool = False


def rms_norm(x: Tensor, eps: float, weight: Tensor | None = None) -> Tensor:
    x = x.float() if x.dtype == torch.bfloat16 else x
    y = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)
    return y if weight is None else y * weight


class Norm(nn.Module):
    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(size)), eps

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.eps, self.weight)


class Linear(nn.Module):
    """A weight without bias; `fp8` ones are stored in 128x128 blocks."""

    def __init__(self, inputs: int, outputs: int, fp8: bool = True, gain: float = 1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * gain * inputs ** -0.5)
        self.fp8 = fp8

    def roundings(self) -> list[tuple[nn.Parameter, Callable[[Tensor], Tensor]]]:
        """The parameters that are released rounded, with the rounding."""
        return [(self.weight, quant.fp8_round_weight if self.fp8 else quant.bf16_round)]

    def forward(self, x: Tensor, run: Run) -> Tensor:
        return F.linear(x.to(run.dtype), self.weight.to(run.dtype))


def rope_table(config: Config, compressed: bool, length: int) -> tuple[Tensor, Tensor]:
    """cos and sin [length, qk_rope_head_dim / 2]; the compressed layers have their own theta, and YaRN if declared."""
    dims, theta = config.qk_rope_head_dim, config.compress_rope_theta if compressed else config.rope_theta
    frequency = theta ** (-torch.arange(0, dims, 2, dtype=torch.float64) / dims)
    yarn = config.rope_scaling
    if compressed and yarn:
        def pair(turns: float) -> float:
            return dims * math.log(yarn["original_max_position_embeddings"] / (turns * 2 * math.pi)) / (2 * math.log(theta))
        low, high = max(math.floor(pair(yarn["beta_fast"])), 0), min(math.ceil(pair(yarn["beta_slow"])), dims - 1)
        ramp = ((torch.arange(dims // 2) - low) / (high - low if high > low else 0.001)).clamp(0, 1)
        frequency = frequency / yarn["factor"] * ramp + frequency * (1 - ramp)
    angle = torch.outer(torch.arange(length, dtype=torch.float64), frequency)
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, table: tuple[Tensor, Tensor], inverse: bool = False) -> Tensor:
    """Rotates the last dims of x [B, T, d] or [B, T, H, d], pair by interleaved pair."""
    cos, sin = (t.unsqueeze(1) if x.dim() == 4 else t for t in table)
    head, tail = x.split([x.shape[-1] - 2 * cos.shape[-1], 2 * cos.shape[-1]], -1)
    a, b = tail.unflatten(-1, (-1, 2)).unbind(-1)
    sin = -sin if inverse else sin
    return torch.cat([head, torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)], -1)


class Past:
    """What one attention layer keeps of the tokens before: every row it would compute anew."""

    def __init__(self) -> None:
        self.rows: dict[str, Tensor] = {}

    def append(self, name: str, new: Tensor) -> Tensor:
        """new [B, t, ...] -> all rows of that name so far."""
        self.rows[name] = torch.cat([self.rows[name], new], 1) if name in self.rows else new
        return self.rows[name]

    def entries(self, name: str, count: int, make: Callable[[], Tensor]) -> Tensor:
        """The compressed rows, made again only when there are more of them."""
        if name not in self.rows or self.rows[name].shape[1] != count:
            self.rows[name] = make()
        return self.rows[name]


class Forgetful(Past):
    """For whole sequences: keeps nothing."""

    def append(self, name: str, new: Tensor) -> Tensor:
        return new

    def entries(self, name: str, count: int, make: Callable[[], Tensor]) -> Tensor:
        return make()


def last(table: tuple[Tensor, Tensor], count: int) -> tuple[Tensor, Tensor]:
    return table[0][-count:], table[1][-count:]


class Compressor(nn.Module):
    """Pools every `ratio` tokens into one row of `size`; with ratio 4 the windows overlap by one window."""

    def __init__(self, config: Config, ratio: int, size: int):
        super().__init__()
        self.ratio, self.size, self.overlap = ratio, size, ratio == 4
        width = 2 * size if self.overlap else size
        self.wkv = Linear(config.hidden_size, width, fp8=False)
        self.wgate = Linear(config.hidden_size, width, fp8=False)
        self.ape = nn.Parameter(torch.zeros(ratio, width))
        self.norm = Norm(size, config.rms_norm_eps)

    def with_previous(self, x: Tensor, absent: float) -> Tensor:
        """x [B, n, ratio, 2 size] -> candidates [B, n, 2 ratio, size]: the previous window's first halves, then own."""
        first, own = x.split(self.size, -1)
        previous = F.pad(first[:, :-1], (0, 0, 0, 0, 1, 0), value=absent)
        return torch.cat([previous, own], 2)

    def forward(self, x: Tensor, table: tuple[Tensor, Tensor], run: Run) -> Tensor:
        """x [B, T, D] -> rows [B, T // ratio, size], rotated at their window's first position."""
        n = x.shape[1] // self.ratio
        x = x[:, :n * self.ratio]
        value = self.wkv(x, run).unflatten(1, (n, self.ratio))
        score = self.wgate(x, run).unflatten(1, (n, self.ratio)) + self.ape
        if self.overlap:
            value, score = self.with_previous(value, 0.0), self.with_previous(score, NEVER)
        row = self.norm((value * score.softmax(2)).sum(2))
        return rotate(row, tuple(t[:n * self.ratio:self.ratio] for t in table))


class Indexer(nn.Module):
    """Chooses the compressed rows that a CSA query may see."""

    def __init__(self, config: Config):
        super().__init__()
        self.heads, self.size, self.topk = config.index_n_heads, config.index_head_dim, config.index_topk
        self.wq_b = Linear(config.q_lora_rank, self.heads * self.size)
        self.weights_proj = Linear(config.hidden_size, self.heads, fp8=False)
        self.compressor = Compressor(config, 4, self.size)

    def keys(self, x: Tensor, table: tuple[Tensor, Tensor], run: Run) -> Tensor:
        key = self.compressor(x, table, run)
        return quant.round_index(key) if run.round_kv else key

    def scores(self, x: Tensor, qr: Tensor, key: Tensor, table: tuple[Tensor, Tensor], run: Run) -> Tensor:
        """Of the queries' x and qr [B, T, ...] with the keys [B, n, size] -> [B, T, n], later rows not yet masked."""
        query = rotate(self.wq_b(qr, run).unflatten(-1, (self.heads, self.size)), last(table, x.shape[1]))
        query = quant.round_index(query) if run.round_kv else query
        weight = self.weights_proj(x, run) * (self.size * self.heads) ** -0.5
        dots = query.flatten(1, 2).to(run.dtype) @ key.to(run.dtype).transpose(1, 2)
        return (dots.unflatten(1, (-1, self.heads)).relu() * weight.unsqueeze(-1)).sum(2).to(weight.dtype).float()

    def select(self, scores: Tensor, visible: Tensor) -> Tensor:
        """The `topk` best of the visible rows [T, n] -> bool [B, T, n]."""
        if scores.shape[-1] <= self.topk:
            return visible.expand_as(scores)
        best = scores.detach().masked_fill(~visible, NEVER).topk(self.topk, -1).indices
        return visible & torch.zeros_like(scores, dtype=torch.bool).scatter_(-1, best, True)


def indexer_loss(scores: Tensor, visible: Tensor, attention: Tensor) -> Tensor:
    """Cross-entropy of the indexer's softmax [B, T, n] against the attention mass [B, T, H, n] on those rows."""
    first = 3                                   # the first token that sees a row
    hidden = ~visible[first:]
    mass = attention.detach()[:, first:].float().sum(2)
    target = mass / (mass.sum(-1, keepdim=True) + 1e-9)
    logs = scores[:, first:].masked_fill(hidden, NEVER).log_softmax(-1).masked_fill(hidden, 0.0)
    return -(target * logs).sum(-1).mean()


class Attention(nn.Module):
    def __init__(self, config: Config, layer: int):
        super().__init__()
        c, self.config, self.ratio = config, config, config.compress_ratios[layer]
        width = c.num_attention_heads * c.head_dim
        self.wq_a = Linear(c.hidden_size, c.q_lora_rank)
        self.q_norm = Norm(c.q_lora_rank, c.rms_norm_eps)
        self.wq_b = Linear(c.q_lora_rank, width)
        self.wkv = Linear(c.hidden_size, c.head_dim)
        self.kv_norm = Norm(c.head_dim, c.rms_norm_eps)
        self.wo_a = Linear(width // c.o_groups, c.o_groups * c.o_lora_rank)
        self.wo_b = Linear(c.o_groups * c.o_lora_rank, c.hidden_size, gain=(2 * c.num_hidden_layers) ** -0.5)
        self.attn_sink = nn.Parameter(torch.zeros(c.num_attention_heads))
        if self.ratio:
            self.compressor = Compressor(c, self.ratio, c.head_dim)
        if self.ratio == 4:
            self.indexer = Indexer(c)

    def compressed_rows(self, x: Tensor, qr: Tensor, table: tuple[Tensor, Tensor], run: Run, past: Past):
        """-> rows [B, n, d], which of them each query sees, bool [B or 1, T, n], and the indexer's scores."""
        history = past.append("x", x)
        length, n = history.shape[1], history.shape[1] // self.ratio
        if n == 0:
            return None
        position = torch.arange(length)[-x.shape[1]:]
        seen = scores = torch.arange(n) < ((position + 1) // self.ratio).unsqueeze(1)
        if self.ratio == 4:
            x, qr, keyed = (x.detach(), qr.detach(), history.detach()) if run.train_indexer else (x, qr, history)
            keys = past.entries("keys", n, lambda: self.indexer.keys(keyed, table, run))
            scores = self.indexer.scores(x, qr, keys, table, run)
            seen = self.indexer.select(scores, seen)
        rows = past.entries("rows", n, lambda: self.rounded(self.compressor(history, table, run), run))
        return rows, seen, scores

    def rounded(self, rows: Tensor, run: Run) -> Tensor:
        return quant.round_kv(rows, self.config.qk_rope_head_dim) if run.round_kv else rows

    def project_out(self, o: Tensor, run: Run) -> Tensor:
        """o [B, T, H, d] -> [B, T, D] through o_groups low-rank projections of contiguous heads."""
        groups = self.config.o_groups
        parts = o.flatten(2).to(run.dtype).chunk(groups, -1)
        weights = self.wo_a.weight.to(run.dtype).chunk(groups, 0)
        return self.wo_b(torch.cat([F.linear(p, w) for p, w in zip(parts, weights)], -1), run)

    def forward(self, x: Tensor, table: tuple[Tensor, Tensor], run: Run, past: Past) -> tuple[Tensor, Tensor]:
        """x [B, T, D] -> output [B, T, D], and the indexer's loss; the table also covers what is past."""
        c, count = self.config, x.shape[1]
        own, loss = last(table, count), torch.zeros(())
        qr = self.q_norm(self.wq_a(x, run))
        q = self.wq_b(qr, run).unflatten(-1, (c.num_attention_heads, c.head_dim))
        q = rotate(rms_norm(q, c.rms_norm_eps) * c.head_dim ** -0.5, own)
        kv = past.append("kv", self.rounded(rotate(self.kv_norm(self.wkv(x, run)), own), run))
        length = kv.shape[1]
        age = torch.arange(length)[-count:].unsqueeze(1) - torch.arange(length)
        seen = ((age >= 0) & (age < c.sliding_window)).unsqueeze(0)
        compressed = self.compressed_rows(x, qr, table, run, past) if self.ratio else None
        if compressed:
            entries, chosen, scores = compressed
            kv = torch.cat([kv, entries], 1)
            chosen = chosen.expand(len(chosen) if chosen.dim() == 3 else 1, -1, -1)
            seen = torch.cat([seen.expand(len(chosen), -1, -1), chosen], -1)
        bias = torch.zeros(seen.shape, dtype=kv.dtype).masked_fill_(~seen, NEVER)
        kv = kv.to(run.dtype)
        dots = (q.flatten(1, 2).to(run.dtype) @ kv.transpose(1, 2)).unflatten(1, (count, -1))
        weights, share = sink_softmax(dots, bias, self.attn_sink)
        o = (weights.to(run.dtype).flatten(1, 2) @ kv).unflatten(1, (count, -1)) * share.unsqueeze(-1)
        if compressed and self.ratio == 4 and run.train_indexer:
            visible = torch.arange(length // 4) < ((torch.arange(length) + 1) // 4).unsqueeze(1)
            loss = indexer_loss(scores, visible, weights[..., length:])
        return self.project_out(rotate(o, own, inverse=True), run), loss


def sink_softmax(dots: Tensor, bias: Tensor, sink: Tensor) -> tuple[Tensor, Tensor]:
    """dots [B, T, H, S], bias [B or 1, T, S] -> softmax over S, and the share [B, T, H] that the sink leaves it."""
    scores = dots.to(bias.dtype) + bias.unsqueeze(2)
    return scores.softmax(-1), torch.sigmoid(scores.logsumexp(-1) - sink)


class Dispatch(torch.autograd.Function):
    """x [N, D] -> row `source` of x for every slot [S]; `slots` [N, k] are those whose gradient counts."""

    @staticmethod
    def forward(ctx, x: Tensor, source: Tensor, slots: Tensor) -> Tensor:
        ctx.save_for_backward(slots)
        return x[source]

    @staticmethod
    def backward(ctx, grad: Tensor):
        (slots,) = ctx.saved_tensors
        return grad[slots].sum(1), None, None


class Combine(torch.autograd.Function):
    """The reverse: y [S, D] -> the sum of each token's k slots [N, D]."""

    @staticmethod
    def forward(ctx, y: Tensor, source: Tensor, slots: Tensor) -> Tensor:
        ctx.save_for_backward(source)
        return y[slots].sum(1)

    @staticmethod
    def backward(ctx, grad: Tensor):
        (source,) = ctx.saved_tensors
        return grad[source], None, None


def slots_by_expert(chosen: Tensor, counts: Tensor) -> tuple[Tensor, Tensor, list[int]]:
    """chosen [N, k] -> the (token, choice) pair of every slot, -1 if empty, [S]; the slot of every pair [N, k]; and
    how many slots each expert has: its count filled up to whole tiles, so that few shapes of product occur."""
    sizes = (counts + EXPERT_TILE - 1) // EXPERT_TILE * EXPERT_TILE
    shift = (sizes.cumsum(0) - sizes) - (counts.cumsum(0) - counts)
    order = chosen.flatten().argsort(stable=True)
    places = torch.arange(len(order)) + shift[chosen.flatten()[order]]
    pairs = torch.full((int(sizes.sum()),), -1).scatter_(0, places, order)
    slots = torch.empty_like(order).scatter_(0, order, places)
    return pairs, slots.view_as(chosen), sizes.tolist()


def swiglu(gate: Tensor, up: Tensor, limit: float, weight: Tensor | None = None) -> Tensor:
    """gate and up [S, I], weight [S, 1] or none -> [S, I]."""
    activated = F.silu(gate.float().clamp(max=limit)) * up.float().clamp(-limit, limit)
    return (activated if weight is None else activated * weight).to(gate.dtype)


class SharedExpert(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        c, self.limit, self.activate = config, config.swiglu_limit, swiglu
        self.w1 = Linear(c.hidden_size, c.moe_intermediate_size)
        self.w3 = Linear(c.hidden_size, c.moe_intermediate_size)
        self.w2 = Linear(c.moe_intermediate_size, c.hidden_size, gain=(2 * c.num_hidden_layers) ** -0.5)

    def forward(self, x: Tensor, run: Run) -> Tensor:
        return self.w2(self.activate(self.w1(x, run), self.w3(x, run), self.limit), run)


class Experts(nn.Module):
    """All routed experts of a layer, stacked: w1 and w3 [E, I, D], w2 [E, D, I]; stored in FP4."""

    def __init__(self, config: Config):
        super().__init__()
        e, i, d, self.limit = config.n_routed_experts, config.moe_intermediate_size, config.hidden_size, config.swiglu_limit
        self.activate = swiglu
        self.w1 = nn.Parameter(torch.randn(e, i, d) * d ** -0.5)
        self.w3 = nn.Parameter(torch.randn(e, i, d) * d ** -0.5)
        self.w2 = nn.Parameter(torch.randn(e, d, i) * (2 * config.num_hidden_layers * i) ** -0.5)

    def roundings(self) -> list[tuple[nn.Parameter, Callable[[Tensor], Tensor]]]:
        return [(w, quant.fp4_round_weight) for w in (self.w1, self.w3, self.w2)]

    def forward(self, x: Tensor, weight: Tensor, sizes: list[int], run: Run) -> Tensor:
        """x [S, D] and weight [S], sizes[e] slots each."""
        parts = zip(x.to(run.dtype).split(sizes), weight.unsqueeze(1).split(sizes),
                    *(w.to(run.dtype).unbind(0) for w in (self.w1, self.w3, self.w2)))
        return torch.cat([F.linear(self.activate(F.linear(p, w1), F.linear(p, w3), self.limit, g), w2)
                          for p, g, w1, w3, w2 in parts])


class Gate(nn.Module):
    """Chooses k experts of each token: by the table tid2eid in hash layers, else by score plus balancing bias."""

    def __init__(self, config: Config, layer: int):
        super().__init__()
        c, self.k, self.scaling = config, config.num_experts_per_tok, config.routed_scaling_factor
        self.weight = nn.Parameter(torch.randn(c.n_routed_experts, c.hidden_size) * c.hidden_size ** -0.5)
        self.hashed = layer < c.num_hash_layers
        if self.hashed:
            table = torch.rand(c.vocab_size, c.n_routed_experts).argsort(-1)[:, :self.k]
            self.register_buffer("tid2eid", table.contiguous())
        else:
            self.register_buffer("bias", torch.zeros(c.n_routed_experts))

    def forward(self, x: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        """x [N, D], ids [N] -> experts [N, k], weights [N, k]."""
        scores = F.softplus(F.linear(x, self.weight)).sqrt()
        chosen = self.tid2eid[ids] if self.hashed else (scores.detach() + self.bias).topk(self.k, -1).indices
        weight = scores.gather(1, chosen)
        return chosen, weight / weight.sum(-1, keepdim=True) * self.scaling


class MoE(nn.Module):
    def __init__(self, config: Config, layer: int):
        super().__init__()
        self.gate, self.experts, self.shared_experts = Gate(config, layer), Experts(config), SharedExpert(config)
        self.load = torch.zeros(config.n_routed_experts, dtype=torch.int64)

    def forward(self, x: Tensor, ids: Tensor, run: Run) -> Tensor:
        """x [B, T, D], ids [B, T] -> [B, T, D]."""
        flat, k = x.flatten(0, 1), self.gate.k
        chosen, weight = self.gate(flat, ids.flatten())
        self.load = torch.bincount(chosen.flatten(), minlength=len(self.load))
        pairs, slots, sizes = slots_by_expert(chosen, self.load)
        source, filled = pairs.clamp(min=0) // k, (pairs >= 0).float()
        flat = flat.to(run.dtype)
        slot_weight = Dispatch.apply(weight.view(-1, 1), pairs.clamp(min=0), slots.view(-1, 1)).squeeze(1) * filled
        routed = self.experts(Dispatch.apply(flat, source, slots), slot_weight, sizes, run)
        return (self.shared_experts(flat, run) + Combine.apply(routed, source, slots)).view_as(x)


def sinkhorn(logits: Tensor, iterations: int, eps: float) -> Tensor:
    """logits [n, n, N] (source, destination, token) -> nearly doubly stochastic, columns exact."""
    mix = logits.softmax(1) + eps
    mix = mix / (mix.sum(0, keepdim=True) + eps)
    for _ in range(iterations - 1):
        mix = mix / (mix.sum(1, keepdim=True) + eps)
        mix = mix / (mix.sum(0, keepdim=True) + eps)
    return mix


def mix_numbers(x: Tensor, fn: Tensor, eps: float, run: Run) -> Tensor:
    """x [B, T, n, D] -> fn applied to the RMS-normed concatenation of the streams, [B, T, rows of fn]."""
    flat = x.flatten(2)
    return F.linear(flat.to(run.dtype), fn.to(run.dtype)) * torch.rsqrt(flat.square().mean(-1, keepdim=True) + eps)


def collapse(x: Tensor, pre: Tensor) -> Tensor:
    """Sum of the streams of x [B, T, n, D] weighted by pre [B, T, n]."""
    return (pre.unsqueeze(-1) * x).sum(2)


def expand(y: Tensor, x: Tensor, post: Tensor, mix: Tensor) -> Tensor:
    """New stream k = post_k y + sum over j of mix[j, k] x_j; y [B, T, D], x [B, T, n, D], mix [n, n, B, T]."""
    streams = x.unbind(2)
    return torch.stack([post[..., k, None] * y + sum(mix[j, k, ..., None] * s for j, s in enumerate(streams))
                        for k in range(len(streams))], 2)


class HyperConnection(nn.Module):
    """One mHC site: what a sub-layer reads of the streams, and how its output joins them again."""

    def __init__(self, config: Config):
        super().__init__()
        c, n, self.config = config, config.hc_mult, config
        self.fn = nn.Parameter(torch.randn((2 + n) * n, n * c.hidden_size) * 0.02)
        self.base = nn.Parameter(torch.cat([torch.full((n,), -math.log(n - 1)), torch.zeros(n), 4 * torch.eye(n).flatten()]))
        self.scale = nn.Parameter(torch.full((3,), 0.1))

    def forward(self, x: Tensor, run: Run) -> tuple[Tensor, Tensor, Tensor]:
        """x [B, T, n, D] -> collapsed [B, T, D], post [B, T, n], mix [n, n, B, T]."""
        c, n = self.config, self.config.hc_mult
        m = mix_numbers(x, self.fn, c.rms_norm_eps, run)
        pre, post, mix = m.split([n, n, n * n], -1)
        pre = torch.sigmoid(pre * self.scale[0] + self.base[:n]) + c.hc_eps
        post = 2 * torch.sigmoid(post * self.scale[1] + self.base[n:2 * n])
        logits = (mix * self.scale[2] + self.base[2 * n:]).movedim(-1, 0).unflatten(0, (n, n))
        return collapse(x, pre), post, sinkhorn(logits.contiguous(), c.hc_sinkhorn_iters, c.hc_eps)


class Layer(nn.Module):
    """Two sub-layers. All but the routed experts is in functions that torch.compile can fuse."""

    def __init__(self, config: Config, layer: int):
        super().__init__()
        self.attn_norm = Norm(config.hidden_size, config.rms_norm_eps)
        self.ffn_norm = Norm(config.hidden_size, config.rms_norm_eps)
        self.attn, self.ffn = Attention(config, layer), MoE(config, layer)
        self.hc_attn, self.hc_ffn = HyperConnection(config), HyperConnection(config)
        self.attend, self.join = self.attend_and_read, expand

    def attend_and_read(self, x: Tensor, table: tuple[Tensor, Tensor], run: Run, past: Past) -> tuple[Tensor, ...]:
        """x [B, T, n, D] -> streams after attention, what the experts read of them, post, mix, indexer loss."""
        y, post, mix = self.hc_attn(x, run)
        y, loss = self.attn(self.attn_norm(y), table, run, past)
        x = expand(y, x, post, mix)
        y, post, mix = self.hc_ffn(x, run)
        return x, self.ffn_norm(y), post, mix, loss

    def forward(self, x: Tensor, ids: Tensor, table: tuple[Tensor, Tensor], run: Run, past: Past) -> tuple[Tensor, Tensor]:
        """x [B, T, n, D] -> the same shape, and the indexer's loss."""
        x, y, post, mix, loss = self.attend(x, table, run, past)
        return self.join(self.ffn(y, ids, run), x, post, mix), loss


class Head(nn.Module):
    """The last mHC collapse, the norm and the output matrix."""

    def __init__(self, config: Config):
        super().__init__()
        c, n, self.config = config, config.hc_mult, config
        self.hc_fn = nn.Parameter(torch.randn(n, n * c.hidden_size) * 0.02)
        self.hc_base = nn.Parameter(torch.full((n,), -math.log(n - 1)))
        self.hc_scale = nn.Parameter(torch.full((1,), 0.1))
        self.norm = Norm(c.hidden_size, c.rms_norm_eps)
        self.weight = nn.Parameter(torch.randn(c.vocab_size, c.hidden_size) * c.hidden_size ** -0.5)

    def forward(self, x: Tensor, run: Run) -> Tensor:
        """x [N, n, D] -> logits [N, V]."""
        m = mix_numbers(x.unsqueeze(0), self.hc_fn, self.config.rms_norm_eps, run)
        pre = torch.sigmoid(m * self.hc_scale + self.hc_base) + self.config.hc_eps
        return F.linear(self.norm(collapse(x.unsqueeze(0), pre)[0]).to(run.dtype), self.weight.to(run.dtype))


class Model(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.embed = nn.Parameter(torch.randn(config.vocab_size, config.hidden_size) * 0.1)
        self.layers = nn.ModuleList(Layer(config, i) for i in range(config.num_hidden_layers))
        self.head = Head(config)

    def fuse(self, on: bool) -> None:
        """Compiles all but the routed experts, once per shape of batch; or goes back to plain functions."""
        torch._dynamo.config.recompile_limit = MOST_COMPILATIONS
        for layer in self.layers:
            layer.attend = torch.compile(layer.attend_and_read, dynamic=False) if on else layer.attend_and_read
            layer.join = torch.compile(expand, dynamic=False) if on else expand
            for part in (layer.ffn.experts, layer.ffn.shared_experts):
                part.activate = torch.compile(swiglu, dynamic=True) if on else swiglu

    def streams(self, ids: Tensor, run: Run, past: list[Past] | None = None, start: int = 0) -> tuple[Tensor, Tensor]:
        """ids [B, T] from position `start` on -> the n streams after the last layer, [B, T, n, D], and the indexers' loss."""
        past = past or [Forgetful()] * len(self.layers)
        tables = [rope_table(self.config, compressed, start + ids.shape[1]) for compressed in (False, True)]
        x, losses = F.embedding(ids, self.embed).unsqueeze(2).repeat(1, 1, self.config.hc_mult, 1), torch.zeros(())
        for layer, before in zip(self.layers, past):
            x, loss = layer(x, ids, tables[layer.attn.ratio > 0], run, before)
            losses = losses + loss
        return x, losses

    def losses(self, ids: Tensor, where: Tensor, run: Run) -> tuple[Tensor, Tensor]:
        """ids [B, T] -> logits of the positions picked by the bool mask `where` [B, T], and the indexers' loss."""
        x, loss = self.streams(ids, run)
        return self.head(x[where], run), loss

    def forward(self, ids: Tensor, run: Run = Run()) -> Tensor:
        """ids [B, T] -> logits [B, T, V]."""
        x, _ = self.streams(ids, run)
        return self.head(x.flatten(0, 1), run).unflatten(0, ids.shape)
