package io.millrace.jobs.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.api.TokenIds;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SharedPrefixesTest {

    private static EncodedRow row(int samples, int... ids) {
        return new EncodedRow("", null, null, false, ids.length, true, samples, 8, 0, -1, TokenIds.of(ids), null);
    }

    private static int[] run(int first, int count, int... more) {
        return IntStream.concat(IntStream.range(first, first + count), IntStream.of(more))
                .toArray();
    }

    @Test
    void commonHeader_isComputedOnce() {
        SharedPrefixes prefixes = SharedPrefixes.of(
                List.of(row(1, run(0, 40, 900, 1)), row(1, run(0, 40, 901, 1)), row(1, run(0, 40, 902, 1))));
        assertThat(prefixes).isEqualTo(new SharedPrefixes(126, 80));
    }

    @Test
    void lastToken_isComputedByEachRow() {
        SharedPrefixes prefixes = SharedPrefixes.of(List.of(row(1, run(0, 40)), row(1, run(0, 40))));
        assertThat(prefixes.shared()).isEqualTo(39);
    }

    @Test
    void shortBeginnings_areNotShared() {
        assertThat(SharedPrefixes.of(List.of(row(1, run(0, 15, 7, 7, 7)), row(1, run(0, 15, 8, 8, 8))))
                        .shared())
                .isZero();
    }

    @Test
    void samples_shareTheWholePrompt() {
        assertThat(SharedPrefixes.of(List.of(row(3, run(0, 40))))).isEqualTo(new SharedPrefixes(120, 78));
    }

    /// The slow twin keeps every beginning that any row has.
    @Test
    void randomPrompts_asABeginningsSetCounts() {
        Random random = new Random(3);
        List<EncodedRow> rows = new ArrayList<>();
        Set<List<Integer>> beginnings = new HashSet<>();
        long tokens = 0;
        for (int at = 0; at < 60; at++) {
            // one of four headers of 16 tokens or more, then tokens of two kinds
            int[] ids = IntStream.concat(
                            IntStream.generate(() -> 5).limit(16 + random.nextInt(4)),
                            random.ints(1 + random.nextInt(12), 0, 2))
                    .toArray();
            rows.add(row(1, ids));
            for (int end = 1; end < ids.length; end++) {
                beginnings.add(IntStream.range(0, end).mapToObj(i -> ids[i]).toList());
            }
            tokens += ids.length - 1;
        }
        assertThat(SharedPrefixes.of(rows).shared()).isEqualTo(tokens - beginnings.size());
    }
}
