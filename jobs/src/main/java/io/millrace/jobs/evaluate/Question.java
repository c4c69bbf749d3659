package io.millrace.jobs.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.evaluate.python.PythonText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What the model is asked about a document: one prompt with the continuations to score behind it, or
/// one to go on with.
///
/// @param prompt as the model gets it: plain text, or a conversation as JSON
/// @param continuations null to generate
/// @param parameters OpenAI's names; empty for what is scored
/// @param arguments what the harness would have handed to its model, for the file of samples
record Question(
        String prompt,
        @Nullable List<String> continuations,
        Map<String, Object> parameters,
        List<List<Object>> arguments) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// How prompts are written.
    ///
    /// @param chat as a conversation
    /// @param multiTurn with examples as turns of their own
    record Style(boolean chat, boolean multiTurn) {
        static final Style PLAIN = new Style(false, false);
    }

    /// Everything asked about a document, in the harness's order of requests.
    static List<Question> of(
            Task task, Map<String, @Nullable Object> document, List<List<Turn>> contexts, Style style) {
        return switch (task.type()) {
            case MULTIPLE_CHOICE -> choices(task, document, contexts, style);
            case GENERATE_UNTIL -> {
                String prompt = written(contexts.getFirst(), style);
                yield List.of(new Question(
                        prompt, null, parameters(task), List.of(List.of(prompt, task.generationKwargs()))));
            }
            case LOGLIKELIHOOD ->
                List.of(scored(
                        written(contexts.getFirst(), style),
                        List.of(PythonText.str(task.fields().target(document))),
                        style));
            case LOGLIKELIHOOD_ROLLING -> {
                String text = PythonText.str(task.fields().target(document));
                yield List.of(new Question("", List.of(text), Map.of(), List.of(List.of(text))));
            }
        };
    }

    private static List<Question> choices(
            Task task, Map<String, @Nullable Object> document, List<List<Turn>> contexts, Style style) {
        List<String> choices = task.fields().choices(document);
        String prefix = task.genPrefix();
        boolean endsInText =
                prefix != null && !prefix.isEmpty() && !PythonText.isSpace(prefix.charAt(prefix.length() - 1));
        String delimiter = !style.chat() || endsInText ? task.targetDelimiter() : "";
        List<Question> questions = new ArrayList<>();
        if (contexts.size() > 1) {
            String target = delimiter + PythonText.str(task.fields().target(document));
            contexts.forEach(context -> questions.add(scored(written(context, style), List.of(target), style)));
        } else {
            List<String> continuations =
                    choices.stream().map(choice -> delimiter + choice).toList();
            questions.add(scored(written(contexts.getFirst(), style), continuations, style));
        }
        if (task.hasMetric(Metric.ACC_MUTUAL_INFO)) {
            if (style.chat()) {
                throw task.keys().wrong("metric_list", "no acc_mutual_info of conversations", Metric.ACC_MUTUAL_INFO);
            }
            questions.add(scored(
                    "", choices.stream().map(choice -> delimiter + choice).toList(), style));
        }
        return questions;
    }

    private static String written(List<Turn> turns, Style style) {
        if (!style.chat()) {
            return Turn.plain(turns);
        }
        if (turns.getLast().role().equals("assistant")) {
            throw new TaskException(
                    "gen_prefix: expected plain prompts, got conversations, which begin no answer here");
        }
        try {
            return JSON.writeValueAsString(Turn.chat(turns, style.multiTurn()));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("texts can be written", e);
        }
    }

    /// Space at the end of a plain prompt goes before the continuations, so that words keep their tokens.
    private static Question scored(String context, List<String> continuations, Style style) {
        List<List<Object>> arguments = new ArrayList<>();
        continuations.forEach(continuation -> arguments.add(List.of(context, continuation)));
        String kept = style.chat() ? context : PythonText.stripEnd(context);
        String space = context.substring(kept.length());
        return new Question(
                kept,
                continuations.stream().map(continuation -> space + continuation).toList(),
                Map.of(),
                arguments);
    }

    /// What the harness's words mean: with `do_sample: false` or a temperature of 0 it is greedy, and
    /// 256 tokens are the most.
    private static Map<String, Object> parameters(Task task) {
        Keys kwargs = new Keys(task.keys().where() + ": generation_kwargs", task.generationKwargs());
        Map<String, Object> parameters = new LinkedHashMap<>();
        long most = 256;
        for (String name : List.of("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")) {
            most = kwargs.whole(name, most);
        }
        parameters.put("max_tokens", most);
        boolean sampled = kwargs.flag("do_sample", kwargs.number("temperature", 0) > 0);
        parameters.put("temperature", sampled ? kwargs.number("temperature", 1) : 0.0);
        if (sampled && kwargs.has("top_p")) {
            parameters.put("top_p", kwargs.number("top_p", 1));
        }
        if (sampled && kwargs.has("top_k")) {
            parameters.put("top_k", kwargs.whole("top_k", 0));
        }
        List<String> until =
                kwargs.texts("until").stream().filter(stop -> !stop.isEmpty()).toList();
        if (!until.isEmpty()) {
            parameters.put("stop", until);
        }
        return parameters;
    }
}
