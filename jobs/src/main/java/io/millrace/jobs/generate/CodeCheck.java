package io.millrace.jobs.generate;

import io.millrace.jobs.JobException;
import io.millrace.udf.PromptTemplate;
import io.millrace.udf.sandbox.Examiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Whether a program passes its tests, in a sandbox of its own. The program is a template filled in:
/// `{code}` is the answer's last fenced block of code, or the whole answer if there is none; `{prompt}`
/// and the seeds' fields hold what else it needs.
///
/// @param template of the program with its tests
record CodeCheck(Examiner examiner, Examiner.Language language, String template) implements Check {
    private static final Pattern FENCED = Pattern.compile("(?ms)^```[^\\n]*\\n(.*?)^```");

    @Override
    public Verdict of(Subject subject) {
        String program = program(subject);
        if (program == null) {
            return new Verdict(false, null, "a field of the program is null");
        }
        try {
            Examiner.Verdict verdict = examiner.examine(language, program);
            return new Verdict(verdict.passed(), null, verdict.result());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new JobException("code: interrupted while a program ran", e);
        }
    }

    private @Nullable String program(Subject subject) {
        PromptTemplate parsed = PromptTemplate.parse(template);
        for (String column : parsed.columns()) {
            if (value(subject, column) == null) {
                return null;
            }
        }
        return parsed.render(subject.answer(), column -> String.valueOf(value(subject, column)));
    }

    private static @Nullable String value(Subject subject, String column) {
        return switch (column) {
            case "code" -> code(subject.answer());
            case PipelineRow.PROMPT -> subject.prompt();
            case PipelineRow.ANSWER -> subject.answer();
            default -> subject.field(column);
        };
    }

    /// The last fenced block of an answer; all of it if there is none.
    static String code(String answer) {
        Matcher fence = FENCED.matcher(answer);
        String code = answer;
        while (fence.find()) {
            code = fence.group(1);
        }
        return code;
    }
}
