package io.millrace.jobs.code;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.udf.PromptFormat;
import io.millrace.udf.sandbox.Examiner.Language;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExtractionTest {
    private static final CodeTask PYTHON =
            new CodeTask("t", Language.PYTHON, "def f():\n", "", "def f():\n", "# header\n", "", "");
    private static final CodeTask JAVA = new CodeTask(
            "t",
            Language.JAVA,
            "import a;\nclass Solution {\n  int f() {\n",
            "",
            "import a;\nclass Solution {\n  int f() {\n",
            "import a;\n",
            "",
            "");

    private static String chat(CodeTask task, String answer) {
        return Extraction.solution(task, CodeSuite.HUMANEVAL.stops(), PromptFormat.CHAT, answer);
    }

    @Test
    void raw_endsAtTheFirstStop() {
        String text = "    return 1\n\n# next\ndef g():\n    pass\nif x:\n";

        assertThat(Extraction.solution(PYTHON, CodeSuite.HUMANEVAL.stops(), PromptFormat.RAW, text))
                .isEqualTo("def f():\n    return 1\n");
        assertThat(Extraction.continuation(Language.PYTHON, List.of("[DONE]"), "x = 1\n[DONE]\ny")).isEqualTo("x = 1\n");
        assertThat(Extraction.continuation(Language.PYTHON, List.of(), "    return 1")).isEqualTo("    return 1");
    }

    @Test
    void chat_takesTheFirstBlockOfTheLanguage() {
        assertThat(chat(PYTHON, "First:\n```sh\npip\n```\nthen\n```python\ndef f():\n    pass\n```\n```python\nx\n```"))
                .isEqualTo("# header\ndef f():\n    pass\n");
        assertThat(chat(PYTHON, "```\nx = 1\n```")).isEqualTo("# header\nx = 1\n");
        assertThat(chat(PYTHON, "```Python title=x\nx = 1\n  ```")).isEqualTo("# header\nx = 1\n");
    }

    @Test
    void chat_blockThatIsNotClosed_goesToTheEnd() {
        assertThat(chat(PYTHON, "```python\nx = 1\ny = 2")).isEqualTo("# header\nx = 1\ny = 2");
    }

    @Test
    void chat_withoutABlock_isTheProgram() {
        assertThat(chat(PYTHON, "def f(): return 1")).isEqualTo("# header\ndef f(): return 1");
    }

    @Test
    void chat_javaWithoutItsClass_goesOnWithThePrompt() {
        assertThat(chat(JAVA, "```java\nclass Solution {}\n```")).isEqualTo("import a;\nclass Solution {}\n");
        assertThat(chat(JAVA, "```java\n    return 1;\n  }\n}\nint x;\n```"))
                .isEqualTo(JAVA.preamble() + "    return 1;\n  }\n}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "return 1; } }",
                "if (a) { b(); } return '}'; } int g() { return 2; } }",
                "return \"}\\\"}\"; } }",
                "/* } } */ return 1; } }",
                "return '\\'' + 1; } }",
                "return 1; // } }\n } }",
                "return \"\"\"\n } } \"\"\"; } }",
                "int a = b / c; } }",
            })
    void java_endsWithItsClass(String program) {
        assertThat(JavaBraces.closed(program + " class Main { }")).isEqualTo(program);
    }

    @Test
    void java_braceOfTheClassIsMissing_isAdded() {
        assertThat(JavaBraces.closed("  return 1;\n}")).isEqualTo("  return 1;\n}\n}");
    }

    @Test
    void java_cutShort_staysAsItIs() {
        assertThat(JavaBraces.closed("if (a) {")).isEqualTo("if (a) {");
        assertThat(JavaBraces.closed("return \"}")).isEqualTo("return \"}");
    }
}
