package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// llama.cpp or a relative, by its own `llama-bench` and `llama-batched-bench`.
final class LlamaTools implements Contestant {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int DECODE_PROMPT = 16;

    private final String name;
    private final Path tools;
    private final Path model;
    private final int threads;
    private final int promptTokens;
    private final int generatedTokens;

    /// @param tools folder of the two programs
    LlamaTools(String name, Path tools, Path model, int threads, int promptTokens, int generatedTokens) {
        this.name = name;
        this.tools = tools;
        this.model = model;
        this.threads = threads;
        this.promptTokens = promptTokens;
        this.generatedTokens = generatedTokens;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String settings() {
        return "its defaults, " + threads + " threads";
    }

    @Override
    public double tokensPerSecond(Work work) {
        return work.isPrefill() ? prefill() : decode(work.streams());
    }

    private double prefill() {
        JsonNode answer = run("llama-bench", "-p", number(promptTokens), "-n", "0", "-r", "1", "-o", "json");
        return answer.path(0).path("avg_ts").asDouble();
    }

    private double decode(int streams) {
        long context = (long) streams * (DECODE_PROMPT + generatedTokens);
        JsonNode answer = run(
                "llama-batched-bench",
                "-c",
                number(Math.max(context, 512)),
                "-npp",
                number(DECODE_PROMPT),
                "-ntg",
                number(generatedTokens),
                "-npl",
                number(streams),
                "--output-format",
                "jsonl");
        return answer.path("speed_tg").asDouble();
    }

    private static String number(long value) {
        return Long.toString(value);
    }

    private JsonNode run(String program, String... arguments) {
        List<String> command = new ArrayList<>(List.of(tools.resolve(program).toString()));
        command.addAll(List.of("-m", model.toString(), "-t", number(threads)));
        command.addAll(List.of(arguments));
        try {
            Path log = Files.createTempFile("millrace-bench-", ".log");
            Process process =
                    new ProcessBuilder(command).redirectError(log.toFile()).start();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int exit = process.waitFor();
            if (exit != 0) {
                throw new IllegalStateException(
                        name + ": expected " + command + " to succeed, got exit code " + exit + ", see " + log);
            }
            Files.delete(log);
            return JSON.readTree(json(out));
        } catch (IOException e) {
            throw new IllegalStateException(name + ": " + command + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(name + ": interrupted", e);
        }
    }

    /// The array, or the last object on a line of its own.
    private static String json(String out) {
        if (out.strip().startsWith("[")) {
            return out;
        }
        return out.lines()
                .filter(line -> line.startsWith("{"))
                .reduce((earlier, later) -> later)
                .orElseThrow(() -> new IllegalStateException("expected a line of JSON, got " + out));
    }
}
