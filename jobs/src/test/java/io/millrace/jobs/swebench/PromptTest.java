package io.millrace.jobs.swebench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PromptTest {
    @TempDir
    private Path dir = Path.of("");

    private SmallRepository repository() throws IOException, InterruptedException {
        return new SmallRepository(
                        dir,
                        "small/mixed",
                        Map.of(
                                "sums.py", "def add(a, b):\n    return a - b\n",
                                "parsing/dates.py", "# parses dates of calendars\ndef parse_date(text):\n    pass\n",
                                "parsing/numbers.py", "def parse_number(text):\n    return int(text)\n",
                                "tests/test_dates.py", "# dates dates dates calendars\ncheck\n",
                                "README.md", "dates and calendars\n"),
                        "sums.py",
                        "tests/test_dates.py",
                        "check\n")
                .create()
                .instance("small__mixed-1", "1");
    }

    private static Instance instance(SmallRepository repository, String problem) throws IOException {
        String row = Files.readString(repository.instancesFile()).replace("The sum of two numbers is wrong.", problem);
        return Instance.of(new ObjectMapper().readTree(row), "test");
    }

    @Test
    void of_oracle_theFilesOfTheGoldPatchWithNumberedLines() throws Exception {
        SmallRepository repository = repository();
        Instance instance = instance(repository, "Sums are wrong.");

        try (SourceTree tree = SourceTree.open(repository.repositories(), instance)) {
            String prompt = PatchPrompt.of(instance, tree, new PromptContext(PromptContext.Kind.ORACLE, 5, 10));

            assertThat(prompt)
                    .contains("<issue>\nSums are wrong.\n</issue>")
                    .contains(
                            "<code>\n[start of sums.py]\n1 def add(a, b):\n2     return a - b\n[end of sums.py]\n</code>")
                    .contains("<patch>");
        }
    }

    @Test
    void search_wordsOfTheIssue_likeliestSourceFirstAndNoTests() throws Exception {
        SmallRepository repository = repository();
        Instance instance = instance(repository, "A date of the calendar is parsed wrongly: parse_date fails");

        try (SourceTree tree = SourceTree.open(repository.repositories(), instance)) {
            assertThat(tree.sources()).containsExactly("parsing/dates.py", "parsing/numbers.py", "sums.py");
            assertThat(Bm25.search(tree, instance.problem(), 5)).first().isEqualTo("parsing/dates.py");
            assertThat(PatchPrompt.of(instance, tree, new PromptContext(PromptContext.Kind.BM25, 1, 1000)))
                    .contains("[start of parsing/dates.py]")
                    .doesNotContain("numbers.py");
            assertThat(PatchPrompt.of(instance, tree, new PromptContext(PromptContext.Kind.BM25, 5, 10)))
                    .contains("<code>\n</code>");
        }
    }

    @Test
    void read_whatLeadsOutOfTheRepository_nothing() throws Exception {
        SmallRepository repository = repository();
        Files.writeString(dir.resolve("secret"), "secret");

        try (SourceTree tree = SourceTree.open(repository.repositories(), instance(repository, "x"))) {
            Files.createSymbolicLink(tree.dir().resolve("link.py"), dir.resolve("secret"));

            assertThat(tree.read("link.py")).isEmpty();
            assertThat(tree.read("../../secret")).isEmpty();
            assertThat(tree.read("none.py")).isEmpty();
        }
    }

    @Test
    void call_noSuchClone_aRowThatSaysSo() throws Exception {
        SmallRepository repository = repository();
        PromptFunction function = new PromptFunction(
                dir.resolve("elsewhere").toString(), new PromptContext(PromptContext.Kind.ORACLE, 5, 10));

        Row row = function.call(PromptFunction.json(instance(repository, "x")));

        assertThat(row.getString(0)).isEqualTo("small__mixed-1");
        assertThat(row.isNullAt(1)).isTrue();
        assertThat(row.getString(2)).contains("repository_missing: expected a clone of small/mixed");
        assertThat(List.of(PromptFunction.SCHEMA.fieldNames())).containsExactly("instance_id", "prompt", "problem");
    }
}
