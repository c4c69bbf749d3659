package io.millrace.jobs;

import io.millrace.udf.PromptRecipe;
import io.millrace.udf.PromptTemplate;
import io.millrace.udf.shard.CountRecords;
import io.millrace.udf.shard.InputBlock;
import io.millrace.udf.shard.InputFile;
import io.millrace.udf.shard.InputRecipe;
import io.millrace.udf.shard.ParquetFooter;
import io.millrace.udf.shard.RecordFormat;
import io.millrace.udf.shard.RecordNames;
import io.millrace.udf.shard.Shard;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;

/// Plans an input: which files, which blocks, how many rows. Parquet tells in its footers; files of lines
/// are cut into stretches, and their records counted once, by a pass that parses nothing. A plan made
/// before holds as long as the files are the same, so resuming opens none of them.
final class InputPlanner {
    /// Shards for each task that can run at once, so that little is lost when one dies.
    private static final int SHARDS_PER_SLOT = 8;
    private static final int MIN_SHARD_ROWS = 32;
    private static final int MAX_SHARD_ROWS = 1024;
    /// Bound of the files in the output and of tasks in the job; shards of larger inputs grow.
    private static final long MAX_SHARDS = 100_000;
    /// Footers read at once.
    private static final int READERS = 16;

    private final JavaSparkContext spark;
    private final JobConfig.Input input;
    private final List<String> templateColumns;
    private final boolean isJson;
    private final int shardRows;

    /// @param shardRows most rows of a shard, 0 for what suits the input
    InputPlanner(JavaSparkContext spark, JobConfig.Input input, PromptRecipe prompt, int shardRows) {
        this.spark = spark;
        this.input = input;
        this.shardRows = shardRows;
        templateColumns = PromptTemplate.parse(prompt.template()).columns();
        isJson = prompt.format().isJson();
    }

    /// Plans the input as it is now.
    ///
    /// @param earlier the plan of the run that is to go on; null if there is none
    /// @throws JobException if there are no such files, no such column, or no file system for a path
    InputPlan plan(@Nullable InputPlan earlier) {
        InputFiles found = InputFiles.find(input.paths(), spark.hadoopConfiguration());
        InputFormat format = input.format() == InputFormat.AUTO ? found.format() : input.format();
        RecordFormat records = format.records(input.wholeFiles(), input.multiLineCsv());
        String textColumn = textColumn(format);
        if (earlier != null && earlier.isOf(found.files(), records, textColumn, input.limit())) {
            return earlier;
        }
        List<PlannedFile> files = limited(
                records == RecordFormat.PARQUET
                        ? footers(found.files(), textColumn)
                        : counted(found.files(), records, textColumn));
        long rows = files.stream().mapToLong(PlannedFile::rows).sum();
        return new InputPlan(records, textColumn, input.limit(), rowsOfShards(rows, earlier), files);
    }

    /// How the planned files are read.
    InputRecipe recipe(InputPlan plan) {
        return recipe(plan.format(), plan.textColumn());
    }

    private InputRecipe recipe(RecordFormat format, String textColumn) {
        return new InputRecipe(
                format,
                textColumn,
                isJson,
                input.idColumn(),
                input.referenceColumn(),
                input.parametersColumn(),
                input.continuationsColumn(),
                input.faultColumn(),
                templateColumns);
    }

    private int rowsOfShards(long rows, @Nullable InputPlan earlier) {
        if (shardRows > 0) {
            return shardRows;
        }
        if (earlier != null) {
            // shards of files that did not change stay what they were
            return earlier.shardRows();
        }
        long slots = spark.defaultParallelism();
        long even = Math.clamp(Math.ceilDiv(rows, slots * SHARDS_PER_SLOT), MIN_SHARD_ROWS, MAX_SHARD_ROWS);
        return Math.toIntExact(Math.max(even, Math.ceilDiv(rows, MAX_SHARDS)));
    }

    private String textColumn(InputFormat format) {
        String given = input.textColumn();
        if (given == null && format != InputFormat.TEXT) {
            throw new JobException("input.text-column: expected the column that holds the text, got none");
        }
        return given == null ? RecordNames.TEXT_VALUE : given;
    }

