package io.millrace.udf.agent;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/// What came of an action.
///
/// @param output standard output and error, as they came
/// @param returncode -1 if it did not end by itself
/// @param exceptionInfo why it did not; null if it did
/// @param cut whether there was more output than is kept
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Observation(
        String output, int returncode, @Nullable String exceptionInfo, boolean cut) {
    /// First line of the output of a command by which an agent hands in its work (mini-swe-agent's).
    static final String SUBMIT = "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT";
    /// Characters of an output that the agent is shown, half of them from its start.
    private static final int SHOWN = 10_000;

    /// What was handed in; null if nothing was.
    @Nullable
    String submission() {
        String said = output.stripLeading();
        int end = said.indexOf('\n');
        String first = end < 0 ? said : said.substring(0, end);
        return returncode == 0 && !cut && first.strip().equals(SUBMIT)
                ? said.substring(first.length()).stripLeading()
                : null;
    }

    /// As the agent is told of it, in the tags of mini-swe-agent.
    String told() {
        StringBuilder told = new StringBuilder();
        if (exceptionInfo != null) {
            told.append("<exception>").append(exceptionInfo).append("</exception>\n");
        }
        told.append("<returncode>").append(returncode).append("</returncode>\n");
        if (output.length() < SHOWN) {
            return told.append("<output>\n").append(output).append("</output>").toString();
        }
        return told.append("<warning>\nToo much output to show all of it: below are its start and its end.")
                .append(" Ask for less, or write it to a file and look at parts of that.\n</warning>\n<output_head>\n")
                .append(output, 0, SHOWN / 2)
                .append("\n</output_head>\n<elided_chars>\n")
                .append(output.length() - SHOWN)
                .append(cut ? " characters left out, and more that were not kept" : " characters left out")
                .append("\n</elided_chars>\n<output_tail>\n")
                .append(output, output.length() - SHOWN / 2, output.length())
                .append("\n</output_tail>")
                .toString();
    }
}
