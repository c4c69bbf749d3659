"""Released tensor names and formats <-> the training model."""

import json
import pathlib
from typing import Iterator

import torch
from safetensors import safe_open
from torch import Tensor

from model import Model

E2M1 = torch.tensor([0, .5, 1, 1.5, 2, 3, 4, 6, -0., -.5, -1, -1.5, -2, -3, -4, -6])


def released_tensors(model: Model) -> Iterator[tuple[str, Tensor]]:
    """Every tensor under its released name; an expert's are views of the stacked ones."""
    yield "embed.weight", model.embed
    yield "head.weight", model.head.weight
    yield "norm.weight", model.head.norm.weight
    for part in ("fn", "base", "scale"):
        yield f"hc_head_{part}", getattr(model.head, f"hc_{part}")
    for i, layer in enumerate(model.layers):
        tensors = dict(layer.named_parameters()) | dict(layer.named_buffers())
        for name, tensor in tensors.items():
            if name.startswith("ffn.experts."):
                for e, expert in enumerate(tensor):
                    yield f"layers.{i}.ffn.experts.{e}.{name[-2:]}.weight", expert
            elif name.startswith("hc_"):
                yield f"layers.{i}.{name.replace('.', '_')}", tensor
            else:
                yield f"layers.{i}.{name}", tensor


def unpack_fp4(packed: Tensor, scale: Tensor) -> Tensor:
    """I8 [out, in/2], even columns in the low nibbles, and scales [out, in/32] -> values [out, in]."""
    codes = packed.view(torch.uint8).int()
    values = E2M1[torch.stack([codes & 15, codes >> 4], -1).flatten(-2)]
    return values * scale.repeat_interleave(32, -1)


def unpack_fp8(codes: Tensor, scale: Tensor) -> Tensor:
    """F8_E4M3 [out, in] and one scale per 128x128 block -> values."""
    wide = scale.repeat_interleave(128, 0).repeat_interleave(128, 1)
    return codes.float() * wide[:codes.shape[0], :codes.shape[1]]


def read_values(folder: str | pathlib.Path) -> dict[str, Tensor]:
    """All weights of a checkpoint folder as plain values (F32, and I64 tables)."""
    raw: dict[str, Tensor] = {}
    for path in sorted(pathlib.Path(folder).glob("model*.safetensors")):
        with safe_open(path, "pt") as file:
            raw |= {name: file.get_tensor(name) for name in file.keys()}
    scales = {name[:-len(".scale")] + ".weight": t.view(torch.uint8).float().sub(127).exp2()
              for name, t in raw.items() if name.endswith(".scale") and t.dtype == torch.float8_e8m0fnu}
    values = {}
    for name, tensor in raw.items():
        if tensor.dtype == torch.float8_e4m3fn:
            values[name] = unpack_fp8(tensor, scales[name])
        elif tensor.dtype == torch.int8:
            values[name] = unpack_fp4(tensor, scales[name])
        elif tensor.dtype != torch.float8_e8m0fnu:
            values[name] = tensor if tensor.dtype == torch.int64 else tensor.float()
    return values


@torch.no_grad()
def load(model: Model, folder: str | pathlib.Path) -> Model:
    values = read_values(folder)
    for name, tensor in released_tensors(model):
        if values[name].shape != tensor.shape:
            raise ValueError(f"{name}: {tuple(values[name].shape)} in the file, {tuple(tensor.shape)} in the model")
        tensor.copy_(values[name])
    return model