    /// Row groups as the footers have them. Rows of a file without the columns become error rows,
    /// unless no file has them.
    private List<PlannedFile> footers(List<InputFile> files, String textColumn) {
        Configuration conf = spark.hadoopConfiguration();
        List<JobException> misfits = Collections.synchronizedList(new ArrayList<>());
        List<Callable<PlannedFile>> reads = new ArrayList<>();
        for (InputFile file : files) {
            reads.add(() -> rowGroups(file, textColumn, misfits, conf));
        }
        try (ExecutorService readers = Executors.newFixedThreadPool(READERS)) {
            List<PlannedFile> planned = new ArrayList<>();
            for (Future<PlannedFile> read : readers.invokeAll(reads)) {
                planned.add(read.get());
            }
            if (!misfits.isEmpty() && misfits.size() == files.size()) {
                throw misfits.getFirst();
            }
            return planned;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof JobException known ? known : new JobException("input: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new JobException("input: interrupted while planning", e);
        }
    }

    private PlannedFile rowGroups(InputFile file, String textColumn, List<JobException> misfits, Configuration conf) {
        try {
            ParquetFooter footer = ParquetFooter.read(
                    file, recipe(RecordFormat.PARQUET, textColumn).jsonColumns(), conf);
            JobException misfit = misfit(file, footer.names(), textColumn);
            if (misfit != null) {
                misfits.add(misfit);
            }
            return new PlannedFile(file, footer.blocks());
        } catch (IOException e) {
            throw new JobException("input " + file.name() + ": expected Parquet, got " + e.getMessage(), e);
        }
    }

    /// Stretches of lines and whole files, counted where the executors are.
    private List<PlannedFile> counted(List<InputFile> files, RecordFormat format, String textColumn) {
        checkHeader(files, format, textColumn);
        List<Shard> stretches = new ArrayList<>();
        CompressionCodecFactory codecs = new CompressionCodecFactory(spark.hadoopConfiguration());
        for (InputFile file : files) {
            boolean isCut = format.isLines() && codecs.getCodec(new Path(file.name())) == null;
            long step = isCut ? RecordFormat.SPLIT_BYTES : Math.max(1, file.bytes());
            // an empty file is an empty document, but holds no line
            long end = format == RecordFormat.TEXT_FILE ? Math.max(1, file.bytes()) : file.bytes();
            for (long start = 0; start < end; start += step) {
                int index = Math.toIntExact(start / step);
                stretches.add(new Shard(
                        stretches.size(), file, index, start, Math.min(step, file.bytes() - start), 0, mostRows()));
            }
        }
        List<Long> counts = count(stretches, format);
        List<PlannedFile> planned = new ArrayList<>();
        int at = 0;
        for (InputFile file : files) {
            List<InputBlock> blocks = new ArrayList<>();
            for (; at < stretches.size() && stretches.get(at).file().equals(file); at++) {
                Shard stretch = stretches.get(at);
                if (counts.get(at) > 0) {
                    blocks.add(new InputBlock(stretch.block(), stretch.start(), stretch.bytes(), counts.get(at)));
                }
            }
            planned.add(new PlannedFile(file, blocks));
        }
        return planned;
    }

    private int mostRows() {
        return input.limit() == 0 ? Integer.MAX_VALUE : (int) Math.min(input.limit(), Integer.MAX_VALUE);
    }

    private List<Long> count(List<Shard> stretches, RecordFormat format) {
        if (stretches.isEmpty()) {
            return List.of();
        }
        Broadcast<SerializableConfiguration> hadoop =
                spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        List<String> described = stretches.stream().map(Shard::toJson).toList();
        return spark.parallelize(described, described.size())
                .map(new CountRecords(format, hadoop))
                .collect();
    }

    /// What the first file says stands for all of them.
    private void checkHeader(List<InputFile> files, RecordFormat format, String textColumn) {
        if (files.isEmpty()) {
            return;
        }
        InputFile first = files.getFirst();
        try {
            RecordNames.of(format, first, spark.hadoopConfiguration())
                    .map(names -> misfit(first, names, textColumn))
                    .ifPresent(misfit -> {
                        throw misfit;
                    });
        } catch (IOException e) {
            throw new JobException("input " + first.name() + ": expected to be readable, got " + e.getMessage(), e);
        }
    }

    private @Nullable JobException misfit(InputFile file, List<String> existing, String textColumn) {
        List<String> missing = new ArrayList<>();
        for (String column : recipe(RecordFormat.PARQUET, textColumn).columns()) {
            if (!existing.contains(column)) {
                missing.add(column);
            }
        }
        return missing.isEmpty()
                ? null
                : new JobException("input " + file.name() + ": expected the columns " + missing + ", got " + existing);
    }

    /// The first rows, files in the order of their names.
    private List<PlannedFile> limited(List<PlannedFile> files) {
        long left = input.limit() == 0 ? Long.MAX_VALUE : input.limit();
        List<PlannedFile> taken = new ArrayList<>();
        for (PlannedFile file : files) {
            List<InputBlock> blocks = new ArrayList<>();
            for (InputBlock block : file.blocks()) {
                long rows = Math.min(left, block.rows());
                if (rows > 0) {
                    blocks.add(new InputBlock(block.index(), block.start(), block.bytes(), rows));
                }
                left -= rows;
            }
            taken.add(new PlannedFile(file.file(), blocks));
        }
        return taken;
    }
}
