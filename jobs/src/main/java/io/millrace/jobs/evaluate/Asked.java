package io.millrace.jobs.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.evaluate.ifeval.Instructions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// A task with its documents and what is asked about each.
///
/// @param total documents of the split, of which `documents` are the first
/// @param questions of each document in turn
/// @param instructions what says whether an answer follows the documents' instructions; null if they have none
record Asked(
        Task task,
        int total,
        List<Map<String, @Nullable Object>> documents,
        List<List<Question>> questions,
        @Nullable Instructions instructions) {
    static final String ID = "id";
    static final String PROMPT = "prompt";
    static final String CONTINUATIONS = "continuations";
    static final String PARAMETERS = "parameters";
    static final StructType SCHEMA = new StructType()
            .add(ID, DataTypes.StringType, false)
            .add(PROMPT, DataTypes.StringType, false)
            .add(CONTINUATIONS, DataTypes.StringType, true)
            .add(PARAMETERS, DataTypes.StringType, true);

    private static final ObjectMapper JSON = new ObjectMapper();

    /// @param limit most documents; 0 for all
    /// @param seed of the choice of examples
    /// @param system words before the task's own; null for none
    static Asked of(
            Task task, Documents documents, long limit, long seed, Question.Style style, @Nullable String system) {
        List<Map<String, @Nullable Object>> all = documents.of(task, task.split());
        List<Map<String, @Nullable Object>> kept =
                limit == 0 || limit >= all.size() ? all : all.subList(0, (int) limit);
        List<Map<String, @Nullable Object>> pool = List.of();
        if (task.examples() > 0) {
            List<Map<String, @Nullable Object>> own = task.fewShot().samples();
            pool = own == null || task.fewShot().split() != null ? documents.of(task, task.exampleSplit()) : own;
        }
        Instructions instructions = task.isInstructionFollowing() ? documents.instructions(task.keys()) : null;
        Contexts contexts = new Contexts(task, pool, seed, system);
        List<List<Question>> questions = new ArrayList<>();
        for (Map<String, @Nullable Object> document : kept) {
            try {
                questions.add(Question.of(task, document, contexts.of(document), style));
                if (instructions != null) {
                    instructions.check(document);
                }
            } catch (TaskException | IllegalArgumentException e) {
                throw new TaskException(
                        e.getMessage() + " (document " + questions.size() + ": " + Documents.shown(document) + ")", e);
            }
        }
        return new Asked(task, all.size(), kept, questions, instructions);
    }

    /// Answers asked for to a question: scores do not change when they are asked for again.
    int repeats(Question question) {
        return question.continuations() == null ? task.repeats() : 1;
    }

    String id(int document, int question, int repeat) {
        return task.name() + "/" + document + "/" + question + "/" + repeat;
    }

    /// Rows of {@link #SCHEMA}.
    List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        for (int document = 0; document < questions.size(); document++) {
            for (int index = 0; index < questions.get(document).size(); index++) {
                Question question = questions.get(document).get(index);
                for (int repeat = 0; repeat < repeats(question); repeat++) {
                    rows.add(RowFactory.create(
                            id(document, index, repeat),
                            question.prompt(),
                            question.continuations() == null ? null : json(question.continuations()),
                            question.parameters().isEmpty() ? null : json(question.parameters())));
                }
            }
        }
        return rows;
    }

    private static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("texts and numbers can be written", e);
        }
    }

    /// Each document's answers, of every document and question one for each repeat.
    ///
    /// @param byId an answer for each row that was answered
    List<List<Answer>> answers(Map<String, Answer> byId) {
        List<List<Answer>> answers = new ArrayList<>();
        for (int document = 0; document < questions.size(); document++) {
            List<Answer> own = new ArrayList<>();
            for (int index = 0; index < questions.get(document).size(); index++) {
                own.add(answer(byId, document, index));
            }
            answers.add(own);
        }
        return answers;
    }

    /// Texts of all repeats together; failed if one of them is.
    private Answer answer(Map<String, Answer> byId, int document, int index) {
        Question question = questions.get(document).get(index);
        List<String> texts = new ArrayList<>();
        for (int repeat = 0; repeat < repeats(question); repeat++) {
            Answer answer = byId.getOrDefault(id(document, index, repeat), new Answer.Failed("no row"));
            if (!(answer instanceof Answer.Texts(List<String> own))) {
                return answer;
            }
            texts.addAll(own);
        }
        return new Answer.Texts(texts);
    }

    /// Counts for the table: documents without an answer.
    static long failed(List<List<Answer>> answers) {
        return answers.stream()
                .filter(own -> own.stream().anyMatch(Answer.Failed.class::isInstance))
                .count();
    }
}
