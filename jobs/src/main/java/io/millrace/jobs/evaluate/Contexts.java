package io.millrace.jobs.evaluate;

import io.millrace.jobs.evaluate.python.PythonRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Writes what stands before the answers of a task's documents: its description, examples, the
/// question. The examples of a document depend on the documents before it, since all draw from one
/// stream of random numbers, as in the harness: they are the same examples for the same seed. To be
/// asked for each document once, in order.
final class Contexts {
    private final Task task;
    private final List<Map<String, @Nullable Object>> pool;
    private final PythonRandom random;
    private final @Nullable String system;

    /// @param pool documents to choose examples from
    /// @param system words before the task's own; null for none
    Contexts(Task task, List<Map<String, @Nullable Object>> pool, long seed, @Nullable String system) {
        this.task = task;
        this.pool = pool;
        this.random = new PythonRandom(seed);
        this.system = system;
    }

    /// One, or one for each choice of a task whose contexts are what is chosen among.
    List<List<Turn>> of(Map<String, @Nullable Object> document) {
        List<Turn> before = before(document);
        String prefix =
                task.genPrefix() == null ? null : task.fields().render("gen_prefix", task.genPrefix(), document);
        Object question = task.fields().text(document);
        List<List<Turn>> contexts = new ArrayList<>();
        if (question instanceof String text) {
            contexts.add(with(before, Turn.of(text, null, prefix, task.targetDelimiter(), "")));
        } else {
            for (String choice : task.fields().choices(document)) {
                contexts.add(with(before, Turn.of(choice, null, prefix, "", "")));
            }
        }
        return contexts;
    }

    private static List<Turn> with(List<Turn> before, List<Turn> question) {
        List<Turn> all = new ArrayList<>(before);
        all.addAll(question);
        return all;
    }

    private List<Turn> before(Map<String, @Nullable Object> document) {
        List<Turn> turns = new ArrayList<>();
        String template = task.keys().text("description", "");
        String description = template.isEmpty() ? "" : task.fields().render("description", template, document);
        String words = Turn.joined(system, description, task.fewShotDelimiter());
        if (!words.isEmpty()) {
            turns.add(new Turn("system", words, ""));
        }
        if (task.examples() > 0) {
            for (Map<String, @Nullable Object> example : examples(document)) {
                turns.addAll(example(example));
            }
        }
        return turns;
    }

    private List<Turn> example(Map<String, @Nullable Object> example) {
        Task.FewShot how = task.fewShot();
        Object question = how.fields().text(example);
        List<String> choices = how.fields().hasChoices() ? how.fields().choices(example) : List.of();
        Object answer = how.fields().target(example);
        String text = question instanceof Long place ? choices.get(Math.toIntExact(place)) : (String) question;
        // where contexts are chosen among, the target is the same text behind each
        boolean place = answer instanceof Long && !choices.isEmpty() && question instanceof String;
        String answered = place ? choices.get(Math.toIntExact((Long) answer)) : first(answer);
        String prefix = how.genPrefix() == null ? null : how.fields().render("gen_prefix", how.genPrefix(), example);
        return Turn.of(text, answered, prefix, how.targetDelimiter(), how.delimiter());
    }

    private String first(Object answer) {
        Object one = answer instanceof List<?> list && !list.isEmpty() ? list.getFirst() : answer;
        if (one instanceof String text) {
            return text;
        }
        throw task.keys().wrong("doc_to_target", "a text as an example's answer", one);
    }

    private List<Map<String, @Nullable Object>> examples(Map<String, @Nullable Object> document) {
        int count = task.examples();
        // both may be missing, which the harness takes for the same split too
        boolean without = Objects.equals(task.fewShot().split(), task.keys().text("test_split"));
        List<Map<String, @Nullable Object>> examples = task.fewShot().sampler().equals("first_n")
                ? first(document, count, without)
                : drawn(document, count, without);
        if (examples.size() < count) {
            throw task.keys().wrong("num_fewshot", "at most " + examples.size(), (long) count);
        }
        return examples;
    }

    private List<Map<String, @Nullable Object>> first(
            Map<String, @Nullable Object> document, int count, boolean without) {
        return pool.stream()
                .filter(other -> !without || !other.equals(document))
                .limit(count)
                .toList();
    }

    /// One more than is needed is drawn where the document may be among them.
    private List<Map<String, @Nullable Object>> drawn(
            Map<String, @Nullable Object> document, int count, boolean without) {
        if (!without) {
            return sample(pool, count);
        }
        List<Map<String, @Nullable Object>> examples = sample(pool, count + 1).stream()
                .filter(example -> !example.equals(document))
                .limit(count)
                .toList();
        return examples.size() == count
                ? examples
                : sample(pool.stream().filter(other -> !other.equals(document)).toList(), count);
    }

    private List<Map<String, @Nullable Object>> sample(List<Map<String, @Nullable Object>> from, int count) {
        if (count > from.size()) {
            throw task.keys()
                    .wrong("num_fewshot", "less than the " + pool.size() + " documents to choose from", (long) count);
        }
        return random.sample(from.size(), count).stream().map(from::get).toList();
    }
}
