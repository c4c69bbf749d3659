package io.millrace.schemas;

/// Words that a producer and the auditor exchange as files: names in the exchange directory, keys of the
/// request, of the answer to "are you there" and of the verdict, and the exit codes. The two share no class
/// path beyond this module.
///
/// Every file is written under another name and renamed, so a reader never sees half of one.
public final class AuditExchange {

    /// The auditor is warm and waits; written once, after start-up.
    public static final String READY_FILE = "ready.json";
    /// What to judge. Further requests may follow as `request-<anything>.json`.
    public static final String REQUEST_FILE = "request.json";
    /// Where the verdict goes when the request is unreadable and so cannot say.
    public static final String VERDICT_FILE = "verdict.json";
    /// An empty file that asks the auditor to end.
    public static final String STOP_FILE = "stop";

    private AuditExchange() {}

    /// How the auditor's process ends.
    public static final class ExitCode {

        /// The gate passed, or the auditor was asked to stop.
        public static final int PASS = 0;
        /// No verdict was reached: unreadable output, unreadable rules, a rule on a column that is not there.
        public static final int ERROR = 1;
        /// The command line is wrong.
        public static final int USAGE = 2;
        /// At least one rule of level `fail-run` failed.
        public static final int GATE_FAILED = 3;
        /// The process that started the auditor is gone.
        public static final int PARENT_GONE = 4;

        private ExitCode() {}
    }

    /// Keys of [#READY_FILE].
    public static final class Ready {

        /// Process id of the auditor, integer.
        public static final String PID = "pid";
        /// Milliseconds from the start of the JVM to readiness, integer.
        public static final String STARTUP_MS = "startup_ms";
        /// Object: software name to version.
        public static final String VERSIONS = "versions";

        private Ready() {}
    }

    /// Keys of [#REQUEST_FILE].
    public static final class Request {

        /// Array of strings, required: Parquet files or directories of the committed output.
        public static final String OUTPUT = "output";
        /// String: the rules file; the starter rules when absent.
        public static final String RULES = "rules";
        /// Integer, required: rows that the output must have, samples counted.
        public static final String EXPECTED_ROWS = "expected_rows";
        /// Object: input file, spelt as in `input_ref.file`, to the rows that the output must have for it.
        public static final String EXPECTED_ROWS_BY_FILE = "expected_rows_by_file";
        /// Array of strings: Parquet files of the input, which the auditor counts for itself.
        public static final String INPUT = "input";
        /// Integer: output rows per row of [#INPUT]; 1 when absent.
        public static final String SAMPLES = "samples";
        /// String: where to write the verdict; `verdict.json` beside the request when absent.
        public static final String VERDICT = "verdict";
        /// String: where to write every metric measured.
        public static final String METRICS = "metrics";
        /// String: a Deequ metrics repository (one JSON file) to append to.
        public static final String METRICS_REPOSITORY = "metrics_repository";
        /// Integer: when the run began, in milliseconds since the epoch: with the tags the run's key in the
        /// metrics repository, so that a run that is judged again replaces its entry; now when absent.
        public static final String STARTED_AT_MS = "started_at_ms";
        /// String: a directory for the rows that a failed rule of level `quarantine` names: the rows with the
        /// columns of [Quarantine] (Parquet).
        public static final String QUARANTINE = "quarantine";
        /// Object of strings: what the run was; copied to the verdict, key of the metrics repository.
        public static final String TAGS = "tags";

        private Request() {}
    }

    /// Keys of [Request#TAGS] that say which runs can be compared: drift is judged against earlier runs whose
    /// values for all of these are the same.
    public static final class Tag {

        public static final String MODEL = "model";
        public static final String REVISION = "revision";
        /// Name of the corpus.
        public static final String DATASET = "dataset";
        /// SHA-256 of template, system prompt and the other settings of a prompt, lower-case hex.
        public static final String PROMPT = "prompt_sha256";

        private Tag() {}
    }

    /// Columns that the rows of a quarantine have beside those of the output.
    public static final class Quarantine {

        /// Array of strings: names of the rules that the row breaks, sorted.
        public static final String RULES = "rules";
        /// String: name of the file of the output that holds the row.
        public static final String OUTPUT_FILE = "output_file";

        private Quarantine() {}
    }

    /// Keys of [#VERDICT_FILE].
    public static final class Verdict {

        /// `pass`, `fail` or `error`.
        public static final String VERDICT = "verdict";
        /// The worst level that a failed rule has: `none`, `warn`, `quarantine` or `fail-run`.
        public static final String LEVEL = "level";
        /// What went wrong, when the verdict is `error`; one sentence otherwise.
        public static final String MESSAGE = "message";
        /// Rows read, integer.
        public static final String ROWS = "rows";
        /// Rows written to the quarantine, integer.
        public static final String QUARANTINED_ROWS = "quarantined_rows";
        /// Milliseconds from reading the request to writing the verdict, integer.
        public static final String DURATION_MS = "duration_ms";
        public static final String VERSIONS = "versions";
        public static final String TAGS = "tags";
        /// Array, in the order of the rules file.
        public static final String RULES = "rules";

        private Verdict() {}

        /// Keys of one entry of [#RULES].
        public static final class Rule {

            public static final String NAME = "name";
            public static final String LEVEL = "level";
            public static final String DESCRIPTION = "description";
            /// `pass`, `fail` or `not-judged` (nothing to compare with).
            public static final String STATUS = "status";
            /// What the rule asks for, in words.
            public static final String EXPECTED = "expected";
            /// What was measured, a number; null when nothing could be (for example a mean over no rows).
            public static final String ACTUAL = "actual";
            /// One sentence for a person.
            public static final String MESSAGE = "message";
            /// Rows that break the rule, integer; null when the rule is about the whole and not about rows.
            public static final String FAILING_ROWS = "failing_rows";
            /// Array of objects, of a rule of level `quarantine` that has them: parameters of sampling, as the
            /// configuration names them, to numbers; for the first retry of a row, the second, and so on.
            public static final String RETRY = "retry";
            /// Array of the first of those rows, by `request_id`.
            public static final String EXAMPLES = "examples";

            private Rule() {}
        }

        /// Keys of one entry of [Rule#EXAMPLES].
        public static final class Example {

            public static final String REQUEST_ID = "request_id";
            /// Object with `file`, `row_group` and `row`.
            public static final String INPUT_REF = "input_ref";
            public static final String SAMPLE_IDX = "sample_idx";
            public static final String STATUS = "status";
            /// The start of the answer, or of the error message where there is no answer.
            public static final String EXCERPT = "excerpt";

            private Example() {}
        }
    }
}
