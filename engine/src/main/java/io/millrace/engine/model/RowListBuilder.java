package io.millrace.engine.model;

import io.millrace.engine.kernel.Kernels.RowLists;
import io.millrace.engine.tensor.Floats;
import java.util.Arrays;

/// Collects the rows each query may see.
final class RowListBuilder {
    private final int[] start;
    private Floats[] pages = new Floats[256];
    private int[] offsets = new int[256];
    private int size;
    private int row;

    RowListBuilder(int rows) {
        start = new int[rows + 1];
    }

    void add(Floats page, int offset) {
        if (size == offsets.length) {
            pages = Arrays.copyOf(pages, 2 * size);
            offsets = Arrays.copyOf(offsets, 2 * size);
        }
        pages[size] = page;
        offsets[size] = offset;
        size++;
    }

    void endRow() {
        row++;
        start[row] = size;
    }

    RowLists build() {
        return new RowLists(start, pages, offsets);
    }
}
