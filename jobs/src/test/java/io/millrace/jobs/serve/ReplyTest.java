package io.millrace.jobs.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.chat.ThinkingMode;
import io.millrace.engine.chat.ToolCall;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ReplyTest {
    private static final String CALLS = """


            <｜DSML｜tool_calls>
            <｜DSML｜invoke name="bash">
            <｜DSML｜parameter name="command" string="true">ls</｜DSML｜parameter>
            </｜DSML｜invoke>
            </｜DSML｜tool_calls>""";

    private static Wish wish(@Nullable ThinkingMode chat, boolean tools, String... stop) {
        SamplingParams sampling = new SamplingParams(0, 1, 0, 0, 8, List.of(stop), 0, false);
        return new Wish(chat, tools, "", false, List.of(), 1, sampling, -1, true, false);
    }

    @Test
    void of_toolCalls_areTakenOut() {
        Reply reply = Reply.of(wish(ThinkingMode.THINKING, true), "thinks</think>looks" + CALLS);

        assertThat(reply)
                .isEqualTo(new Reply("thinks", "looks", List.of(new ToolCall("", "bash", "{\"command\": \"ls\"}"))));
    }

    @Test
    void of_toolCallsThatBreakTheFormatOrWereNotAskedFor_areText() {
        String broken = "looks" + CALLS.substring(0, CALLS.length() - 20);

        assertThat(Reply.of(wish(ThinkingMode.CHAT, true), broken)).isEqualTo(new Reply("", broken, List.of()));
        assertThat(Reply.of(wish(ThinkingMode.CHAT, false), "looks" + CALLS))
                .isEqualTo(new Reply("", "looks" + CALLS, List.of()));
    }

    @Test
    void of_reasoningWithoutEnd_isReasoningOnly() {
        assertThat(Reply.of(wish(ThinkingMode.THINKING, false), "thinks"))
                .isEqualTo(new Reply("thinks", "", List.of()));
    }

    /// Whatever is told early is part of what is told in the end.
    @Test
    void soFar_everyBeginning_isABeginningOfTheWhole() {
        Wish wish = wish(ThinkingMode.THINKING, true, "STOP", "ksx");
        String text = "thin</thi ks</think>looks ST" + CALLS;
        Reply whole = Reply.of(wish, text);
        for (int end = 0; end <= text.length(); end++) {
            Reply part = Reply.soFar(wish, text.substring(0, end));
            assertThat(whole.reasoning()).as("of %s", end).startsWith(part.reasoning());
            assertThat(whole.content()).as("of %s", end).startsWith(part.content());
        }
        assertThat(Reply.soFar(wish, "a</think>looks ST")).isEqualTo(new Reply("a", "looks ", List.of()));
        assertThat(Reply.soFar(wish, "a</think>lookS STOP and")).isEqualTo(new Reply("a", "lookS ", List.of()));
    }
}
