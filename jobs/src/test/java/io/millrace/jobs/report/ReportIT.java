package io.millrace.jobs.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.Millrace;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// Reports of runs whose rows are hostile, as files and in a browser, with the fake engine.
class ReportIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path PICTURES = Path.of("target", "report");
    private static final String ATTACK = "<img src=http://evil.example/x onerror=\"window.hacked=1\">";
    private static final List<String> HOSTILE = List.of(
            "</script><script>window.hacked=1</script>",
            ATTACK,
            "\"'><svg/onload=window.hacked=1>",
            "javascript:window.hacked=1 & <a href=//evil.example>x</a>",
            "right to left \u202Ereversed\u202C and \u2066isolated",
            "separators \u2028 and \u2029, a null \u0000 and a bell \u0007",
            "REFUSE-ME </td></table></body> <!-- ");

    @TempDir
    private static Path dir = Path.of("");

    private static StringWriter said = new StringWriter();

    private static int millrace(Object... args) {
        said = new StringWriter();
        CommandLine commandLine = Millrace.commandLine();
        commandLine.setOut(new PrintWriter(said));
        commandLine.setErr(new PrintWriter(said));
        return commandLine.execute(Arrays.stream(args).map(String::valueOf).toArray(String[]::new));
    }

    private static Path summarize(String name, Path input, String template) {
        Path output = dir.resolve(name);
        int exit = millrace(
                "summarize",
                "--no-gate",
                "--input",
                input,
                "--output",
                output,
                "--master",
                "local[2]",
                "-c",
                "engine.kind=fake",
                "-c",
                "engine.model-dir=fake",
                "--text-column",
                "text",
                "--id-column",
                "id",
                "--reference-column",
                "gold",
                "--prompt-template",
                template);
        assertThat(exit).as(said.toString()).isEqualTo(ExitCode.OK);
        assertThat(said.toString()).contains("report             file:" + output + "/_millrace/report.html");
        assertThat(output.resolve("_millrace/report.html")).isNotEmptyFile();
        return output;
    }

    private static Path input(String name, String id, int rows) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int row = 0; row < rows; row++) {
            String text = row < HOSTILE.size() ? HOSTILE.get(row) : "plain text number " + row;
            lines.add(JSON.writeValueAsString(
                    Map.of("id", id + row + (row == 0 ? ATTACK : ""), "text", text, "gold", "plain text " + ATTACK)));
        }
        return Files.write(dir.resolve(name), lines);
    }

    @BeforeAll
    static void runTwice() throws IOException {
        Path input = input("<b>hostile & co.jsonl", "row-", 60);
        Path a = summarize("a", input, "{text}");
        summarize("b", input, "say {text}");
        ObjectNode verdict = JSON.createObjectNode();
        verdict.put("verdict", "fail").put("message", "gate failed: " + ATTACK);
        ObjectNode rule = verdict.putArray("rules").addObject();
        rule.put("name", ATTACK).put("level", "fail-run").put("status", "fail").put("expected", "no " + ATTACK);
        rule.put("actual", 0.5).put("failing_rows", 2);
        ObjectNode example = rule.putArray("examples").addObject();
        example.put("excerpt", ATTACK)
                .put("status", "ok")
                .putObject("input_ref")
                .put("file", ATTACK);
        aside(a, "verdict.json", verdict.toString());
        ObjectNode experts = JSON.createObjectNode();
        ArrayNode layers = experts.putArray("layers");
        for (int layer = 0; layer < 4; layer++) {
            ArrayNode tokens = layers.addObject().put("layer", layer).putArray("tokens");
            for (int expert = 0; expert < 16; expert++) {
                tokens.add(expert == 3 ? 0 : 100 * layer + expert * expert);
            }
        }
        aside(a, "experts.json", experts.toString());
        aside(
                a,
                "forecast.json",
                "{\"version\":1,\"rows\":60,\"prompt_tokens\":2000,\"completion_tokens\":700,\"steps\":"
                        + "100,\"seconds\":10,\"device_hours\":0.01,\"cost\":{\"currency\":\""
                        + ATTACK.replace("\"", "'")
                        + "\",\"total\":2}}");
        StringBuilder metrics = new StringBuilder();
        for (int at = 0; at <= 30; at++) {
            metrics.append("{\"start\":1,\"elapsed_ms\":" + at * 500
                    + ",\"executors\":[{\"id\":\"0\",\"device\":\"cpu\","
                    + "\"cards\":[\"" + ATTACK.replace("\"", "'") + "\"],\"rows_ok\":" + 2 * at
                    + ",\"rows_error\":0,\"prompt_tokens\":" + 70 * at + ",\"cached_tokens\":" + 7 * at
                    + ",\"completion_tokens\":" + 24 * at + ",\"steps\":" + 4 * at + ",\"step_tokens\":" + 90 * at
                    + ",\"step_capacity\":" + 128 * at + ",\"running\":12,\"waiting\":" + (30 - at) + "}]}\n");
        }
        aside(a, "metrics.jsonl", metrics.toString());
        assertThat(millrace("report", a, "--master", "local[2]"))
                .as(said.toString())
                .isEqualTo(ExitCode.OK);
        assertThat(millrace("compare", a, dir.resolve("b"), "--master", "local[2]", "--out", dir.resolve("ab.html")))
                .as(said.toString())
                .isEqualTo(ExitCode.OK);
    }

    private static void aside(Path output, String name, String text) throws IOException {
        Files.writeString(output.resolve("_millrace").resolve(name), text);
    }

    private static Path report() {
        return dir.resolve("a/_millrace/report.html");
    }

    private static Document read(Path file) throws IOException {
        return Jsoup.parse(Files.readString(file));
    }

    private static void assertHarmless(Path file) throws IOException {
        Document page = read(file);
        assertThat(page.select("script:not(:empty)").size()).isLessThanOrEqualTo(2);
        assertThat(page.select("[onerror], [onload], svg, iframe, link, b, img:not(.map)"))
                .isEmpty();
        assertThat(page.select("a").eachAttr("href")).allMatch(href -> href.startsWith("#"));
        assertThat(Files.readString(file)).doesNotContain("\u202E", "\u2028", "\u0000", "\u2066");
    }

    @Test
    void report_hostileRows_areTextsAndEveryRowIsCounted() throws IOException {
        assertHarmless(report());
        Document page = read(report());
        assertThat(page.select("#rows p").text()).contains("60 rows in, 60 rows out");
        assertThat(page.select("#rows tbody tr").getFirst().text()).contains("<b>hostile & co.jsonl 60 59 1 0 0 0");
        assertThat(page.select("#errors").text()).contains("INVALID_REQUEST", "REFUSE-ME </td></table></body> <!--");
        assertThat(page.select("#gate").text()).contains("gate failed: <img src=http://evil.example/x");
        assertThat(page.select("#rouge tbody tr")).hasSize(3);
        assertThat(page.select("#experts tbody tr")).hasSize(4);
        assertThat(page.select("#cost").text()).contains("completion tokens 700");
        assertThat(page.select("#time tbody td").eachText()).contains("720", "120");
        assertThat(page.select("canvas")).hasSize(6);
        assertThat(page.select("#examples tbody tr")).hasSize(6);
    }

    @Test
    void report_toAFileElsewhere_andOfNothing() {
        Path file = dir.resolve("elsewhere.html");
        assertThat(millrace("report", dir.resolve("b"), "--master", "local[2]", "--out", file))
                .isEqualTo(ExitCode.OK);
        assertThat(file).content().contains("was not planned by millrace plan");
        assertThat(millrace("report", dir, "--master", "local[2]")).isEqualTo(ExitCode.ERROR);
        assertThat(said.toString()).contains("expected a run (_millrace/run.json)");
    }

    @Test
    void compare_otherPrompt_pairsEveryRowAndShowsWhatChanged() throws IOException {
        Path file = dir.resolve("ab.html");
        assertHarmless(file);
        Document page = read(file);
        assertThat(page.select("#runs").text()).contains("prompt.template {text} say {text}");
        assertThat(page.select("#pairs-0 > p").text())
                .contains("60 pairs, by input file, row and sample; 0 only in A and 0 only in B were not paired. 59");
        assertThat(page.select("#pairs-0 tbody tr td").eachText())
                .contains("ROUGE-L", "answered", "completion tokens")
                .contains("plain text " + ATTACK);
    }

    @Test
    void compare_otherInput_pairsByIdOrSaysThatNoneIsShared() throws IOException {
        Path fewer = summarize("fewer", input("fewer.jsonl", "row-", 50), "{text}");
        assertThat(millrace("compare", dir.resolve("a"), fewer, "--master", "local[2]"))
                .as(said.toString())
                .isEqualTo(ExitCode.OK);
        assertThat(said.toString())
                .contains("50 pairs, by the caller's id (custom_id) and sample; 10 only in A and 0 only in B");
        Path other = summarize("other", input("other.jsonl", "another-", 3), "{text}");
        assertThat(millrace("compare", dir.resolve("a"), other, "--master", "local[2]"))
                .isEqualTo(ExitCode.ERROR);
        assertThat(said.toString()).contains("none of 60 rows", "among the 3 of", "other.jsonl");
    }

    @Test
    void browser_reportAndComparison_drawAllAndAskForNothing() throws IOException {
        try (Browser browser = Browser.open()) {
            for (String scheme : List.of("light", "dark")) {
                browser.show(report(), scheme);
                assertThat(browser.run("Array.from(document.querySelectorAll('canvas')).filter(c => c.getContext('2d')"
                                + ".getImageData(0, 0, c.width, c.height).data.some(v => v > 0)).length"))
                        .isEqualTo("6");
                assertThat(browser.run("getComputedStyle(document.body).backgroundColor"))
                        .isEqualTo(scheme.equals("light") ? "rgb(255, 255, 255)" : "rgb(18, 22, 27)");
                assertThat(browser.run("document.documentElement.scrollWidth <= innerWidth"))
                        .isEqualTo("true");
                assertThat(browser.run("window.hacked")).isEqualTo("undefined");
                assertThat(browser.picture(PICTURES.resolve(scheme + ".png"))).isNotEmptyFile();
            }
            assertThat(browser.print(PICTURES.resolve("printed.pdf"))).isNotEmptyFile();
            browser.show(dir.resolve("ab.html"), "light");
            assertThat(browser.run("document.querySelectorAll('section').length"))
                    .isEqualTo("2");
            assertThat(browser.run("window.hacked")).isEqualTo("undefined");
            browser.picture(PICTURES.resolve("compare.png"));

            assertThat(browser.console()).isEmpty();
            assertThat(browser.requests()).isNotEmpty().allMatch(url -> url.startsWith("file:"));
        }
    }
}
