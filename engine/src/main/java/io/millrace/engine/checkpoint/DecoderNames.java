package io.millrace.engine.checkpoint;

/// What the tensors of Qwen3 and Llama are called: by Hugging Face transformers and in GGUF files. `%d` is
/// the layer, `%e` an expert.
enum DecoderNames {
    EMBED("model.embed_tokens.weight", "token_embd.weight"),
    HEAD("lm_head.weight", "output.weight"),
    NORM("model.norm.weight", "output_norm.weight"),

    ATTN_NORM("model.layers.%d.input_layernorm.weight", "blk.%d.attn_norm.weight"),
    FFN_NORM("model.layers.%d.post_attention_layernorm.weight", "blk.%d.ffn_norm.weight"),

    Q("model.layers.%d.self_attn.q_proj.weight", "blk.%d.attn_q.weight"),
    K("model.layers.%d.self_attn.k_proj.weight", "blk.%d.attn_k.weight"),
    V("model.layers.%d.self_attn.v_proj.weight", "blk.%d.attn_v.weight"),
    O("model.layers.%d.self_attn.o_proj.weight", "blk.%d.attn_output.weight"),
    Q_NORM("model.layers.%d.self_attn.q_norm.weight", "blk.%d.attn_q_norm.weight"),
    K_NORM("model.layers.%d.self_attn.k_norm.weight", "blk.%d.attn_k_norm.weight"),

    GATE("model.layers.%d.mlp.gate_proj.weight", "blk.%d.ffn_gate.weight"),
    UP("model.layers.%d.mlp.up_proj.weight", "blk.%d.ffn_up.weight"),
    DOWN("model.layers.%d.mlp.down_proj.weight", "blk.%d.ffn_down.weight"),

    ROUTER("model.layers.%d.mlp.gate.weight", "blk.%d.ffn_gate_inp.weight"),
    /// One expert's; in GGUF files all of a layer's in one tensor.
    EXPERT_GATE("model.layers.%d.mlp.experts.%e.gate_proj.weight", "blk.%d.ffn_gate_exps.weight"),
    EXPERT_UP("model.layers.%d.mlp.experts.%e.up_proj.weight", "blk.%d.ffn_up_exps.weight"),
    EXPERT_DOWN("model.layers.%d.mlp.experts.%e.down_proj.weight", "blk.%d.ffn_down_exps.weight"),
    /// All experts of a layer in one tensor, gate above up, as transformers 5 holds them in memory; GGUF
    /// files have no such tensors.
    FUSED_GATE_UP("model.layers.%d.mlp.experts.gate_up_proj", "blk.%d.ffn_gate_up_exps.weight"),
    FUSED_DOWN("model.layers.%d.mlp.experts.down_proj", "blk.%d.ffn_down_exps.weight");

    /// Whose names.
    enum Scheme {
        HUGGING_FACE,
        GGUF
    }

    private final String huggingFace;
    private final String gguf;

    DecoderNames(String huggingFace, String gguf) {
        this.huggingFace = huggingFace;
        this.gguf = gguf;
    }

    String in(Scheme scheme, int layer) {
        String name = scheme == Scheme.GGUF ? gguf : huggingFace;
        return name.replace("%d", Integer.toString(layer));
    }

    /// An expert's tensor in a scheme that has one for each.
    String in(Scheme scheme, int layer, int expert) {
        return in(scheme, layer).replace("%e", Integer.toString(expert));
    }
}
