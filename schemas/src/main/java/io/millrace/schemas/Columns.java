package io.millrace.schemas;

import java.util.List;

/// Every column name once, grouped by table. A nested record names the fields of a struct column;
/// its `COLUMN` is the struct itself. What each means is in this module's README.
public final class Columns {

    private Columns() {}

    /// Columns of `completion.v3`: the canonical output row.
    public static final class Completion {

        public static final String REQUEST_ID = "request_id";
        public static final String CUSTOM_ID = "custom_id";
        public static final String SAMPLE_IDX = "sample_idx";
        public static final String STATUS = "status";
        public static final String PROMPT_FORMAT = "prompt_format";
        public static final String PROMPT_SHA256 = "prompt_sha256";
        public static final String PROMPT_TOKENS = "prompt_tokens";
        public static final String CACHED_TOKENS = "cached_tokens";
        public static final String COMPLETION_TOKENS = "completion_tokens";
        public static final String REASONING_TOKENS = "reasoning_tokens";
        public static final String OUTPUT_TEXT = "output_text";
        public static final String REASONING_TEXT = "reasoning_text";
        public static final String PARSE_ERROR = "parse_error";
        public static final String FINISH_REASON = "finish_reason";
        public static final String SEED = "seed";
        public static final String REFERENCE = "reference";
        public static final String OUTPUT_CHARS = "output_chars";
        public static final String SOURCE_CHARS = "source_chars";
        public static final String LENGTH_RATIO = "length_ratio";
        public static final String REPETITION = "repetition";
        public static final String TEMPLATE_LEAK = "template_leak";
        public static final String LANGUAGE = "language";
        public static final String SOURCE_LANGUAGE = "source_language";
        public static final String JSON_VALID = "json_valid";
        public static final String REPLACEMENT_CHARS = "replacement_chars";
        public static final String MEAN_LOGPROB = "mean_logprob";
        public static final String ROUGE1 = "rouge1";
        public static final String ROUGE2 = "rouge2";
        public static final String ROUGE_L = "rougeL";
        public static final String RUN_ID = "run_id";
        public static final String CONFIG_FINGERPRINT = "config_fingerprint";
        public static final String WRITTEN_AT = "written_at";

        /// Columns that say how a row came about and not what it is: they may differ between two runs that
        /// agree, and no digest of rows counts them.
        public static final List<String> INCIDENTAL = List.of(CACHED_TOKENS, Timing.COLUMN, RUN_ID, WRITTEN_AT);

        /// Fields of the struct `input_ref`.
        public static final class InputRef {

            public static final String COLUMN = "input_ref";
            public static final String FILE = "file";
            public static final String ROW_GROUP = "row_group";
            public static final String ROW = "row";

            private InputRef() {}
        }

        /// Fields of the struct `error`.
        public static final class RowError {

            public static final String COLUMN = "error";
            public static final String CLASS = "class";
            public static final String CODE = "code";
            public static final String MESSAGE = "message";
            public static final String RETRYABLE = "retryable";
            public static final String ATTEMPTS = "attempts";
            public static final String RAW = "raw";

            private RowError() {}
        }

        /// Fields of the struct `retry`.
        public static final class Retry {

            public static final String COLUMN = "retry";
            public static final String ATTEMPT = "attempt";
            public static final String RULES = "rules";
            public static final String PARAMETERS = "parameters";

            private Retry() {}
        }

        /// Fields of the structs of the array `tool_calls`.
        public static final class ToolCalls {

            public static final String COLUMN = "tool_calls";
            public static final String ID = "id";
            public static final String TYPE = "type";
            public static final String FUNCTION = "function";

            /// Fields of the struct `function`.
            public static final class Function {

                public static final String NAME = "name";
                public static final String ARGUMENTS = "arguments";

                private Function() {}
            }

            private ToolCalls() {}
        }

        /// Fields of the structs of the array `logprobs`.
        public static final class Logprobs {

            public static final String COLUMN = "logprobs";
            public static final String TOKEN = "token";
            public static final String TOKEN_ID = "token_id";
            public static final String LOGPROB = "logprob";
            public static final String TOP_LOGPROBS = "top_logprobs";

            /// Fields of the structs of the array `top_logprobs`.
            public static final class Top {

                public static final String TOKEN = "token";
                public static final String TOKEN_ID = "token_id";
                public static final String LOGPROB = "logprob";

                private Top() {}
            }

            private Logprobs() {}
        }

        /// Fields of the structs of the array `scores`.
        public static final class Scores {

            public static final String COLUMN = "scores";
            public static final String SUM_LOGPROB = "sum_logprob";
            public static final String TOKENS = "tokens";
            public static final String IS_GREEDY = "is_greedy";

            private Scores() {}
        }

        /// Fields of the struct `engine`.
        public static final class Engine {

            public static final String COLUMN = "engine";
            public static final String MODEL = "model";
            public static final String REVISION = "revision";
            public static final String WEIGHTS_SHA = "weights_sha";
            public static final String QUANTIZATION = "quantization";
            public static final String ENGINE_VERSION = "engine_version";
            public static final String KERNEL_RING = "kernel_ring";
            public static final String DEVICE = "device";

            private Engine() {}
        }

        /// Fields of the struct `timing`.
        public static final class Timing {

            public static final String COLUMN = "timing";
            public static final String QUEUED_MS = "queued_ms";
            public static final String PREFILL_MS = "prefill_ms";
            public static final String DECODE_MS = "decode_ms";

            private Timing() {}
        }

        private Completion() {}
    }
}
