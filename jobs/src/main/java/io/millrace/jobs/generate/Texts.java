package io.millrace.jobs.generate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat_ws;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.spark.sql.Column;

/// Which text of a row a step looks at.
enum Texts {
    PROMPT,
    ANSWER,
    /// Prompt and answers, a line break between.
    CONVERSATION;

    static Texts read(Parameters parameters, Texts otherwise) {
        List<String> words = Arrays.stream(values())
                .map(value -> value.name().toLowerCase(Locale.ROOT))
                .toList();
        String word = parameters.choice("on", otherwise.name().toLowerCase(Locale.ROOT), words);
        return values()[words.indexOf(word)];
    }

    Column of() {
        return switch (this) {
            case PROMPT -> col(PipelineRow.PROMPT);
            case ANSWER -> col(PipelineRow.ANSWER);
            case CONVERSATION ->
                concat_ws("\n", col(PipelineRow.PROMPT), col(PipelineRow.ANSWER), col(PipelineRow.REJECTED));
        };
    }
}
