package io.millrace.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.udf.shard.InputBlock;
import io.millrace.udf.shard.InputFile;
import io.millrace.udf.shard.RecordFormat;
import io.millrace.udf.shard.Shard;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class InputPlanTest {
    private static final InputFile A = new InputFile("file:/a", 100, 1);
    private static final InputFile B = new InputFile("file:/b", 0, 2);
    private static final InputFile C = new InputFile("file:/c", 300, 3);
    private static final InputPlan PLAN = new InputPlan(
            RecordFormat.PARQUET,
            "text",
            0,
            10,
            List.of(
                    new PlannedFile(A, List.of(new InputBlock(0, 4, 50, 25), new InputBlock(2, 54, 46, 10))),
                    new PlannedFile(B, List.of()),
                    new PlannedFile(C, List.of(new InputBlock(0, 4, 296, 1)))));

    private static List<Shard> shards() {
        List<Shard> shards = new ArrayList<>();
        PLAN.forEachShard(shards::add);
        return shards;
    }

    @Test
    void forEachShard_everyRowIsInOne() {
        assertThat(shards())
                .containsExactly(
                        new Shard(0, A, 0, 4, 50, 0, 10),
                        new Shard(1, A, 0, 4, 50, 10, 10),
                        new Shard(2, A, 0, 4, 50, 20, 5),
                        new Shard(3, A, 2, 54, 46, 0, 10),
                        new Shard(4, C, 0, 4, 296, 0, 1));
    }

    @Test
    void rows_byFile_leaveOutFilesWithoutRows() {
        assertThat(PLAN.rows()).isEqualTo(36);
        assertThat(PLAN.rowsByFile()).isEqualTo(Map.of("file:/a", 35L, "file:/c", 1L));
    }

    @Test
    void isOf_otherFilesFormatColumnOrLimit_isAnotherPlan() {
        List<InputFile> files = List.of(A, B, C);

        assertThat(PLAN.isOf(files, RecordFormat.PARQUET, "text", 0)).isTrue();
        assertThat(PLAN.isOf(List.of(A, C), RecordFormat.PARQUET, "text", 0)).isFalse();
        assertThat(PLAN.isOf(List.of(A, B, new InputFile("file:/c", 300, 4)), RecordFormat.PARQUET, "text", 0))
                .isFalse();
        assertThat(PLAN.isOf(files, RecordFormat.CSV, "text", 0)).isFalse();
        assertThat(PLAN.isOf(files, RecordFormat.PARQUET, "body", 0)).isFalse();
        assertThat(PLAN.isOf(files, RecordFormat.PARQUET, "text", 5)).isFalse();
    }

    @Test
    void json_readBack_isTheSamePlan() throws JsonProcessingException {
        ObjectMapper json = new ObjectMapper();

        assertThat(json.readValue(json.writeValueAsString(PLAN), InputPlan.class))
                .isEqualTo(PLAN);
    }
}
