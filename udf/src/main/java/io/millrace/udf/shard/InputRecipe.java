package io.millrace.udf.shard;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What of an input record becomes a row of the shape of {@link io.millrace.udf.InputColumns}.
///
/// @param idColumn column of the caller's keys, or null
/// @param referenceColumn column of reference texts, or null
/// @param parametersColumn column of each row's own parameters, or null
/// @param continuationsColumn column of the continuations to score, or null
/// @param templateColumns further columns the prompt's template names
public record InputRecipe(
        RecordFormat format,
        String textColumn,
        @Nullable String idColumn,
        @Nullable String referenceColumn,
        @Nullable String parametersColumn,
        @Nullable String continuationsColumn,
        List<String> templateColumns)
        implements Serializable {

    /// Of rows that are all completed alike.
    public InputRecipe(
            RecordFormat format,
            String textColumn,
            @Nullable String idColumn,
            @Nullable String referenceColumn,
            List<String> templateColumns) {
        this(format, textColumn, idColumn, referenceColumn, null, null, templateColumns);
    }

    public InputRecipe {
        templateColumns = List.copyOf(templateColumns);
    }

    /// Every column that is read, each once, the text's first.
    public List<String> columns() {
        Set<String> columns = new LinkedHashSet<>();
        columns.add(textColumn);
        for (String column : new @Nullable String[] {idColumn, referenceColumn, parametersColumn, continuationsColumn}) {
            if (column != null) {
                columns.add(column);
            }
        }
        columns.addAll(templateColumns);
        return new ArrayList<>(columns);
    }
}
