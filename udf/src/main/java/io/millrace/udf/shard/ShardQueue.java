package io.millrace.udf.shard;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Predicate;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/// The rows of several shards one after the other, each opened when it is its turn, so that requests of the
/// next are under way while the last ones of a shard are awaited. Confined to one thread.
final class ShardQueue implements Iterator<Row>, AutoCloseable {
    private final Iterator<Shard> shards;
    private final Predicate<Shard> isDone;
    private final InputRecipe recipe;
    private final Configuration conf;
    private final Deque<Shard> opened = new ArrayDeque<>();
    private @Nullable ShardRows rows;

    /// @param isDone asked when it is a shard's turn; one that is done is passed over
    ShardQueue(Iterator<Shard> shards, Predicate<Shard> isDone, InputRecipe recipe, Configuration conf) {
        this.shards = shards;
        this.isDone = isDone;
        this.recipe = recipe;
        this.conf = conf;
    }

    /// The first of the shards that were opened and not asked for yet.
    Shard nextOpened() {
        return opened.removeFirst();
    }

    @Override
    public boolean hasNext() {
        while (rows == null || !rows.hasNext()) {
            close();
            if (!shards.hasNext()) {
                return false;
            }
            Shard shard = shards.next();
            if (!isDone.test(shard)) {
                rows = ShardRows.open(shard, recipe, conf);
                opened.addLast(shard);
            }
        }
        return true;
    }

    @Override
    public Row next() {
        if (!hasNext() || rows == null) {
            throw new NoSuchElementException("no more rows in these shards");
        }
        return rows.next();
    }

    @Override
    public void close() {
        if (rows != null) {
            rows.close();
            rows = null;
        }
    }
}
