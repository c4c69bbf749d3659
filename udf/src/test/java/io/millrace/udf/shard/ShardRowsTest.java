package io.millrace.udf.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.udf.InputColumns;
import io.millrace.udf.RowIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShardRowsTest {
    private static final Configuration CONF = new Configuration();
    private static final InputRecipe RECIPE =
            new InputRecipe(RecordFormat.JSON_LINES, "text", null, "gold", List.of("lang", "text"));

    @TempDir
    private Path dir = Path.of("");

    private InputFile file = new InputFile("", 0, 0);

    @BeforeEach
    void input() throws IOException {
        Path path = Files.writeString(dir.resolve("in.jsonl"), """
                {"text": "zero"}
                {"text": "one", "gold": "g", "lang": "en"}
                broken
                """);
        file = new InputFile(
                "file:" + path,
                Files.size(path),
                Files.getLastModifiedTime(path).toMillis());
    }

    private Shard shard(long firstRow, int rows) {
        return new Shard(0, file, 0, 0, file.bytes(), firstRow, rows);
    }

    private static List<Row> read(Shard shard) {
        List<Row> found = new ArrayList<>();
        try (ShardRows rows = ShardRows.open(shard, RECIPE, CONF)) {
            rows.forEachRemaining(found::add);
        }
        return found;
    }

    @Test
    void next_hasPlaceAndTexts() {
        List<Row> rows = read(shard(1, 2));

        assertThat(rows).hasSize(2);
        Row one = rows.getFirst();
        assertThat(RowIdentity.of(one, 4)).isEqualTo(new RowIdentity(file.name(), file.version(), 0, 1, 4));
        assertThat(one.<String>getAs(InputColumns.CUSTOM_ID)).isNull();
        assertThat(one.<String>getAs(InputColumns.TEXT)).isEqualTo("one");
        assertThat(one.<String>getAs(InputColumns.REFERENCE)).isEqualTo("g");
        assertThat(one.<String>getAs(InputColumns.FAULT)).isNull();
        assertThat(one.<String>getAs("lang")).isEqualTo("en");
        assertThat(one.<String>getAs("text")).isEqualTo("one");
        assertThat(rows.getLast().<String>getAs(InputColumns.FAULT)).isEqualTo("MALFORMED_RECORD");
        assertThat(rows.getLast().<String>getAs(InputColumns.REASON)).contains("'broken'", "at character");
        assertThat(rows.getLast().<String>getAs(InputColumns.RAW)).isEqualTo("broken");
        assertThat(rows.getLast().<String>getAs(InputColumns.TEXT)).isNull();
    }

    @Test
    void next_fewerRowsThanPlanned_saysWhere() {
        assertThatThrownBy(() -> read(shard(1, 4)))
                .isInstanceOf(ShardException.class)
                .hasMessageEndingWith("in.jsonl, block 0, rows 1 to 4: expected 4 rows, got 2");
    }

    @Test
    void open_changedFile_isRefusedWithBoth() {
        Shard planned = new Shard(0, new InputFile(file.name(), 7, 8), 0, 0, 7, 0, 1);

        assertThatThrownBy(() -> read(planned))
                .isInstanceOf(ShardException.class)
                .hasMessageContaining("expected the file as planned (7@8: bytes@modified), got " + file.version());
    }
}
