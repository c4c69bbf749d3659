package io.millrace.jobs.evaluate;

import io.millrace.jobs.evaluate.Aggregation.Item;
import io.millrace.jobs.evaluate.python.PythonJson;
import io.millrace.jobs.evaluate.python.PythonText;
import io.millrace.udf.RowIdentity;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A task's figures and the lines of its file of samples.
///
/// @param metrics `metric,filter` and `metric_stderr,filter` to a number, or `N/A`
/// @param samples a line for each document and filter, by filter
/// @param failed documents without an answer
record TaskScore(
        Task task,
        int total,
        int documents,
        long failed,
        Map<String, Object> metrics,
        List<Map<String, @Nullable Object>> samples) {
    private static final String NONE = "N/A";

    static TaskScore of(Asked asked, List<List<Answer>> answers) {
        Task task = asked.task();
        Judge judge = new Judge(task, asked.instructions());
        Map<String, Object> metrics = new LinkedHashMap<>();
        List<Map<String, @Nullable Object>> samples = new ArrayList<>();
        for (FilterPipeline filter : task.filters()) {
            Map<String, List<Item>> items = new LinkedHashMap<>();
            for (int document = 0; document < answers.size(); document++) {
                Map<String, Item> values = judge.values(asked.documents().get(document), answers.get(document), filter);
                values.forEach((metric, item) ->
                        items.computeIfAbsent(metric, _ -> new ArrayList<>()).add(item));
                samples.add(sample(asked, document, answers.get(document), filter, values));
            }
            for (Metric metric : task.metrics()) {
                List<Item> own = items.getOrDefault(metric.name(), List.of());
                Double error = metric.aggregation().standardError(own);
                metrics.put(
                        metric.name() + "," + filter.name(),
                        metric.aggregation().of(own));
                metrics.put(metric.name() + "_stderr," + filter.name(), error == null ? NONE : error);
            }
        }
        return new TaskScore(task, asked.total(), answers.size(), Asked.failed(answers), metrics, samples);
    }

    private static Map<String, @Nullable Object> sample(
            Asked asked, int document, List<Answer> answers, FilterPipeline filter, Map<String, Item> values) {
        Task task = asked.task();
        Map<String, @Nullable Object> doc = asked.documents().get(document);
        String target = PythonText.str(task.fields().target(doc));
        Map<String, @Nullable Object> arguments = new LinkedHashMap<>();
        for (Question question : asked.questions().get(document)) {
            for (List<Object> one : question.arguments()) {
                Map<String, @Nullable Object> numbered = new LinkedHashMap<>();
                one.forEach(argument -> numbered.put("arg_" + numbered.size(), argument));
                arguments.put("gen_args_" + arguments.size(), numbered);
            }
        }
        Map<String, @Nullable Object> sample = new LinkedHashMap<>();
        sample.put("doc_id", (long) document);
        sample.put("doc", doc);
        sample.put("target", target);
        sample.put("arguments", arguments);
        List<Object> responses = responses(asked, document, answers);
        sample.put("resps", responses);
        sample.put("filtered_resps", filtered(task, answers, responses, filter));
        sample.put("filter", filter.name());
        sample.put("metrics", List.copyOf(values.keySet()));
        sample.put("doc_hash", hash(PythonJson.pretty(doc)));
        sample.put("prompt_hash", hash(PythonText.str(firstArgument(arguments))));
        sample.put("target_hash", hash(target));
        values.forEach((metric, item) -> sample.put(metric, item.written()));
        return sample;
    }

    private static @Nullable Object firstArgument(Map<String, @Nullable Object> arguments) {
        return arguments.get("gen_args_0") instanceof Map<?, ?> first ? first.get("arg_0") : null;
    }

    /// What the model said to each request, one for each repeat, as texts; of a failed row the least
    /// likely, or nothing.
    private static List<Object> responses(Asked asked, int document, List<Answer> answers) {
        List<Object> responses = new ArrayList<>();
        for (int index = 0; index < answers.size(); index++) {
            Question question = asked.questions().get(document).get(index);
            switch (answers.get(index)) {
                case Answer.Texts(List<String> texts) -> responses.add(texts);
                case Answer.Scores(List<Answer.Score> scores) ->
                    scores.forEach(score -> responses.add(List.of(scored(asked.task(), score))));
                case Answer.Failed _ -> {
                    Answer.Score least = new Answer.Score(Double.NEGATIVE_INFINITY, false);
                    question.arguments()
                            .forEach(_ -> responses.add(
                                    List.of(question.continuations() == null ? "" : scored(asked.task(), least))));
                }
            }
        }
        return responses;
    }

    private static Object scored(Task task, Answer.Score score) {
        String logprob = PythonText.repr(score.logprob());
        return task.type() == OutputType.LOGLIKELIHOOD_ROLLING
                ? logprob
                : List.of(logprob, PythonText.repr(score.greedy()));
    }

    private static List<Object> filtered(
            Task task, List<Answer> answers, List<Object> responses, FilterPipeline filter) {
        if (task.type() == OutputType.GENERATE_UNTIL
                && answers.getFirst() instanceof Answer.Texts(List<String> texts)) {
            return List.of(filter.judged(texts));
        }
        List<Object> first = new ArrayList<>();
        responses.forEach(response -> first.add(((List<?>) response).getFirst()));
        return first;
    }

    private static String hash(String text) {
        return RowIdentity.sha256Hex(text.getBytes(StandardCharsets.UTF_8));
    }

    /// One hash over what was asked of all documents.
    String taskHash() {
        StringBuilder all = new StringBuilder();
        samples.forEach(sample -> all.append(sample.get("doc_hash"))
                .append(sample.get("prompt_hash"))
                .append(sample.get("target_hash")));
        return hash(all.toString());
    }

    /// As it stands in the file of results.
    Map<String, @Nullable Object> entry() {
        Map<String, @Nullable Object> entry = new LinkedHashMap<>();
        entry.put("name", task.name());
        entry.put("alias", task.alias());
        entry.put("sample_len", (long) documents);
        entry.putAll(metrics);
        return entry;
    }
}
