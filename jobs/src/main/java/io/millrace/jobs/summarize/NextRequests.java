package io.millrace.jobs.summarize;

import io.millrace.jobs.summarize.Rounds.Answer;
import io.millrace.jobs.summarize.Rounds.Request;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import scala.jdk.javaapi.CollectionConverters;

/// Brings documents a round on: with the answers of the round before, or from where they begin.
final class NextRequests implements FlatMapFunction<Iterator<Row>, Row> {
    private static final long serialVersionUID = 1L;

    /// Of documents that have had a round: as {@link Progress} has it.
    static final String PROGRESS = "progress";
    /// Of documents that have had a round: array of {@link #ANSWER}.
    static final String ANSWERS = "answers";
    static final String READY = "ready";
    static final String REQUESTS = "requests";
    static final String PIECE = "piece";

    private static final StructType REQUEST = new StructType()
            .add(PIECE, DataTypes.IntegerType, false)
            .add("first_chunk", DataTypes.IntegerType, false)
            .add("last_chunk", DataTypes.IntegerType, false)
            .add(DocumentTable.TEXT, DataTypes.StringType, false)
            .add("prompt", DataTypes.StringType, false);

    /// What the rows are that come out.
    static final StructType SCHEMA = new StructType()
            .add(DocumentTable.DOCUMENT, DataTypes.LongType, false)
            .add("level", DataTypes.IntegerType, false)
            .add(READY, DataTypes.BooleanType, false)
            .add(PROGRESS, DataTypes.StringType, false)
            .add(REQUESTS, new ArrayType(REQUEST, false), false);

    private final DocumentRecipe recipe;

    NextRequests(DocumentRecipe recipe) {
        this.recipe = recipe;
    }

    /// @param rows the columns of {@link DocumentTable}, and of documents that have had a round the two
    ///     here
    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
        if (!rows.hasNext()) {
            return rows;
        }
        Rounds rounds = new Rounds(recipe.summarize(), recipe.prompts());
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return rows.hasNext();
            }

            @Override
            public Row next() {
                return next(rounds, rows.next());
            }

            private Row next(Rounds rounds, Row row) {
                Document document = DocumentTable.of(row);
                String before = row.getAs(PROGRESS);
                Progress progress = before == null
                        ? rounds.begin(document)
                        : rounds.answered(document, Progress.ofJson(before), answers(row));
                List<Row> requests = rounds.requests(document, progress).stream()
                        .map(NextRequests::row)
                        .toList();
                return RowFactory.create(
                        row.<Long>getAs(DocumentTable.DOCUMENT),
                        progress.level(),
                        progress.isReady(),
                        progress.toJson(),
                        CollectionConverters.asScala(requests).toSeq());
            }
        };
    }

    private static Row row(Request request) {
        return RowFactory.create(
                request.piece(), request.of().first(), request.of().last(), request.text(), request.prompt());
    }

    /// @param row with answers as structs of piece, text, code and message of the error
    private static Map<Integer, Answer> answers(Row row) {
        Map<Integer, Answer> answers = new HashMap<>();
        for (Row answer : row.<Row>getList(row.fieldIndex(ANSWERS))) {
            @Nullable String code = answer.getString(2);
            answers.put(
                    answer.getInt(0),
                    code == null
                            ? new Answer(answer.getString(1), null)
                            : new Answer(null, code + ": " + answer.getString(3)));
        }
        return answers;
    }
}
