package io.millrace.jobs;

import io.millrace.udf.shard.Shard;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.LongStream;

/// Which shards of a plan are committed, as the names in the output directory tell: a shard's file is there
/// exactly when the shard is done. Keeps a bit for each shard and nothing for a row.
final class RunLedger {
    private final CompletionSink sink;
    private final InputPlan plan;
    private final String fingerprint;
    private final BitSet committed = new BitSet();
    private int shards;
    private long committedRows;
    private int strays;

    private RunLedger(CompletionSink sink, InputPlan plan, String fingerprint) {
        this.sink = sink;
        this.plan = plan;
        this.fingerprint = fingerprint;
    }

    static RunLedger read(CompletionSink sink, InputPlan plan, String fingerprint) {
        RunLedger ledger = new RunLedger(sink, plan, fingerprint);
        ledger.read();
        return ledger;
    }

    private void read() {
        LongStream.Builder names = LongStream.builder();
        sink.forEachPart(name -> {
            strays++;
            Shard.idOfName(name).ifPresent(names::add);
        });
        long[] found = names.build().sorted().toArray();
        plan.forEachShard(shard -> {
            shards++;
            if (Arrays.binarySearch(found, shard.id(fingerprint)) >= 0) {
                committed.set(shard.number());
                committedRows += shard.rows();
                strays--;
            }
        });
    }

    int shards() {
        return shards;
    }

    int committed() {
        return committed.cardinality();
    }

    boolean isCommitted(Shard shard) {
        return committed.get(shard.number());
    }

    /// Input rows of the committed shards.
    long committedRows() {
        return committedRows;
    }

    /// Files that look like shards and are none of the plan.
    int strays() {
        return strays;
    }

    /// Deletes the files that are no shards of the plan.
    void deleteStrays() {
        if (strays > 0) {
            forEachStray(sink::delete);
            strays = 0;
        }
    }

    /// Names of some files that are no shards of the plan.
    List<String> someStrays() {
        List<String> names = new ArrayList<>();
        forEachStray(name -> {
            if (names.size() < 3) {
                names.add(name);
            }
        });
        return names;
    }

    private void forEachStray(Consumer<String> consumer) {
        LongStream.Builder planned = LongStream.builder();
        plan.forEachShard(shard -> planned.add(shard.id(fingerprint)));
        long[] ids = planned.build().sorted().toArray();
        sink.forEachPart(name -> {
            boolean ours = Shard.idOfName(name).stream().anyMatch(id -> Arrays.binarySearch(ids, id) >= 0);
            if (!ours) {
                consumer.accept(name);
            }
        });
    }

    /// The shards that are not committed, as they travel.
    List<String> pending() {
        List<String> pending = new ArrayList<>(shards - committed());
        plan.forEachShard(shard -> {
            if (!committed.get(shard.number())) {
                pending.add(shard.toJson());
            }
        });
        return pending;
    }
}
