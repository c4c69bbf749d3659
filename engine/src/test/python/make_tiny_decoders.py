#!/usr/bin/env python3
"""Small random checkpoints of qwen3_moe, qwen3 and llama with the logits of Hugging Face transformers.

usage: make_tiny_decoders.py ../resources/vectors
For each architecture a folder with config.json, model.safetensors (F32) and expected.json: a list of cases,
each the keys of config.json it overrides, its tokens and logits. transformers computes norms, softmax and
rotary tables in float32 even in a float64 model; here torch's float32 is turned into float64 for the
forward passes, so that the expected values are double precision from end to end. Needs torch and transformers == 5.18.0."""
import json
import shutil
import sys
from pathlib import Path
from unittest import mock

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM
from transformers import Qwen3Config, Qwen3ForCausalLM, Qwen3MoeConfig, Qwen3MoeForCausalLM

VOCAB = 67
TOKENS = 41

COMMON = dict(
    vocab_size=VOCAB, hidden_size=48, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
    max_position_embeddings=256, rms_norm_eps=1e-6, bos_token_id=1, eos_token_id=2,
    initializer_range=0.15, attention_bias=False)

YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=64,
            beta_fast=4.0, beta_slow=1.0)
LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)
PLAIN = dict(rope_type="default", rope_theta=10000.0)

MODELS = {
    "tiny-qwen3moe": (
        Qwen3MoeConfig, Qwen3MoeForCausalLM,
        dict(num_hidden_layers=3, intermediate_size=36, moe_intermediate_size=12, num_experts=8,
             num_experts_per_tok=2, norm_topk_prob=True, decoder_sparse_step=1, mlp_only_layers=[1],
             tie_word_embeddings=False),
        [{}, {"norm_topk_prob": False}]),
    "tiny-qwen3": (
        Qwen3Config, Qwen3ForCausalLM,
        dict(num_hidden_layers=3, intermediate_size=72, tie_word_embeddings=True),
        [{}, {"rope_parameters": YARN}]),
    "tiny-llama": (
        LlamaConfig, LlamaForCausalLM,
        dict(num_hidden_layers=3, intermediate_size=72, tie_word_embeddings=False, rope_parameters=PLAIN),
        [{}, {"rope_parameters": LLAMA3}]),
}


def double_logits(model_class, config, state, tokens):
    config._attn_implementation = "eager"
    if hasattr(config, "_experts_implementation"):
        config._experts_implementation = "eager"
    with mock.patch.object(torch, "float32", torch.float64), mock.patch.object(torch, "float", torch.float64), \
            mock.patch.object(torch.Tensor, "float", torch.Tensor.double), torch.no_grad():
        torch.set_default_dtype(torch.float64)
        model = model_class(config).double().eval()
        model.load_state_dict({name: value.double() for name, value in state.items()})
        logits = model(torch.tensor([tokens])).logits[0]
    torch.set_default_dtype(torch.float32)
    assert logits.dtype == torch.float64
    return logits


def randomise(model):
    """Norm weights are ones when fresh, which would hide that one is missing."""
    for name, parameter in model.named_parameters():
        if "norm" in name:
            parameter.data.uniform_(0.5, 1.5)


def write(folder, name):
    config_class, model_class, shape, cases = MODELS[name]
    torch.manual_seed(20261122)
    model = model_class(config_class(**COMMON, **shape)).float()
    randomise(model)
    out = folder / name
    shutil.rmtree(out, ignore_errors=True)
    model.save_pretrained(out)
    (out / "generation_config.json").unlink(missing_ok=True)
    tokens = torch.randint(0, VOCAB, (TOKENS,)).tolist()
    expected = []
    for case in cases:
        config = config_class(**{**COMMON, **shape, **case})
        logits = double_logits(model_class, config, model.state_dict(), tokens)
        expected.append({"config": case, "tokens": tokens,
                         "logits": [[float(f"{v:.9g}") for v in row] for row in logits.tolist()]})
        print(name, case, "largest logit", float(logits.abs().max()))
    (out / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    print("transformers", transformers.__version__, "torch", torch.__version__)
    for model_name in MODELS:
        write(Path(sys.argv[1]), model_name)
