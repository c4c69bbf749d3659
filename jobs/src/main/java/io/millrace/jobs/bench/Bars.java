package io.millrace.jobs.bench;

import java.util.List;

/// What the engine has set itself to reach, as ratios to other engines on the same file and machine.
final class Bars {
    static final String OURS = "millrace";
    static final String VECTOR = "millrace vector";
    static final String LLAMA_CPP = "llama.cpp";
    static final String IK = "ik";

    /// Fractions of what the cores and the memory do at most.
    static final double PREFILL_OF_INT8_PEAK = 0.40;

    static final double SINGLE_STREAM_OF_BANDWIDTH = 0.60;

    private static final String V4 = "deepseek_v4";
    private static final String QWEN = "qwen3_moe";
    private static final Work ONE = new Work(1);
    private static final Work MANY = new Work(64);
    private static final Work MOST = new Work(512);

    private static final List<Bar> ALL = List.of(
            new Bar(V4, Work.PREFILL, OURS, LLAMA_CPP, 5.0),
            new Bar(V4, MANY, OURS, LLAMA_CPP, 4.0),
            new Bar(V4, MOST, OURS, LLAMA_CPP, 6.0),
            new Bar(V4, ONE, OURS, LLAMA_CPP, 1.2),
            new Bar(V4, Work.PREFILL, OURS, IK, 3.0),
            new Bar(V4, ONE, OURS, IK, 1.2),
            new Bar(QWEN, Work.PREFILL, OURS, LLAMA_CPP, 4.0),
            new Bar(QWEN, MANY, OURS, LLAMA_CPP, 3.5),
            new Bar(QWEN, Work.PREFILL, OURS, IK, 1.5),
            new Bar(QWEN, MANY, OURS, IK, 2.0),
            new Bar(QWEN, MOST, OURS, IK, 3.0),
            new Bar(V4, Work.PREFILL, VECTOR, LLAMA_CPP, 2.0),
            new Bar(QWEN, Work.PREFILL, VECTOR, LLAMA_CPP, 2.0));

    private Bars() {}

    /// One ratio.
    ///
    /// @param architecture as config.json names it
    /// @param ours name of our engine in the table
    record Bar(String architecture, Work work, String ours, String peer, double atLeast) {}

    /// Those of an architecture.
    static List<Bar> of(String architecture) {
        return ALL.stream()
                .filter(bar -> bar.architecture().equals(architecture))
                .toList();
    }
}
