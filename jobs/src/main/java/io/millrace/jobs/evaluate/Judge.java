package io.millrace.jobs.evaluate;

import io.millrace.jobs.evaluate.Aggregation.Item;
import io.millrace.jobs.evaluate.ifeval.Instructions;
import io.millrace.jobs.evaluate.python.PythonLiteral;
import io.millrace.jobs.evaluate.python.PythonRegex;
import io.millrace.jobs.evaluate.python.PythonText;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/// What a document's answers are worth, by the harness's definitions. A failed answer is wrong by every
/// measure, and stays counted.
final class Judge {
    private static final String PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

    private final Task task;
    private final @Nullable Instructions instructions;

    /// @param instructions of a task that asks to follow them, else null
    Judge(Task task, @Nullable Instructions instructions) {
        this.task = task;
        this.instructions = instructions;
    }

    /// The document's value by each of the task's metrics, in their order.
    ///
    /// @param filter what generated answers go through
    Map<String, Item> values(Map<String, @Nullable Object> document, List<Answer> answers, FilterPipeline filter) {
        if (answers.stream().anyMatch(Answer.Failed.class::isInstance)) {
            return wrong(document);
        }
        return switch (task.type()) {
            case MULTIPLE_CHOICE -> task.isTrueMass() ? trueMass(document, answers) : choice(document, answers);
            case GENERATE_UNTIL -> {
                String text = filter.judged(((Answer.Texts) answers.getFirst()).texts());
                yield instructions == null ? generated(document, text) : followed(document, instructions, text);
            }
            case LOGLIKELIHOOD -> {
                Answer.Score score = scores(answers).getFirst();
                yield named(name -> Item.of(name.equals(Metric.PERPLEXITY) ? score.logprob() : score.greedy() ? 1 : 0));
            }
            case LOGLIKELIHOOD_ROLLING ->
                rolling(document, scores(answers).getFirst().logprob());
        };
    }

    private Map<String, Item> wrong(Map<String, @Nullable Object> document) {
        return switch (task.type()) {
            case MULTIPLE_CHOICE -> named(_ -> Item.of(0));
            // nothing said, nothing followed
            case GENERATE_UNTIL -> instructions == null ? named(_ -> Item.of(0)) : followed(document, instructions, "");
            case LOGLIKELIHOOD -> named(name -> Item.of(name.equals(Metric.PERPLEXITY) ? Double.NEGATIVE_INFINITY : 0));
            case LOGLIKELIHOOD_ROLLING -> rolling(document, Double.NEGATIVE_INFINITY);
        };
    }

    private interface Value {
        Item of(String metric);
    }

    private Map<String, Item> named(Value value) {
        Map<String, Item> values = new LinkedHashMap<>();
        task.metrics().forEach(metric -> values.put(metric.name(), value.of(metric.name())));
        return values;
    }

    private static List<Answer.Score> scores(List<Answer> answers) {
        List<Answer.Score> scores = new ArrayList<>();
        answers.forEach(answer -> scores.addAll(((Answer.Scores) answer).scores()));
        return scores;
    }

    private Map<String, Item> rolling(Map<String, @Nullable Object> document, double logprob) {
        String text = PythonText.str(task.fields().target(document));
        double bytes = bytes(text);
        double words = PythonText.words(text);
        return named(name -> {
            double weight = name.equals(Metric.WORD_PERPLEXITY) ? words : bytes;
            return new Item(logprob, weight, List.of(logprob, (long) weight));
        });
    }

    private Map<String, Item> followed(
            Map<String, @Nullable Object> document, Instructions instructions, String answer) {
        Instructions.Followed followed = instructions.of(document).by(answer);
        return named(name -> switch (name) {
            case Metric.PROMPT_STRICT -> all(followed.strict());
            case Metric.INSTRUCTION_STRICT -> each(followed.strict());
            case Metric.PROMPT_LOOSE -> all(followed.loose());
            case Metric.INSTRUCTION_LOOSE -> each(followed.loose());
            default -> throw new IllegalStateException("refused when the task was read: " + name);
        });
    }

    private static Item all(List<Boolean> followed) {
        boolean all = !followed.contains(false);
        return new Item(all ? 1 : 0, 1, all);
    }

