#!/usr/bin/env python3
"""A small DeepSeek-V4 folder (safetensors in one file) as a GGUF file in F32, for comparing greedy tokens with llama.cpp.

usage: to_gguf.py FOLDER OUT.gguf        needs numpy and the gguf package

The vocabulary is the folder's tokenizer.json, or a stand-in of as many entries where only token ids are compared. No
YaRN.
"""
import json
import os
import struct
import sys

import gguf
import numpy as np

folder, out = sys.argv[1], sys.argv[2]
config = json.load(open(folder + "/config.json"))
file = open(folder + "/model.safetensors", "rb")
head_size = struct.unpack("<Q", file.read(8))[0]
head = json.loads(file.read(head_size))

FP4 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6], dtype=np.float32)
codes = np.arange(256)
exponent, mantissa = codes >> 3 & 15, codes & 7
FP8 = np.where(exponent == 0, mantissa / 512, (1 + mantissa / 8) * 2.0 ** (exponent - 7)) * np.where(codes > 127, -1, 1)


def stored(name):
    entry = head[name]
    begin, end = entry["data_offsets"]
    file.seek(8 + head_size + begin)
    return entry["dtype"], entry["shape"], file.read(end - begin)


def values(name):
    dtype, shape, data = stored(name)
    if dtype == "F32":
        return np.frombuffer(data, np.float32).reshape(shape)
    if dtype == "BF16":
        return (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(shape)
    _, scale_shape, scale_data = stored(name.replace(".weight", ".scale"))
    scales = np.exp2(np.frombuffer(scale_data, np.uint8).astype(np.float32) - 127).reshape(scale_shape)
    raw = np.frombuffer(data, np.uint8).reshape(shape)
    if dtype == "F8_E4M3":
        return FP8[raw] * np.repeat(np.repeat(scales, 128, 0), 128, 1)[: shape[0], : shape[1]]
    pairs = np.stack([FP4[raw & 15], FP4[raw >> 4]], axis=-1).reshape(shape[0], -1)
    return pairs * np.repeat(scales, 32, 1)


LAYER = {
    "attn_norm.weight": "attn_norm.weight",
    "ffn_norm.weight": "ffn_norm.weight",
    "attn_q_a.weight": "attn.wq_a.weight",
    "attn_q_a_norm.weight": "attn.q_norm.weight",
    "attn_q_b.weight": "attn.wq_b.weight",
    "attn_kv.weight": "attn.wkv.weight",
    "attn_kv_a_norm.weight": "attn.kv_norm.weight",
    "attn_output_a.weight": "attn.wo_a.weight",
    "attn_output_b.weight": "attn.wo_b.weight",
    "attn_sinks.weight": "attn.attn_sink",
    "attn_compressor_kv.weight": "attn.compressor.wkv.weight",
    "attn_compressor_gate.weight": "attn.compressor.wgate.weight",
    "attn_compressor_ape.weight": "attn.compressor.ape",
    "attn_compressor_norm.weight": "attn.compressor.norm.weight",
    "indexer.attn_q_b.weight": "attn.indexer.wq_b.weight",
    "indexer.proj.weight": "attn.indexer.weights_proj.weight",
    "indexer_compressor_kv.weight": "attn.indexer.compressor.wkv.weight",
    "indexer_compressor_gate.weight": "attn.indexer.compressor.wgate.weight",
    "indexer_compressor_ape.weight": "attn.indexer.compressor.ape",
    "indexer_compressor_norm.weight": "attn.indexer.compressor.norm.weight",
    "ffn_gate_inp.weight": "ffn.gate.weight",
    "exp_probs_b.bias": "ffn.gate.bias",
    "ffn_gate_shexp.weight": "ffn.shared_experts.w1.weight",
    "ffn_down_shexp.weight": "ffn.shared_experts.w2.weight",
    "ffn_up_shexp.weight": "ffn.shared_experts.w3.weight",
}
for site in ("attn", "ffn"):
    LAYER[f"hc_{site}_fn.weight"] = f"hc_{site}_fn"
    LAYER[f"hc_{site}_base.weight"] = f"hc_{site}_base"
    LAYER[f"hc_{site}_scale.weight"] = f"hc_{site}_scale"
ENDS = {
    "token_embd.weight": "embed.weight",
    "output.weight": "head.weight",
    "output_norm.weight": "norm.weight",
    "output_hc_fn.weight": "hc_head_fn",
    "output_hc_base.weight": "hc_head_base",
    "output_hc_scale.weight": "hc_head_scale",
}
layers, vocabulary = config["num_hidden_layers"], config["vocab_size"]
limits = [float(config["swiglu_limit"])] * layers
KEYS = {
    "block_count": layers,
    "context_length": config["max_position_embeddings"],
    "embedding_length": config["hidden_size"],
    "embedding_length_out": config["hidden_size"] * config["hc_mult"],
    "vocab_size": vocabulary,
    "attention.head_count": config["num_attention_heads"],
    "attention.head_count_kv": 1,
    "attention.key_length": config["head_dim"],
    "attention.value_length": config["head_dim"],
    "attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
    "attention.q_lora_rank": config["q_lora_rank"],
    "attention.output_lora_rank": config["o_lora_rank"],
    "attention.output_group_count": config["o_groups"],
    "attention.sliding_window": config["sliding_window"],
    "attention.compress_ratios": config["compress_ratios"][:layers],
    "attention.compress_rope_freq_base": float(config["compress_rope_theta"]),
    "attention.indexer.head_count": config["index_n_heads"],
    "attention.indexer.key_length": config["index_head_dim"],
    "attention.indexer.top_k": config["index_topk"],
    "rope.dimension_count": config["qk_rope_head_dim"],
    "rope.freq_base": float(config["rope_theta"]),
    "rope.scaling.type": "none",
    "expert_count": config["n_routed_experts"],
    "expert_used_count": config["num_experts_per_tok"],
    "expert_shared_count": config["n_shared_experts"],
    "expert_feed_forward_length": config["moe_intermediate_size"],
    "expert_weights_scale": float(config["routed_scaling_factor"]),
    "expert_weights_norm": True,
    "expert_gating_func": 4,
    "hash_layer_count": config["num_hash_layers"],
    "hyper_connection.count": config["hc_mult"],
    "hyper_connection.sinkhorn_iterations": config["hc_sinkhorn_iters"],
    "hyper_connection.epsilon": float(config["hc_eps"]),
    "swiglu_clamp_exp": limits,
    "swiglu_clamp_shexp": limits,
}

writer = gguf.GGUFWriter(out, "deepseek4")
for key, value in KEYS.items():
    adders = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
    adders.get(type(value), writer.add_array)("deepseek4." + key, value)


def stand_in():
    printable = [c for c in range(256) if 33 <= c < 127 or 161 <= c < 173 or 174 <= c < 256]
    others = [256 + i for i in range(256 - len(printable))]
    tokens = [chr(c) for c in printable + others]
    tokens += ["t%05d" % i for i in range(len(tokens), vocabulary - 2)] + ["<|bos|>", "<|eos|>"]
    return "default", tokens, [1] * (vocabulary - 2) + [3, 3], ["t 0", "t 1"], vocabulary - 2, vocabulary - 1


def own(tokenizer):
    ids = {**tokenizer["model"]["vocab"], **{t["content"]: t["id"] for t in tokenizer["added_tokens"]}}
    names = {i: token for token, i in ids.items()}
    control = {t["id"] for t in tokenizer["added_tokens"]}
    return (
        "deepseek-v3",
        [names.get(i, "unused%d" % i) for i in range(vocabulary)],
        [3 if i in control else 1 if i in names else 5 for i in range(vocabulary)],
        [" ".join(merge) for merge in tokenizer["model"]["merges"]],
        config["bos_token_id"],
        config["eos_token_id"],
    )


path = folder + "/tokenizer.json"
pre, tokens, types, merges, bos, eos = own(json.load(open(path))) if os.path.exists(path) else stand_in()
writer.add_tokenizer_model("gpt2")
writer.add_tokenizer_pre(pre)
writer.add_token_list(tokens)
writer.add_token_types(types)
writer.add_token_merges(merges)
writer.add_bos_token_id(bos)
writer.add_eos_token_id(eos)
writer.add_add_bos_token(False)


def put(target, name):
    if name in head:
        writer.add_tensor(target, np.ascontiguousarray(values(name), dtype=np.float32))


for target, name in ENDS.items():
    put(target, name)
for layer in range(layers):
    ours, theirs = f"layers.{layer}.", f"blk.{layer}."
    for target, name in LAYER.items():
        put(theirs + target, ours + name)
    if ours + "ffn.gate.tid2eid" in head:
        _, shape, data = stored(ours + "ffn.gate.tid2eid")
        table = np.frombuffer(data, np.int64).reshape(shape)
        writer.add_tensor(theirs + "ffn_gate_tid2eid.weight", table.astype(np.int32))
    for target, name in (("gate", "w1"), ("down", "w2"), ("up", "w3")):
        experts = [values(f"{ours}ffn.experts.{e}.{name}.weight") for e in range(config["n_routed_experts"])]
        writer.add_tensor(f"{theirs}ffn_{target}_exps.weight", np.stack(experts).astype(np.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
