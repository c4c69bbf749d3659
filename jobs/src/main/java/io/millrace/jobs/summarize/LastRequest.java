package io.millrace.jobs.summarize;

import io.millrace.udf.CarriedFault;
import io.millrace.udf.RawText;
import io.millrace.udf.RowFault;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// The last request of a document, as a row; with its chunks, for the table of provenance.
final class LastRequest {
    static final String PROMPT = "prompt";
    /// JSON array of {@link Source}.
    static final String CHUNKS = "chunks";
    /// JSON array of texts.
    static final String LEFT_OUT = "left_out";

    static final StructType SCHEMA = new StructType()
            .add(DocumentTable.DOCUMENT, DataTypes.LongType, false)
            .add(DocumentTable.CUSTOM_ID, DataTypes.StringType, true)
            .add(DocumentTable.TEXT, DataTypes.StringType, true)
            .add(DocumentTable.REFERENCE, DataTypes.StringType, true)
            .add(DocumentTable.FAULT, DataTypes.StringType, true)
            .add(PROMPT, DataTypes.StringType, true)
            .add(CHUNKS, DataTypes.StringType, false)
            .add(LEFT_OUT, DataTypes.StringType, false);

    private LastRequest() {}

    /// A chunk with its own summary.
    ///
    /// @param start first UTF-16 unit in the document
    /// @param summary null where none was asked for, or none was given
    record Source(int start, int end, @Nullable String summary) {}

    /// @param row of a document that is ready
    static Row of(Row row) {
        Document document = DocumentTable.of(row);
        Progress progress = Progress.ofJson(row.getAs(NextRequests.PROGRESS));
        String fault = row.getAs(DocumentTable.FAULT);
        String text = document.text();
        if (fault == null && progress.failure() != null) {
            fault = new CarriedFault(RowFault.EARLIER_STAGE, progress.failure(), text == null ? null : RawText.of(text))
                    .toJson();
        }
        List<Source> sources = new ArrayList<>();
        for (int chunk = 0; chunk < document.chunks().size(); chunk++) {
            Chunk at = document.chunks().get(chunk);
            sources.add(new Source(at.start(), at.end(), progress.ofChunks().get(chunk)));
        }
        return RowFactory.create(
                row.<Long>getAs(DocumentTable.DOCUMENT),
                row.getAs(DocumentTable.CUSTOM_ID),
                text,
                row.getAs(DocumentTable.REFERENCE),
                fault,
                progress.prompt(),
                DocumentTable.json(sources),
                DocumentTable.json(progress.leftOut()));
    }
}
