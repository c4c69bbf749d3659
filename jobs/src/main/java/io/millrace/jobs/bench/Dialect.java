package io.millrace.jobs.bench;

import java.util.ArrayList;
import java.util.List;

/// What the tools of llama.cpp and of ik_llama.cpp want to be asked, and which settings of theirs are worth
/// trying.
@SuppressWarnings("ImmutableEnumChecker") // unmodifiable lists
enum Dialect {
    LLAMA_CPP("on", "off", List.of(""), List.of("--no-warmup")),
    /// Repacks weights while loading, or merges the two projections of an expert, if told to.
    IK("1", "0", List.of("", " -rtr", " -muge"), List.of("-w", "0"));

    private final String attentionOn;
    private final String attentionOff;
    private final List<String> extras;
    private final List<String> coldPrefill;

    Dialect(String attentionOn, String attentionOff, List<String> extras, List<String> coldPrefill) {
        this.attentionOn = attentionOn;
        this.attentionOff = attentionOff;
        this.extras = extras;
        this.coldPrefill = coldPrefill;
    }

    /// What keeps `llama-bench` from doing everything twice, the first time to warm up.
    List<String> coldPrefill() {
        return coldPrefill;
    }

    /// By a peer's name.
    static Dialect of(String peer) {
        return peer.startsWith("ik") ? IK : LLAMA_CPP;
    }

    /// Settings to try for a work, the defaults first.
    List<String> candidates(Work work, Shape shape) {
        return work.isPrefill() ? prefill(shape.prompt()) : decode();
    }

    /// A prompt in one piece, and one of twice the length, of which more rows meet in each expert.
    private List<String> prefill(int prompt) {
        List<String> candidates = new ArrayList<>();
        for (int tokens : new int[] {prompt, 2 * prompt}) {
            for (String attention : List.of(attentionOn, attentionOff)) {
                for (String extra : extras) {
                    // llama-bench wants a value where llama-batched-bench wants none
                    String valued = extra.isEmpty() ? extra : extra + " 1";
                    candidates.add("-p " + tokens + " -b " + tokens + " -ub " + tokens + " -fa " + attention + valued);
                }
            }
        }
        return candidates;
    }

    private List<String> decode() {
        List<String> candidates = new ArrayList<>();
        for (String attention : List.of(attentionOn, attentionOff)) {
            for (String extra : extras) {
                candidates.add("-fa " + attention + extra);
            }
        }
        return candidates;
    }

    /// Tokens per second of the last line that `llama-batched-bench` printed for generation.
    double generationRate(String out) {
        return switch (this) {
            case LLAMA_CPP -> ToolOutput.lastObject(out).path("speed_tg").asDouble();
            case IK -> ToolOutput.lastTableColumn(out, "S_TG t/s");
        };
    }

    /// What makes `llama-batched-bench` print something to be read.
    List<String> outputArguments() {
        return switch (this) {
            case LLAMA_CPP -> List.of("--output-format", "jsonl");
            case IK -> List.of();
        };
    }
}
