package io.millrace.jobs.swebench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.millrace.jobs.JobException;
import io.millrace.udf.shard.WholeFiles;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;

/// Results of a run, laid out as the official harness does:
/// `logs/run_evaluation/RUN/MODEL/INSTANCE/{report.json, test_output.txt, run_instance.log, eval.sh,
/// patch.diff}`, and our own `grade.json` beside them.
///
/// An instance's folder is there whole or not at all: it is written under another name and renamed.
/// What has a folder is graded.
final class GradeStore {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    private static final String GRADE = "grade.json";
    private static final String STAGING = ".staging";

    private final WholeFiles files;
    private final Path output;
    private final Path run;

    /// @param output directory of the results, on any file system Hadoop knows
    GradeStore(String output, String runId, Configuration conf) throws IOException {
        this.output = new Path(output);
        this.files = WholeFiles.on(this.output, conf);
        this.run = new Path(this.output, "logs/run_evaluation/" + runId);
    }

    private FileSystem fileSystem() {
        return files.fileSystem();
    }

    private Path folder(Prediction prediction) {
        return new Path(new Path(run, prediction.modelFolder()), prediction.instanceId());
    }

    /// Clears what attempts that died left half written. No attempt may be under way.
    void prepare() throws IOException {
        fileSystem().delete(staging(), true);
        fileSystem().mkdirs(staging());
    }

    private Path staging() {
        return new Path(run, STAGING);
    }

    /// Puts an instance's folder in its place, instead of one that may be there.
    void commit(Prediction prediction, Evaluation.Result result) throws IOException {
        Path written = new Path(staging(), prediction.instanceId() + "." + UUID.randomUUID());
        fileSystem().mkdirs(written);
        for (Map.Entry<String, String> file : result.files().entrySet()) {
            write(written, file.getKey(), file.getValue());
        }
        if (result.report() != null) {
            write(written, "report.json", JSON.writeValueAsString(result.report()) + "\n");
        }
        write(written, GRADE, JSON.writeValueAsString(result.grade()) + "\n");
        Path target = folder(prediction);
        fileSystem().mkdirs(target.getParent());
        fileSystem().delete(target, true);
        if (!fileSystem().rename(written, target)) {
            throw new IOException(written + " could not be renamed to " + target);
        }
    }

    private void write(Path folder, String name, String text) throws IOException {
        files.write(folder, new Path(folder, name), out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    /// The grade of a prediction; null if it has none.
    @Nullable
    Grade read(Prediction prediction) {
        Path file = new Path(folder(prediction), GRADE);
        try (InputStream in = fileSystem().open(file)) {
            return JSON.readValue(in, Grade.class);
        } catch (FileNotFoundException _) {
            return null;
        } catch (IOException e) {
            throw new JobException(file + ": expected a grade, got " + e.getMessage(), e);
        }
    }

    /// Writes a file of the run as a whole.
    Path put(String name, JsonNode content) throws IOException {
        return put(name, JSON.writeValueAsString(content) + "\n");
    }

    Path put(String name, String text) throws IOException {
        Path target = new Path(output, name);
        files.write(staging(), target, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
        return target;
    }

    /// After the last file: nothing is left to be cleared.
    void finish() throws IOException {
        for (FileStatus left : fileSystem().listStatus(staging())) {
            fileSystem().delete(left.getPath(), true);
        }
        fileSystem().delete(staging(), true);
    }
}
