package io.millrace.jobs.swebench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/// An instance as a row to be completed: `instance_id`, `prompt`, and `problem`, which says why there
/// is no prompt where there is none. Such a row is answered by an error, and counts.
///
/// @param repositories folder of clones
record PromptFunction(String repositories, PromptContext context) implements Function<String, Row> {
    private static final long serialVersionUID = 1L;

    static final String INSTANCE_ID = "instance_id";
    static final String PROMPT = "prompt";
    static final StructType SCHEMA = new StructType()
            .add(INSTANCE_ID, DataTypes.StringType, false)
            .add(PROMPT, DataTypes.StringType, true)
            .add("problem", DataTypes.StringType, true);

    private static final ObjectMapper JSON = new ObjectMapper();

    static String json(Instance instance) {
        try {
            return JSON.writeValueAsString(instance);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a record of texts is JSON", e);
        }
    }

    /// @param json an {@link Instance}
    @Override
    public Row call(String json) throws IOException, InterruptedException {
        Instance instance = JSON.readValue(json, Instance.class);
        try (SourceTree tree = SourceTree.open(Path.of(repositories), instance)) {
            return RowFactory.create(instance.id(), PatchPrompt.of(instance, tree, context), null);
        } catch (EnvironmentFault e) {
            return RowFactory.create(instance.id(), null, e.reason() + ": " + e.getMessage());
        }
    }
}
