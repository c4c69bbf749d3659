"""Rewrites vectors/tiny-fp32 under Hugging Face's tensor and configuration names.

transformers 5.18 loads the checkpoint with the official names, renames and fuses the tensors on the way, and saves them
once in its own form:

    python make_tiny_fp32_hf.py ../resources/vectors/tiny-fp32 ../resources/vectors/tiny-fp32-hf

Needs torch and transformers == 5.18.0.
"""

import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM


def main() -> None:
    source, target = map(pathlib.Path, sys.argv[1:])
    model, loading = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, output_loading_info=True)
    assert not any(loading.values()), loading
    # without this the tensors would get the names they were loaded by
    model.save_pretrained(target, save_original_format=False)
    # sampling defaults, which are no part of a checkpoint
    (target / "generation_config.json").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
