"""Writes the GGUF vectors with the gguf package (0.19), which knows nothing of this engine.

usage: make_gguf_vectors.py VECTORS

VECTORS/tiny-fp32 as one F32 file of architecture deepseek4, names and keys as llama.cpp reads them, and a
random block of formats with the values that the package decodes it to.
"""

import json
import struct
import sys
from pathlib import Path

import gguf
import numpy as np
from gguf.quants import dequantize

GLOBAL = {
    "embed.weight": "token_embd.weight",
    "head.weight": "output.weight",
    "norm.weight": "output_norm.weight",
    "hc_head_fn": "output_hc_fn.weight",
    "hc_head_base": "output_hc_base.weight",
    "hc_head_scale": "output_hc_scale.weight",
}
LAYER = {
    "attn_norm.weight": "attn_norm.weight",
    "ffn_norm.weight": "ffn_norm.weight",
    "hc_attn_fn": "hc_attn_fn.weight",
    "hc_attn_base": "hc_attn_base.weight",
    "hc_attn_scale": "hc_attn_scale.weight",
    "hc_ffn_fn": "hc_ffn_fn.weight",
    "hc_ffn_base": "hc_ffn_base.weight",
    "hc_ffn_scale": "hc_ffn_scale.weight",
    "attn.wq_a.weight": "attn_q_a.weight",
    "attn.q_norm.weight": "attn_q_a_norm.weight",
    "attn.wq_b.weight": "attn_q_b.weight",
    "attn.wkv.weight": "attn_kv.weight",
    "attn.kv_norm.weight": "attn_kv_a_norm.weight",
    "attn.wo_a.weight": "attn_output_a.weight",
    "attn.wo_b.weight": "attn_output_b.weight",
    "attn.attn_sink": "attn_sinks.weight",
    "attn.compressor.wkv.weight": "attn_compressor_kv.weight",
    "attn.compressor.wgate.weight": "attn_compressor_gate.weight",
    "attn.compressor.ape": "attn_compressor_ape.weight",
    "attn.compressor.norm.weight": "attn_compressor_norm.weight",
    "attn.indexer.wq_b.weight": "indexer.attn_q_b.weight",
    "attn.indexer.weights_proj.weight": "indexer.proj.weight",
    "attn.indexer.compressor.wkv.weight": "indexer_compressor_kv.weight",
    "attn.indexer.compressor.wgate.weight": "indexer_compressor_gate.weight",
    "attn.indexer.compressor.ape": "indexer_compressor_ape.weight",
    "attn.indexer.compressor.norm.weight": "indexer_compressor_norm.weight",
    "ffn.gate.weight": "ffn_gate_inp.weight",
    "ffn.gate.bias": "exp_probs_b.bias",
    "ffn.gate.tid2eid": "ffn_gate_tid2eid.weight",
    "ffn.shared_experts.w1.weight": "ffn_gate_shexp.weight",
    "ffn.shared_experts.w2.weight": "ffn_down_shexp.weight",
    "ffn.shared_experts.w3.weight": "ffn_up_shexp.weight",
}
EXPERTS = {"w1": "ffn_gate_exps.weight", "w2": "ffn_down_exps.weight", "w3": "ffn_up_exps.weight"}


def safetensors(path):
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    header.pop("__metadata__", None)
    dtypes = {"F32": "<f4", "I64": "<i8"}
    return {
        name: np.frombuffer(
            raw[8 + length + t["data_offsets"][0] : 8 + length + t["data_offsets"][1]], dtypes[t["dtype"]]
        ).reshape(t["shape"])
        for name, t in header.items()
    }


