package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.RunRequest.IfDifferent;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.deploy.history.FsHistoryProvider;
import org.apache.spark.deploy.history.HistoryServer;
import org.apache.spark.deploy.history.HistoryServer$;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What can be seen of a run from outside: the tab in Spark's UI while the application runs and in the
/// history server after it, the Prometheus endpoint, and the files beside the output. One run for all.
class InferenceTabIT {
    private static final String HOSTILE = "<script>alert('row')</script>\"&amp;";
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    static Path dir;

    private static String page;
    private static String metrics;
    private static String historyPage;

    @BeforeAll
    static void run() throws Exception {
        List<String> lines = new ArrayList<>();
        for (int row = 0; row < 20; row++) {
            lines.add(JSON.writeValueAsString(Map.of("id", "row " + row, "text", "a text of row " + row)));
        }
        lines.add(JSON.writeValueAsString(Map.of("id", HOSTILE, "text", HOSTILE)));
        lines.add("{\"id\": \"none\", \"text\": null}");
        lines.add("{\"id\": \"no\", \"text\": \"REFUSE-ME\"}");
        Path input = Files.writeString(dir.resolve("in put.jsonl"), String.join("\n", lines));
        Path events = Files.createDirectory(dir.resolve("events"));

        JobConfig config = config(input, events);
        SparkSession session = SparkSessions.open(config);
        String appId = session.sparkContext().applicationId();
        try (Gate gate = new Gate(Millrace.home(), config.gate())) {
            PrintWriter sink = new PrintWriter(new StringWriter());
            RunRequest request = new RunRequest(List.of("summarize"), IfDifferent.REFUSE, false);
            JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
            assertThat(new CompletionJob(config, request, sink, sink, false).run(spark, gate))
                    .isEqualTo(ExitCode.OK);
            String ui = session.sparkContext().uiWebUrl().get();
            page = get(ui + "/inference/");
            metrics = get(ui + "/metrics/prometheus/");
        } finally {
            session.stop();
        }
        historyPage = ofHistory(events, appId);
    }

    private static JobConfig config(Path input, Path events) {
        Settings settings = new Settings(
                "test",
                Map.ofEntries(
                        Map.entry("input.path", List.of(input.toString())),
                        Map.entry("input.text-column", List.of("text")),
                        Map.entry("input.id-column", List.of("id")),
                        Map.entry("output.dir", List.of(dir.resolve("out").toString())),
                        Map.entry("engine.kind", List.of("fake")),
                        Map.entry("engine.model-dir", List.of("fake-model")),
                        Map.entry("gate.enabled", List.of("false")),
                        Map.entry("spark.master", List.of("local[2]")),
                        Map.entry("spark.ui.enabled", List.of("true")),
                        Map.entry("spark.ui.port", List.of("0")),
                        Map.entry("spark.eventLog.enabled", List.of("true")),
                        Map.entry("spark.eventLog.dir", List.of(events.toUri().toString()))));
        return JobConfig.resolve(Millrace.home(), List.of(settings));
    }

    private static String ofHistory(Path events, String appId) throws Exception {
        SparkConf conf = new SparkConf(false)
                .set("spark.history.fs.logDirectory", events.toUri().toString())
                .set("spark.history.ui.port", "0");
        FsHistoryProvider provider = new FsHistoryProvider(conf);
        HistoryServer server = new HistoryServer(conf, provider, HistoryServer$.MODULE$.createSecurityManager(conf), 0);
        server.bind();
        try {
            provider.checkForLogs();
            return get("http://127.0.0.1:" + server.boundPort() + "/history/" + appId + "/inference/");
        } finally {
            server.stop();
        }
    }

    private static String get(String address) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.ALWAYS)
                .build()) {
            HttpResponse<String> response = client.send(
                    HttpRequest.newBuilder(URI.create(address)).build(),
                    HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
            assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
            return response.body();
        }
    }

    @Test
    void page_whileTheApplicationRuns_showsExecutorErrorsAndSlowestRows() {
        requireTab(page);
    }

    @Test
    void page_inTheHistoryServer_showsTheSame() {
        requireTab(historyPage);
    }

    private static void requireTab(String html) {
        assertThat(html)
                .contains(">Inference</a>", "id=\"inference-executors\"", ">driver</td>", ">fake-")
                .contains("21 ok, 2 error")
                .contains("INVALID_REQUEST 1, TEXT_NULL 1")
                // prompts have more tokens than answers: the second of two experts is the lesser
                .containsPattern("layer 0: 82\\.6 %")
                .contains("in put.jsonl</td>", ">0/3 #0</td>")
                .contains("&lt;script&gt;alert(")
                .doesNotContain("<script>alert(");
    }

    @Test
    void prometheus_ofALocalSession_hasTheDocumentedNames() {
        String plugin = "_driver_plugin_io_millrace_udf_EnginePlugin_";
        Map<String, String> ours = new TreeMap<>();
        for (String line : metrics.lines().toList()) {
            int at = line.indexOf(plugin);
            if (at >= 0 && line.contains("_Number")) {
                ours.put(
                        line.substring(at + plugin.length(), line.indexOf("_Number")),
                        line.substring(line.indexOf(' ') + 1));
            }
        }

        assertThat(ours)
                .containsEntry("executors", "1")
                .containsEntry("executor_driver_rows_ok", "21")
                .containsEntry("executor_driver_rows_error", "2")
                .containsEntry("executor_driver_errors_TEXT_NULL", "1")
                .containsKeys(Stream.of(
                                "prompt_tokens",
                                "cached_tokens",
                                "completion_tokens",
                                "steps",
                                "step_tokens",
                                "step_capacity",
                                "running",
                                "waiting",
                                "cache_bytes",
                                "prefix_bytes",
                                "expert_balance")
                        .map("executor_driver_"::concat)
                        .toArray(String[]::new));
    }

    @Test
    void files_besideTheOutput_sayWhatTheManifestSays() throws IOException {
        Path aside = dir.resolve("out/_millrace");
        JsonNode manifest = JSON.readTree(aside.resolve("run.json").toFile());
        List<String> samples = Files.readAllLines(aside.resolve("metrics.jsonl"));
        JsonNode last = JSON.readTree(samples.getLast());
        JsonNode executor = last.at("/executors/0");
        JsonNode experts = JSON.readTree(aside.resolve("experts.json").toFile());

        assertThat(samples).hasSizeGreaterThan(1);
        assertThat(last.path("start").asInt()).isEqualTo(1);
        assertThat(executor.path("id").asText()).isEqualTo("driver");
        assertThat(executor.path("rows_ok").asInt()).isEqualTo(21);
        assertThat(executor.path("rows_error").asInt()).isEqualTo(2);
        assertThat(executor.path("completion_tokens").asLong())
                .isPositive()
                .isEqualTo(manifest.at("/tokens/completion").asLong());
        assertThat(experts.at("/layers/0/layer").asInt(-1)).isZero();
        assertThat(experts.at("/layers/0/tokens/0").asLong())
                .isEqualTo(executor.path("prompt_tokens").asLong());
        assertThat(experts.at("/layers/0/tokens/1").asLong())
                .isEqualTo(executor.path("completion_tokens").asLong());
    }
}