    private static Item each(List<Boolean> followed) {
        return new Item(Collections.frequency(followed, true), followed.size(), followed);
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    private Map<String, Item> choice(Map<String, @Nullable Object> document, List<Answer> answers) {
        List<String> choices = task.fields().choices(document);
        List<Answer.Score> scores = scores(answers);
        Gold gold = gold(document, choices);
        return named(name -> Item.of(
                switch (name) {
                    case Metric.ACC ->
                        gold.of(best(choices.size(), at -> scores.get(at).logprob()));
                    case Metric.ACC_NORM ->
                        gold.of(best(
                                choices.size(),
                                at -> scores.get(at).logprob()
                                        / choices.get(at)
                                                .codePointCount(
                                                        0, choices.get(at).length())));
                    case Metric.ACC_BYTES ->
                        gold.of(best(choices.size(), at -> scores.get(at).logprob() / bytes(choices.get(at))));
                    // the same continuations without a context follow behind
                    case Metric.ACC_MUTUAL_INFO ->
                        gold.of(best(
                                choices.size(),
                                at -> scores.get(at).logprob()
                                        - scores.get(choices.size() + at).logprob()));
                    case Metric.EXACT_MATCH ->
                        gold.places().stream()
                                        .anyMatch(
                                                at -> at >= 0 && scores.get(at).greedy())
                                ? 1
                                : 0;
                    default -> throw new IllegalStateException("refused when the task was read: " + name);
                }));
    }

    /// Of equals the first.
    private static int best(int choices, IntToDoubleFunction value) {
        int best = 0;
        for (int at = 1; at < choices; at++) {
            if (value.applyAsDouble(at) > value.applyAsDouble(best)) {
                best = at;
            }
        }
        return best;
    }

    /// Places of right choices; -1 for one that is not among the choices.
    private record Gold(List<Integer> places) {
        double of(int place) {
            return places.contains(place) ? 1 : 0;
        }
    }

    private Gold gold(Map<String, @Nullable Object> document, List<String> choices) {
        Object text = task.fields().text(document);
        Object target = text instanceof Long ? text : task.fields().target(document);
        List<Integer> places = new ArrayList<>();
        for (Object one : target instanceof List<?> list ? list : List.of(target)) {
            places.add(
                    switch (one) {
                        case Long place when place < 0 -> (int) (place + choices.size());
                        case Long place -> place < choices.size() ? Math.toIntExact(place) : -1;
                        case String choice -> choices.indexOf(choice);
                        default -> throw task.keys().wrong("doc_to_target", "a choice or its place", one);
                    });
        }
        return new Gold(places);
    }

    /// The share of the choices' probability that the ones labelled 1 have; labels are in the field
    /// `metadata.labels` names, one for each choice.
    private Map<String, Item> trueMass(Map<String, @Nullable Object> document, List<Answer> answers) {
        String template = task.keys().mapping("metadata").required("labels");
        Object labels = PythonLiteral.parse(task.fields().render("metadata.labels", template, document));
        List<Answer.Score> scores = scores(answers);
        if (!(labels instanceof List<?> list) || list.size() != scores.size()) {
            throw task.keys().wrong("metadata.labels", "one label for each choice", labels);
        }
        double all = 0;
        double right = 0;
        for (int at = 0; at < scores.size(); at++) {
            double probability = Math.exp(scores.get(at).logprob());
            all += probability;
            right += PythonText.areEqual(list.get(at), 1L) ? probability : 0;
        }
        double share = all == 0 ? 0 : right / all;
        return named(_ -> Item.of(share));
    }

    private Map<String, Item> generated(Map<String, @Nullable Object> document, String answer) {
        Object target = task.fields().target(document);
        if (task.fields().hasChoices() && target instanceof Long place) {
            target = task.fields().choices(document).get(Math.toIntExact(place));
        }
        List<String> golds = target instanceof List<?> list
                ? list.stream().map(PythonText::str).toList()
                : List.of(PythonText.str(target));
        Map<String, Item> values = new LinkedHashMap<>();
        for (Metric metric : task.metrics()) {
            String compared = compared(answer, metric.options());
            values.put(
                    metric.name(),
                    Item.of(
                            golds.stream()
                                            .anyMatch(gold -> compared(gold, metric.options())
                                                    .equals(compared))
                                    ? 1
                                    : 0));
        }
        return values;
    }

    /// What is left of a text to compare, after what the task wants to be ignored.
    static String compared(String text, Keys options) {
        String compared = text;
        for (String regex : options.texts("regexes_to_ignore")) {
            compared = PythonRegex.compile(regex).replaceAll(compared, "");
        }
        if (options.flag("ignore_case", false)) {
            compared = compared.toLowerCase(Locale.ROOT);
        }
        if (options.flag("ignore_punctuation", false)) {
            compared = without(compared, PUNCTUATION);
        }
        return options.flag("ignore_numbers", false) ? without(compared, "0123456789") : compared;
    }

    private static String without(String text, String characters) {
        StringBuilder kept = new StringBuilder();
        text.chars().filter(c -> characters.indexOf(c) < 0).forEach(c -> kept.append((char) c));
        return kept.toString();
    }
}