def write_keys(writer, config):
    numbers = {
        "block_count": config["num_hidden_layers"],
        "context_length": config["max_position_embeddings"],
        "embedding_length": config["hidden_size"],
        "vocab_size": config["vocab_size"],
        "attention.head_count": config["num_attention_heads"],
        "attention.head_count_kv": 1,
        "attention.key_length": config["head_dim"],
        "attention.value_length": config["head_dim"],
        "attention.q_lora_rank": config["q_lora_rank"],
        "attention.output_lora_rank": config["o_lora_rank"],
        "attention.output_group_count": config["o_groups"],
        "attention.sliding_window": config["sliding_window"],
        "attention.indexer.head_count": config["index_n_heads"],
        "attention.indexer.key_length": config["index_head_dim"],
        "attention.indexer.top_k": config["index_topk"],
        "rope.dimension_count": config["qk_rope_head_dim"],
        "rope.scaling.original_context_length": config["rope_scaling"]["original_max_position_embeddings"],
        "expert_count": config["n_routed_experts"],
        "expert_used_count": config["num_experts_per_tok"],
        "expert_shared_count": config["n_shared_experts"],
        "expert_feed_forward_length": config["moe_intermediate_size"],
        "expert_gating_func": 4,
        "hash_layer_count": config["num_hash_layers"],
        "hyper_connection.count": config["hc_mult"],
        "hyper_connection.sinkhorn_iterations": config["hc_sinkhorn_iters"],
    }
    floats = {
        "attention.layer_norm_rms_epsilon": config["rms_norm_eps"],
        "attention.compress_rope_freq_base": config["compress_rope_theta"],
        "rope.freq_base": config["rope_theta"],
        "rope.scaling.factor": config["rope_scaling"]["factor"],
        "rope.scaling.yarn_beta_fast": config["rope_scaling"]["beta_fast"],
        "rope.scaling.yarn_beta_slow": config["rope_scaling"]["beta_slow"],
        "expert_weights_scale": config["routed_scaling_factor"],
        "hyper_connection.epsilon": config["hc_eps"],
    }
    for key, value in numbers.items():
        writer.add_uint32("deepseek4." + key, value)
    for key, value in floats.items():
        writer.add_float32("deepseek4." + key, float(value))
    writer.add_bool("deepseek4.expert_weights_norm", True)
    writer.add_string("deepseek4.rope.scaling.type", "yarn")
    writer.add_array("deepseek4.attention.compress_ratios", config["compress_ratios"])
    layers = config["num_hidden_layers"]
    writer.add_array("deepseek4.swiglu_clamp_exp", [float(config["swiglu_limit"])] * layers)
    writer.add_array("deepseek4.swiglu_clamp_shexp", [float(config["swiglu_limit"])] * layers)


def write_model(folder, target):
    config = json.loads((folder / "config.json").read_text())
    tensors = safetensors(folder / "model.safetensors")
    writer = gguf.GGUFWriter(target, "deepseek4")
    write_keys(writer, config)
    for name, ours in GLOBAL.items():
        writer.add_tensor(ours, tensors.pop(name))
    for layer in range(config["num_hidden_layers"]):
        source, out = f"layers.{layer}.", f"blk.{layer}."
        for name, ours in LAYER.items():
            if source + name in tensors:
                tensor = tensors.pop(source + name)
                writer.add_tensor(out + ours, tensor.astype(np.int32) if tensor.dtype == np.int64 else tensor)
        for name, ours in EXPERTS.items():
            each = [tensors.pop(f"{source}ffn.experts.{e}.{name}.weight") for e in range(config["n_routed_experts"])]
            writer.add_tensor(out + ours, np.stack(each))
    assert not tensors, tensors.keys()
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def blocks():
    rng = np.random.default_rng(7)
    out = {}
    # where a block keeps the halves that scale it
    for name, halves in {"Q4_0": [0], "Q8_0": [0], "Q4_K": [0, 2], "Q6_K": [208], "MXFP4": []}.items():
        kind = gguf.GGMLQuantizationType[name]
        size = gguf.constants.GGML_QUANT_SIZES[kind][1]
        raw = rng.integers(0, 256, (3, size), dtype=np.uint8)
        for at in halves:
            raw[:, at : at + 2] = rng.standard_normal((3, 1)).astype(np.float16).view(np.uint8)
        if name == "MXFP4":
            raw[:, 0] = [0, 121, 130]
        values = dequantize(raw, kind)
        out[name] = {"bytes": raw.flatten().tolist(), "values": [float(v) for v in values.flatten()]}
    return out


vectors = Path(sys.argv[1])
(vectors / "gguf").mkdir(exist_ok=True)
write_model(vectors / "tiny-fp32", vectors / "gguf" / "tiny-fp32.gguf")
(vectors / "gguf" / "more-blocks.json").write_text(json.dumps(blocks()) + "\n")
