package io.millrace.engine.checkpoint;

import java.util.ArrayList;
import java.util.List;

/// What our fields are called in checkpoints: in DeepSeek's release and after the renaming of Hugging Face
/// transformers 5.18 (`conversion_mapping.py`, "deepseek_v4"). The one place where tensor names are spelt.
/// Each may stand behind the prefix `model.`; names within a layer stand behind the layer's prefix
/// `layers.N.` or `mtp.N.`.
///
/// transformers saves in a mixture of both by default (`save_original_format`): it undoes its renaming
/// within layers, keeps its prefix and its names outside of layers, and one renaming it cannot undo, that
/// of `kv_norm`.
enum TensorNames {
    EMBED("embed.weight", "embed_tokens.weight"),
    HEAD("head.weight", "lm_head.weight"),
    NORM("norm.weight", "norm.weight"),
    HC_HEAD_FN("hc_head_fn", "hc_head.hc_fn"),
    HC_HEAD_BASE("hc_head_base", "hc_head.hc_base"),
    HC_HEAD_SCALE("hc_head_scale", "hc_head.hc_scale"),

    ATTN_NORM("attn_norm.weight", "input_layernorm.weight"),
    FFN_NORM("ffn_norm.weight", "post_attention_layernorm.weight"),
    HC_ATTN_FN("hc_attn_fn", "attn_hc.fn"),
    HC_ATTN_BASE("hc_attn_base", "attn_hc.base"),
    HC_ATTN_SCALE("hc_attn_scale", "attn_hc.scale"),
    HC_FFN_FN("hc_ffn_fn", "ffn_hc.fn"),
    HC_FFN_BASE("hc_ffn_base", "ffn_hc.base"),
    HC_FFN_SCALE("hc_ffn_scale", "ffn_hc.scale"),

    WQ_A("attn.wq_a.weight", "self_attn.q_a_proj.weight"),
    Q_NORM("attn.q_norm.weight", "self_attn.q_a_norm.weight"),
    WQ_B("attn.wq_b.weight", "self_attn.q_b_proj.weight"),
    WKV("attn.wkv.weight", "self_attn.kv_proj.weight"),
    KV_NORM("attn.kv_norm.weight", "self_attn.kv_norm.weight", "attn.norm.weight"),
    WO_A("attn.wo_a.weight", "self_attn.o_a_proj.weight"),
    WO_B("attn.wo_b.weight", "self_attn.o_b_proj.weight"),
    SINK("attn.attn_sink", "self_attn.sinks"),

    COMPRESSOR_WKV("attn.compressor.wkv.weight", "self_attn.compressor.kv_proj.weight"),
    COMPRESSOR_WGATE("attn.compressor.wgate.weight", "self_attn.compressor.gate_proj.weight"),
    COMPRESSOR_APE("attn.compressor.ape", "self_attn.compressor.position_bias"),
    COMPRESSOR_NORM("attn.compressor.norm.weight", "self_attn.compressor.kv_norm.weight"),

    INDEXER_WQ_B("attn.indexer.wq_b.weight", "self_attn.compressor.indexer.q_b_proj.weight"),
    INDEXER_WEIGHTS_PROJ("attn.indexer.weights_proj.weight", "self_attn.compressor.indexer.scorer.weights_proj.weight"),
    INDEXER_WKV("attn.indexer.compressor.wkv.weight", "self_attn.compressor.indexer.kv_proj.weight"),
    INDEXER_WGATE("attn.indexer.compressor.wgate.weight", "self_attn.compressor.indexer.gate_proj.weight"),
    INDEXER_APE("attn.indexer.compressor.ape", "self_attn.compressor.indexer.position_bias"),
    INDEXER_NORM("attn.indexer.compressor.norm.weight", "self_attn.compressor.indexer.kv_norm.weight"),

    GATE("ffn.gate.weight", "mlp.gate.weight"),
    GATE_BIAS("ffn.gate.bias", "mlp.gate.e_score_correction_bias"),
    TID2EID("ffn.gate.tid2eid", "mlp.gate.tid2eid"),
    SHARED_W1("ffn.shared_experts.w1.weight", "mlp.shared_experts.gate_proj.weight"),
    SHARED_W2("ffn.shared_experts.w2.weight", "mlp.shared_experts.down_proj.weight"),
    SHARED_W3("ffn.shared_experts.w3.weight", "mlp.shared_experts.up_proj.weight"),
    /// `%d` is the expert.
    EXPERT_W1("ffn.experts.%d.w1.weight", "mlp.experts.%d.gate_proj.weight"),
    EXPERT_W2("ffn.experts.%d.w2.weight", "mlp.experts.%d.down_proj.weight"),
    EXPERT_W3("ffn.experts.%d.w3.weight", "mlp.experts.%d.up_proj.weight"),
    /// All experts of a layer in one tensor, gate above up; the release has no such tensors.
    FUSED_GATE_UP("ffn.experts.gate_up_proj", "mlp.experts.gate_up_proj"),
    FUSED_DOWN("ffn.experts.down_proj", "mlp.experts.down_proj"),

    E_PROJ("e_proj.weight", "e_proj.weight"),
    H_PROJ("h_proj.weight", "h_proj.weight"),
    ENORM("enorm.weight", "enorm.weight"),
    HNORM("hnorm.weight", "hnorm.weight");

    private static final String MODEL = "model.";
    private static final String WEIGHT = ".weight";

    @SuppressWarnings("ImmutableEnumChecker") // an unmodifiable list
    private final List<String> names;

    TensorNames(String... names) {
        this.names = List.of(names);
    }

    /// Where to look, in this order; the first is the name for messages.
    ///
    /// @param prefix `layers.N.`, `mtp.N.` or nothing
    List<String> candidates(String prefix) {
        return candidates(prefix, names);
    }

    /// Where to look for an expert's tensor.
    List<String> candidates(String prefix, int expert) {
        String index = Integer.toString(expert);
        return candidates(
                prefix, names.stream().map(name -> name.replace("%d", index)).toList());
    }

    private static List<String> candidates(String prefix, List<String> names) {
        List<String> candidates = new ArrayList<>(2 * names.size());
        for (String name : names) {
            candidates.add(prefix + name);
            candidates.add(MODEL + prefix + name);
        }
        return candidates;
    }

    /// Where to look for the block scales of a weight.
    static List<String> scales(String weight) {
        if (weight.endsWith(WEIGHT)) {
            String stem = weight.substring(0, weight.length() - WEIGHT.length());
            return List.of(stem + ".scale", weight + "_scale_inv", weight + "_scale");
        }
        return List.of(weight + "_scale_inv", weight + "_scale", weight + ".scale");
    }

    /// Whether a tensor only occurs in checkpoints whose `mtp` blocks are DSpark drafting stages instead of
    /// plain multi-token prediction.
    static boolean isDraftStage(String name) {
        return isPrediction(name)
                && (name.contains(".main_proj.")
                        || name.contains(".markov_head.")
                        || name.contains(".confidence_head."));
    }

    /// Whether a tensor belongs to a prediction block.
    static boolean isPrediction(String name) {
        return name.startsWith("mtp.") || name.startsWith(MODEL + "mtp.");
    }
}
