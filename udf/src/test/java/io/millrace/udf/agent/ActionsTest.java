package io.millrace.udf.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ActionsTest {

    private static Actions fenced(String content) {
        return Actions.of(new Turn(content, null, List.of(), "stop", Turn.Usage.NONE), ActionForm.FENCED);
    }

    private static Actions called(String name, String arguments) {
        Turn.ToolCall call = new Turn.ToolCall("c1", name, arguments);
        return Actions.of(new Turn("", null, List.of(call), "tool_calls", Turn.Usage.NONE), ActionForm.TOOLS);
    }

    private static Actions.Wanted command(String command) {
        return new Actions.Wanted(List.of(new Action.Command(command, null)));
    }

    @Test
    void fenced_oneBlock_isTheCommand() {
        assertThat(fenced("First I look.\n\n```bash\nls -la\n```\n")).isEqualTo(command("ls -la"));
        assertThat(fenced("```mswea_bash_command\ncat <<'E'\na\n\nb\nE\n```"))
                .isEqualTo(command("cat <<'E'\na\n\nb\nE"));
    }

    @Test
    void fenced_otherLanguages_areText() {
        assertThat(fenced("Like this:\n```python\nprint()\n```\n```bash\ntrue\n```"))
                .isEqualTo(command("true"));
    }

    @Test
    void fenced_noneOrSeveral_isMalformed() {
        assertThat(fenced("I am done.")).isInstanceOfSatisfying(Actions.Malformed.class, malformed -> {
            assertThat(malformed.found()).isZero();
            assertThat(malformed.reason()).contains("exactly one", "found 0");
        });
        assertThat(fenced("```bash\na\n```\n```bash\nb\n```"))
                .isInstanceOfSatisfying(
                        Actions.Malformed.class,
                        malformed -> assertThat(malformed.found()).isEqualTo(2));
    }

    @Test
    void fenced_cutByItsLength_isToldSo() {
        Turn cut = new Turn("```bash\nls", null, List.of(), "length", Turn.Usage.NONE);
        assertThat(Actions.of(cut, ActionForm.FENCED))
                .isInstanceOfSatisfying(
                        Actions.Malformed.class,
                        malformed -> assertThat(malformed.reason()).contains("limit of its tokens"));
    }

    @Test
    void fenced_edit_keepsEveryCharacter() {
        assertThat(fenced("""
                        ```edit lib/a b.txt
                        <<<<<<< SEARCH
                          old

                        =======
                          new
                        >>>>>>> REPLACE
                        ```
                        """))
                .isEqualTo(new Actions.Wanted(List.of(new Action.Edit("lib/a b.txt", "  old\n\n", "  new\n", null))));
        assertThat(fenced("```edit n\n<<<<<<< SEARCH\n=======\nall\n>>>>>>> REPLACE\n```"))
                .isEqualTo(new Actions.Wanted(List.of(new Action.Edit("n", "", "all\n", null))));
        assertThat(fenced("```edit n\n<<<<<<< SEARCH\nx\n=======\n>>>>>>> REPLACE\n```"))
                .isEqualTo(new Actions.Wanted(List.of(new Action.Edit("n", "x\n", "", null))));
        assertThat(fenced("```edit n\nx\n```")).isInstanceOf(Actions.Malformed.class);
    }

    @Test
    void called_toolsAndTheirArguments() {
        assertThat(called("bash", "{\"command\": \"ls\"}"))
                .isEqualTo(new Actions.Wanted(List.of(new Action.Command("ls", "c1"))));
        assertThat(called("edit", "{\"path\": \"a\", \"old\": \"x\", \"new\": \"y\"}"))
                .isEqualTo(new Actions.Wanted(List.of(new Action.Edit("a", "x", "y", "c1"))));
        assertThat(called("python", "{}")).isInstanceOf(Actions.Malformed.class);
        assertThat(called("bash", "ls")).isInstanceOf(Actions.Malformed.class);
        assertThat(Actions.tools())
                .extracting(tool -> tool.at("/function/name").asText())
                .containsExactly("bash", "edit");
    }
}
