package io.millrace.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class BytePairMergerTest {

    @Test
    void heapAndScan_agree() {
        Random random = new Random(11);
        for (int round = 0; round < 3000; round++) {
            BytePairMerger merger = new BytePairMerger(randomMerges(random));
            int[] symbols = random.ints(random.nextInt(80), 0, 4).toArray();
            assertThat(merger.mergeByHeap(symbols.clone())).isEqualTo(merger.mergeByScan(symbols.clone()));
        }
    }

    /// Merges over a small alphabet, so that symbols meet again and again; among them some that give the
    /// same symbol.
    private static MergeTable randomMerges(Random random) {
        int count = 1 + random.nextInt(12);
        MergeTable merges = new MergeTable(count);
        for (int rank = 0; rank < count; rank++) {
            merges.put(random.nextInt(4 + rank), random.nextInt(4 + rank), rank, 4 + rank - random.nextInt(2));
        }
        return merges;
    }

    @Test
    void merge_takesTheLowestRankFirst_andOfEqualRanksTheLeftmost() {
        MergeTable merges = new MergeTable(2);
        merges.put(1, 2, 0, 12);
        merges.put(0, 1, 1, 10);
        assertThat(new BytePairMerger(merges).merge(new int[] {0, 1, 2})).containsExactly(0, 12);
        MergeTable pairs = new MergeTable(1);
        pairs.put(1, 1, 0, 2);
        assertThat(new BytePairMerger(pairs).merge(new int[] {1, 1, 1})).containsExactly(2, 1);
    }

    @Test
    void merge_ofNothing_isNothing() {
        BytePairMerger merger = new BytePairMerger(new MergeTable(0));
        assertThat(merger.merge(new int[0])).isEmpty();
        assertThat(merger.mergeByHeap(new int[0])).isEmpty();
        assertThat(merger.mergeByHeap(new int[] {7})).containsExactly(7);
    }
}
