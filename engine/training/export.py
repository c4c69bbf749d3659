"""Writes a trained run as a released model folder.

``python export.py --run DIR --config config.json --data DIR --out DIR``: model.safetensors with the released
names and dtypes, config.json, generation_config.json, tokenizer.json, and reference.json, the exported
model's own answers to eight held-out prompts, for checking another engine against this one.
"""

import argparse
import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file
from torch import Tensor

import checkpoint
import quant
from data import ChatEncoder, read_jsonl
from evaluate import generate, load_weights
from model import Config, Model, Run

FP8_SUFFIXES = ("attn.wq_a.weight", "attn.wq_b.weight", "attn.wkv.weight", "attn.wo_a.weight", "attn.wo_b.weight",
                "indexer.wq_b.weight", "shared_experts.w1.weight", "shared_experts.w2.weight", "shared_experts.w3.weight")
F32_SUFFIXES = ("_fn", "_base", "_scale", "attn_sink", "ape", "gate.bias")
REFERENCE_ROWS = 8
E2M1_CODES = torch.tensor([0, .5, 1, 1.5, 2, 3, 4, 6])


def e8m0(scale: Tensor) -> Tensor:
    """Powers of two -> their E8M0 bytes."""
    return (scale.float().log2().round().int() + 127).to(torch.uint8).view(torch.float8_e8m0fnu)


def pack_fp8(w: Tensor) -> tuple[Tensor, Tensor]:
    scale = quant.fp8_block_scales(w)
    codes = quant.round_e4m3(w / quant.spread_blocks(scale, w.shape)).to(torch.float8_e4m3fn)
    return codes, e8m0(scale)


def pack_fp4(w: Tensor) -> tuple[Tensor, Tensor]:
    """w [out, in] -> I8 [out, in/2], even columns in the low nibbles, and one scale per 32 columns."""
    scale = quant.fp4_group_scales(w)
    values = quant.round_e2m1(w.unflatten(-1, (-1, quant.FP4_GROUP)) / scale.unsqueeze(-1)).flatten(-2)
    codes = torch.searchsorted(E2M1_CODES, values.abs()) | (torch.signbit(values).int() << 3)
    packed = (codes[:, 0::2] | (codes[:, 1::2] << 4)).to(torch.uint8).view(torch.int8)
    return packed.contiguous(), e8m0(scale)


def released(name: str, tensor: Tensor) -> dict[str, Tensor]:
    """The stored tensors of one weight: itself, or codes and scale."""
    w = tensor.detach()
    if w.dtype == torch.int64:
        return {name: w.contiguous()}
    if ".experts." in name or name.endswith(FP8_SUFFIXES):
        codes, scale = (pack_fp4 if ".experts." in name else pack_fp8)(w)
        return {name: codes, name.removesuffix("weight") + "scale": scale}
    if name.endswith(F32_SUFFIXES):
        return {name: w.float().contiguous()}
    return {name: w.bfloat16().contiguous()}


def write_weights(model: Model, path: pathlib.Path) -> None:
    tensors: dict[str, Tensor] = {}
    for name, tensor in checkpoint.released_tensors(model):
        tensors |= released(name, tensor)
    save_file(tensors, path, metadata={"format": "pt"})


@torch.no_grad()
def reference(model: Model, encoder: ChatEncoder, rows: list[dict[str, str]]) -> list[dict[str, object]]:
    """Prompt, greedy answer with and without rounding of the cached rows, and the last position's logits."""
    answers = []
    for row in rows:
        ids = encoder.prompt(row["description"])
        entry: dict[str, object] = {"package": row["package"], "prompt_text": encoder.tokenizer.decode(ids, skip_special_tokens=False),
                                    "prompt_ids": ids, "reference_synopsis": row["synopsis"]}
        for key, run in (("plain", Run()), ("kvRounded", Run(round_kv=True))):
            greedy = generate(model, [ids], encoder.eos, run)[0]
            logits = model(torch.tensor([ids]), run)[0, -1]
            entry[key] = {"greedy_ids": greedy, "text": encoder.decode(greedy), "last_logits_first16": logits[:16].tolist(),
                          "last_logits_argmax": int(logits.argmax())}
        answers.append(entry)
    return answers


def write_configs(config: pathlib.Path, tokenizer: pathlib.Path, out: pathlib.Path) -> None:
    shutil.copy(config, out / "config.json")
    shutil.copy(tokenizer, out / "tokenizer.json")
    generation = {"_from_model_config": True, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2, "do_sample": False}
    (out / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("--run", "--config", "--data", "--out"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    write_weights(load_weights(args.run), args.out / "model.safetensors")
    (args.out / "model.safetensors").chmod(0o644)
    write_configs(args.config, args.data / "tokenizer.json", args.out)
    exported = checkpoint.load(Model(Config.load(args.out / "config.json")), args.out)
    rows = read_jsonl(args.data / "test.jsonl")[:REFERENCE_ROWS]
    entries = reference(exported, ChatEncoder(str(args.out / "tokenizer.json")), rows)
    (args.out / "reference.json").write_text(json.dumps(entries, ensure_ascii=False, indent=1) + "\n")
    for entry in entries:
        print(entry["package"], "|", entry["plain"]["text"], "|", entry["kvRounded"]["text"], "|", entry["reference_synopsis"])


if __name__ == "__main__":
    main()
