package io.millrace.jobs.langchain;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.langchain4j.model.batch.BatchItemResult;
import dev.langchain4j.model.batch.BatchPage;
import dev.langchain4j.model.batch.BatchPagination;
import dev.langchain4j.model.batch.BatchRequest;
import dev.langchain4j.model.batch.BatchResponse;
import dev.langchain4j.model.batch.BatchState;
import dev.langchain4j.model.chat.BatchChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import io.millrace.jobs.ExitCode;
import io.millrace.jobs.FinishedRun;
import io.millrace.jobs.JobException;
import io.millrace.jobs.Millrace;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/// LangChain4j's batches of chat requests as runs of `millrace batch`, each a process of its own with a
/// folder of its own. All that is known of a batch lies in the folder, so another process may ask for it,
/// and a batch goes on when the one that submitted it ends.
///
/// A batch that failed or was cancelled goes on where it stopped by {@link #resume}. Thread-safe, as far as
/// one batch is resumed by one caller at a time.
public final class MillraceBatchChatModel implements BatchChatModel {
    private static final String REQUESTS = "requests.jsonl";
    private static final String OUTPUT = "output";
    private static final String ANSWERS = "answers";
    private static final String PROCESS = "process";
    private static final String CANCELLED = "cancelled";
    private static final String LOG = "log.txt";
    private static final int PAGE = 100;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final List<String> command;

    /// @param folder where batches lie, on a file system that this host and Spark's driver share
    /// @param command the launcher, `batch` and its options but for input and output, such as `--model`
    public MillraceBatchChatModel(Path folder, List<String> command) {
        this.folder = folder.toAbsolutePath();
        this.command = List.copyOf(command);
    }

    @Override
    public BatchResponse<ChatResponse> submit(BatchRequest<ChatRequest> request) {
        // in the order of their making, which is that of the list
        String id = Instant.now().toEpochMilli() + "-" + UUID.randomUUID();
        StringBuilder lines = new StringBuilder();
        for (int place = 0; place < request.requests().size(); place++) {
            lines.append(line(place, request.requests().get(place))).append('\n');
        }
        try {
            Files.createDirectories(folder.resolve(id));
            Files.writeString(folder.resolve(id).resolve(REQUESTS), lines);
            start(folder.resolve(id));
        } catch (IOException e) {
            throw new UncheckedIOException("batch " + id + ": expected to be started", e);
        }
        return response(id, BatchState.RUNNING, List.of());
    }

    private static ObjectNode line(int place, ChatRequest request) {
        ObjectNode line = JSON.createObjectNode();
        line.put("custom_id", Integer.toString(place)).put("method", "POST").put("url", "/v1/chat/completions");
        line.set("body", ChatBody.of(request));
        return line;
    }

    /// Goes on with a batch that stopped before its end.
    public BatchResponse<ChatResponse> resume(String id) {
        Path batch = batch(id);
        if (process(batch).isEmpty() && !isFinished(batch)) {
            try {
                Files.deleteIfExists(batch.resolve(CANCELLED));
                start(batch);
            } catch (IOException e) {
                throw new UncheckedIOException("batch " + id + ": expected to be started again", e);
            }
        }
        return retrieve(id);
    }

