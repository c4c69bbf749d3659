package io.millrace.engine.checkpoint;

import java.util.List;

/// What our fields are called in GGUF files of architecture `deepseek4`, as llama.cpp reads them. A layer's
/// routed experts are one tensor [E, rows, cols] for each of the three matrices. Prediction blocks are not
/// spelt: their two projections are one matrix there, side by side, and nothing here decodes with them.
final class GgufNames {
    private GgufNames() {}

    /// What a layer's tensors begin with.
    static String layer(int index) {
        return "blk." + index + ".";
    }

    /// Where to look for a field.
    ///
    /// @param prefix of the layer, or nothing
    static List<String> of(TensorNames field, String prefix) {
        return List.of(prefix + leaf(field));
    }

    private static String leaf(TensorNames field) {
        return switch (field) {
            case EMBED -> "token_embd.weight";
            case HEAD -> "output.weight";
            case NORM -> "output_norm.weight";
            case HC_HEAD_FN -> "output_hc_fn.weight";
            case HC_HEAD_BASE -> "output_hc_base.weight";
            case HC_HEAD_SCALE -> "output_hc_scale.weight";
            case ATTN_NORM -> "attn_norm.weight";
            case FFN_NORM -> "ffn_norm.weight";
            case HC_ATTN_FN -> "hc_attn_fn.weight";
            case HC_ATTN_BASE -> "hc_attn_base.weight";
            case HC_ATTN_SCALE -> "hc_attn_scale.weight";
            case HC_FFN_FN -> "hc_ffn_fn.weight";
            case HC_FFN_BASE -> "hc_ffn_base.weight";
            case HC_FFN_SCALE -> "hc_ffn_scale.weight";
            case WQ_A -> "attn_q_a.weight";
            case Q_NORM -> "attn_q_a_norm.weight";
            case WQ_B -> "attn_q_b.weight";
            case WKV -> "attn_kv.weight";
            case KV_NORM -> "attn_kv_a_norm.weight";
            case WO_A -> "attn_output_a.weight";
            case WO_B -> "attn_output_b.weight";
            case SINK -> "attn_sinks.weight";
            case COMPRESSOR_WKV -> "attn_compressor_kv.weight";
            case COMPRESSOR_WGATE -> "attn_compressor_gate.weight";
            case COMPRESSOR_APE -> "attn_compressor_ape.weight";
            case COMPRESSOR_NORM -> "attn_compressor_norm.weight";
            case INDEXER_WQ_B -> "indexer.attn_q_b.weight";
            case INDEXER_WEIGHTS_PROJ -> "indexer.proj.weight";
            case INDEXER_WKV -> "indexer_compressor_kv.weight";
            case INDEXER_WGATE -> "indexer_compressor_gate.weight";
            case INDEXER_APE -> "indexer_compressor_ape.weight";
            case INDEXER_NORM -> "indexer_compressor_norm.weight";
            case GATE -> "ffn_gate_inp.weight";
            case GATE_BIAS -> "exp_probs_b.bias";
            case TID2EID -> "ffn_gate_tid2eid.weight";
            case SHARED_W1 -> "ffn_gate_shexp.weight";
            case SHARED_W2 -> "ffn_down_shexp.weight";
            case SHARED_W3 -> "ffn_up_shexp.weight";
            case EXPERT_W1 -> "ffn_gate_exps.weight";
            case EXPERT_W2 -> "ffn_down_exps.weight";
            case EXPERT_W3 -> "ffn_up_exps.weight";
            case FUSED_GATE_UP, FUSED_DOWN, E_PROJ, H_PROJ, ENORM, HNORM ->
                throw new IllegalArgumentException(field + " has no name in GGUF");
        };
    }
}
