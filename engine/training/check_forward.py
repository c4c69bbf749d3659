"""Checks the training model's forward pass against reference logits.

``python check_forward.py VECTORS`` where VECTORS holds ``tiny-fp32`` and ``tiny-official-quant``: toy
checkpoints with the released tensor names, each with the logits of an independent implementation.
"""

import pathlib
import sys

import torch
from safetensors.torch import load_file

import checkpoint
from model import Config, Model, Run

SINGLE, DOUBLE = torch.float32, torch.float64
CASES = [("tiny-fp32", "logits_fp64", Run(SINGLE)),
         ("tiny-official-quant", "logits_plain_fp64", Run(SINGLE)),
         # in single precision a few cached values of this one fall on the other side of a rounding edge
         ("tiny-official-quant", "logits_kvqat_fp64", Run(DOUBLE, round_kv=True))]
TOLERANCE = 1e-4


@torch.no_grad()
def largest_difference(folder: pathlib.Path, key: str, run: Run) -> float:
    expected = load_file(folder / "expected.safetensors")
    model = checkpoint.load(Model(Config.load(folder / "config.json")), folder).to(run.dtype)
    logits = model(expected["input_ids"].view(1, -1), run)[0]
    return (logits.double() - expected[key].double()).abs().max().item()


def main() -> None:
    differences = [(folder, key, run, largest_difference(pathlib.Path(sys.argv[1]) / folder, key, run)) for folder, key, run in CASES]
    for folder, key, run, difference in differences:
        print(f"{folder:20} {key:18} {str(run.dtype):14} max |difference| {difference:.2e}")
    if max(d for *_, d in differences) > TOLERANCE:
        sys.exit(f"more than {TOLERANCE}")


if __name__ == "__main__":
    main()