    private void start(Path batch) throws IOException {
        List<String> all = new ArrayList<>(command);
        all.addAll(List.of(
                "--format",
                "openai-batch",
                "--input",
                batch.resolve(REQUESTS).toString(),
                "--output",
                batch.resolve(OUTPUT).toString()));
        Process process = new ProcessBuilder(all)
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(batch.resolve(LOG).toFile()))
                .start();
        Files.writeString(batch.resolve(PROCESS), process.pid() + " " + started(process.toHandle()));
    }

    private static String started(ProcessHandle process) {
        return process.info().startInstant().map(Instant::toString).orElse("");
    }

    /// A number of a process is given again; with its start it is this one.
    private static Optional<ProcessHandle> process(Path batch) {
        try {
            String[] written = Files.readString(batch.resolve(PROCESS)).split(" ", -1);
            return ProcessHandle.of(Long.parseLong(written[0]))
                    .filter(ProcessHandle::isAlive)
                    .filter(process -> started(process).equals(written[1]));
        } catch (IOException e) {
            throw new UncheckedIOException("batch " + batch + ": expected its process to be written down", e);
        }
    }

    @Override
    public BatchResponse<ChatResponse> retrieve(String id) {
        Path batch = batch(id);
        if (process(batch).isPresent()) {
            return response(id, BatchState.RUNNING, List.of());
        }
        if (isFinished(batch)) {
            return response(id, BatchState.SUCCEEDED, answers(batch));
        }
        if (Files.exists(batch.resolve(CANCELLED))) {
            return response(id, BatchState.CANCELLED, List.of());
        }
        String reason = lastLine(batch.resolve(LOG));
        return response(
                id,
                BatchState.FAILED,
                lines(batch.resolve(REQUESTS)).stream()
                        .map(_ -> ChatAnswer.failed(500, reason))
                        .toList());
    }

    private Path batch(String id) {
        Path batch = folder.resolve(id);
        if (!folder.equals(batch.getParent()) || !Files.exists(batch.resolve(REQUESTS))) {
            throw new IllegalArgumentException("batch " + id + ": expected one in " + folder + ", got none");
        }
        return batch;
    }

    private static boolean isFinished(Path batch) {
        try {
            FinishedRun.open(batch.resolve(OUTPUT).toString(), Millrace.home(), new Configuration());
            return true;
        } catch (JobException _) {
            return false;
        }
    }

    /// In the order of the requests, whatever became of each.
    private static List<BatchItemResult<ChatResponse>> answers(Path batch) {
        StringWriter said = new StringWriter();
        CommandLine export =
                Millrace.commandLine().setOut(new PrintWriter(said)).setErr(new PrintWriter(said));
        Path answers = batch.resolve(ANSWERS);
        if (export.execute(
                        "export",
                        batch.resolve(OUTPUT).toString(),
                        "--format",
                        "openai-batch",
                        "--to",
                        answers.toString())
                != ExitCode.OK) {
            throw new JobException("batch " + batch + ": expected to be exported, got " + said);
        }
        Map<String, BatchItemResult<ChatResponse>> byPlace = new HashMap<>();
        for (String name : List.of("error.jsonl", "output.jsonl")) {
            for (JsonNode line : lines(answers.resolve(name))) {
                byPlace.put(line.path("custom_id").asText(), ChatAnswer.of(line));
            }
        }
        List<BatchItemResult<ChatResponse>> results = new ArrayList<>();
        for (JsonNode request : lines(batch.resolve(REQUESTS))) {
            String place = request.path("custom_id").asText();
            results.add(byPlace.getOrDefault(place, ChatAnswer.failed(500, "request " + place + ": no row")));
        }
        return results;
    }

    private static List<JsonNode> lines(Path file) {
        List<JsonNode> lines = new ArrayList<>();
        try {
            if (Files.exists(file)) {
                for (String line : Files.readAllLines(file)) {
                    lines.add(JSON.readTree(line));
                }
            }
            return lines;
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": expected to be readable", e);
        }
    }

    private static String lastLine(Path log) {
        try (Stream<String> lines = Files.lines(log)) {
            return lines.filter(line -> !line.isBlank()).reduce("", (_, line) -> line);
        } catch (IOException e) {
            return "the process left no log: " + e;
        }
    }

    @Override
    public void cancel(String id) {
        Path batch = batch(id);
        process(batch).ifPresent(process -> {
            try {
                Files.writeString(batch.resolve(CANCELLED), Instant.now().toString());
            } catch (IOException e) {
                throw new UncheckedIOException("batch " + id + ": expected to be cancelled", e);
            }
            process.destroy();
        });
    }

    @Override
    public BatchPage<ChatResponse> list(@Nullable BatchPagination pagination) {
        int most = pagination == null || pagination.pageSize() == null ? PAGE : pagination.pageSize();
        String after = pagination == null || pagination.pageToken() == null ? "" : pagination.pageToken();
        List<String> ids;
        try (Stream<Path> batches = Files.exists(folder) ? Files.list(folder) : Stream.empty()) {
            ids = batches.map(batch -> batch.getFileName().toString())
                    .filter(id -> id.compareTo(after) > 0)
                    .sorted()
                    .limit(most + 1L)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": expected to be readable", e);
        }
        List<String> page = ids.subList(0, Math.min(most, ids.size()));
        return new BatchPage<>(
                page.stream().map(this::retrieve).toList(), ids.size() > most && most > 0 ? page.getLast() : null);
    }

    private static BatchResponse<ChatResponse> response(
            String id, BatchState state, List<BatchItemResult<ChatResponse>> results) {
        return BatchResponse.<ChatResponse>builder()
                .batchId(id)
                .state(state)
                .results(results)
                .build();
    }
}
