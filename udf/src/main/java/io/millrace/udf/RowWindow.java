package io.millrace.udf;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Function;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/// Output rows of one partition, in input order, of which a bounded number is under way. Holds the
/// executor's engine until the task ends. Confined to the task's thread.
///
/// @param <P> a row under way
public abstract class RowWindow<P extends RowWindow.UnderWay> implements Iterator<Row> {
    /// How often a task that waits looks whether it was killed, in milliseconds.
    protected static final long KILL_CHECK_MILLIS = 100;

    /// A row under way.
    public interface UnderWay {
        /// What its output row is made with.
        CompletionRows rows();

        void cancel();
    }

    protected final ExecutorEngine.Lease lease;
    protected final PromptEngine engine;
    protected final TaskScope scope = TaskScope.ofThisThread();
    private final Iterator<Row> input;
    private final Function<RowIdentity, @Nullable GenerateRecipe> wanted;
    private final int samples;
    private final Deque<P> window = new ArrayDeque<>();

    /// @param recipe of the engine and of how many samples a row has
    /// @param wanted how a row is computed; null if it is not wanted
    protected RowWindow(
            GenerateRecipe recipe, Iterator<Row> input, Function<RowIdentity, @Nullable GenerateRecipe> wanted) {
        this.input = input;
        this.wanted = wanted;
        this.samples = recipe.sampling().samples();
        this.lease = ExecutorEngine.ofThisProcess().lease(recipe.engine());
        this.engine = lease.engine();
    }

    /// Gives everything up when the task ends, however it ends.
    ///
    /// @return this
    public final RowWindow<P> untilTaskEnds() {
        scope.onEnd(() -> {
            window.forEach(UnderWay::cancel);
            window.clear();
            lease.close();
        });
        return this;
    }

    @Override
    public final boolean hasNext() {
        return !window.isEmpty() || input.hasNext();
    }

    @Override
    public final Row next() {
        if (!hasNext()) {
            throw new NoSuchElementException("no more rows in this partition");
        }
        fill();
        await(window.getFirst());
        P pending = window.removeFirst();
        Row row = finish(pending);
        ExecutorEngine.ofThisProcess().finished(pending.rows().finished(row));
        return row;
    }

    /// Begins rows while there is room.
    protected final void fill() {
        while (hasRoom(Collections.unmodifiableCollection(window)) && input.hasNext()) {
            Row row = input.next();
            for (int sample = 0; sample < samples; sample++) {
                GenerateRecipe how = wanted.apply(RowIdentity.of(row, sample));
                if (how != null) {
                    window.addLast(begin(row, sample, how));
                }
            }
            scope.throwIfKilled();
        }
    }

    /// Whether one more input row may begin beside those under way.
    protected abstract boolean hasRoom(Collection<P> underWay);

    protected abstract P begin(Row row, int sample, GenerateRecipe how);

    /// Waits as long as other rows may begin before the first one ends.
    protected abstract void await(P first);

    /// The output row, for whose end it waits.
    protected abstract Row finish(P first);
}
