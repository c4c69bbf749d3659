package io.millrace.engine.kernel;

import io.millrace.engine.kernel.Kernels.PooledSpan;
import io.millrace.engine.tensor.Floats;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Where the keys of a block of queries lie: the window, oldest first, then pooled rows in order. Places
/// may be empty, so that a key's place is that of its position modulo something. Confined to one worker.
final class KeyList {
    private @Nullable Floats[] pages = new Floats[256];
    private int[] offsets = new int[256];
    private int size;
    private int origin;
    private int firstPooled;

    /// All keys that any row of the block sees. The first place's position, the place of the first pooled
    /// row and the size are multiples of `align`.
    ///
    /// @param keyValue the step's own keys [rows, dim]
    void of(QueryBlock block, Floats keyValue, int dim, int align) {
        clear();
        int start = block.span().pooled().startPosition();
        int oldest = block.oldest(0);
        origin = oldest / align * align;
        skipTo(oldest - origin);
        for (int p = oldest; p < start; p++) {
            add(block.span().window(), p % block.span().size() * dim);
        }
        // the step's own rows are read where they were computed: the window may be shorter than the span
        for (int p = Math.max(oldest, start); p <= block.position(block.rows() - 1); p++) {
            add(keyValue, (block.span().pooled().firstRow() + p - start) * dim);
        }
        align(align);
        firstPooled = size;
        addPooled(block, dim);
        align(align);
    }

    private void addPooled(QueryBlock block, int dim) {
        List<Floats> from = block.span().pooled().pages();
        int count = block.pooled(block.rows() - 1);
        for (int j = 0; j < count; j++) {
            add(from, block.chosen() == null ? j : block.chosen()[j], dim);
        }
    }

    /// The first `count` pooled rows of a span.
    void pooled(PooledSpan span, int count, int dim) {
        clear();
        for (int j = 0; j < count; j++) {
            add(span.pages(), j, dim);
        }
    }

    private void clear() {
        Arrays.fill(pages, 0, size, null);
        size = 0;
    }

    private void add(List<Floats> from, int row, int dim) {
        int pageRows = from.getFirst().size() / dim;
        add(from.get(row / pageRows), row % pageRows * dim);
    }

    private void add(Floats page, int offset) {
        grow(size + 1);
        pages[size] = page;
        offsets[size] = offset;
        size++;
    }

    private void align(int align) {
        skipTo(Math.ceilDiv(size, align) * align);
    }

    private void skipTo(int place) {
        grow(place);
        size = place;
    }

    private void grow(int wanted) {
        if (wanted > offsets.length) {
            pages = Arrays.copyOf(pages, Math.max(wanted, 2 * offsets.length));
            offsets = Arrays.copyOf(offsets, pages.length);
        }
    }

    /// Places.
    int size() {
        return size;
    }

    /// The place of the first pooled row.
    int firstPooled() {
        return firstPooled;
    }

    /// The place of a position of the window.
    int place(int position) {
        return position - origin;
    }

    boolean isEmpty(int place) {
        return pages[place] == null;
    }

    /// Where a key lies.
    Floats page(int place) {
        Floats page = pages[place];
        if (page == null) {
            throw new IllegalStateException("place " + place + " of " + size + " holds no key");
        }
        return page;
    }

    /// Where in its page a key begins, in floats.
    int offset(int place) {
        return offsets[place];
    }
}
