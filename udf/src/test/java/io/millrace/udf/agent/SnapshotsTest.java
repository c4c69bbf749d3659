package io.millrace.udf.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.udf.agent.Changes.Kind;
import io.millrace.udf.sandbox.Leftovers;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotsTest {
    @TempDir
    private Path dir = Path.of("");

    private final Map<String, byte[]> archives = new HashMap<>();
    private Path original = dir;
    private Path copy = dir;

    @BeforeEach
    void setUp() throws IOException {
        original = Files.createDirectory(dir.resolve("original"));
        copy = Files.createDirectory(dir.resolve("copy"));
        for (Path root : List.of(original, copy)) {
            Files.writeString(root.resolve("kept"), "kept");
            Files.writeString(root.resolve("changed"), "before");
            Files.writeString(root.resolve("gone"), "gone");
            Files.createDirectories(root.resolve("tree/of/directories"));
            Files.writeString(root.resolve("tree/of/file"), "x");
            for (String file : List.of("kept", "changed", "gone", "tree/of/file")) {
                Files.setLastModifiedTime(root.resolve(file), FileTime.fromMillis(1234));
            }
        }
    }

    private String keep(Snapshots.Archive.Writer writer) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        writer.writeTo(out);
        String name = "archive " + archives.size();
        archives.put(name, out.toByteArray());
        return name;
    }

    private void apply(Changes changes) throws IOException {
        Snapshots.apply(copy, changes, name -> new ByteArrayInputStream(Objects.requireNonNull(archives.get(name))));
    }

    /// Path to kind, permissions, time, link and contents.
    private static Map<String, String> state(Path root) throws IOException {
        Map<String, String> state = new TreeMap<>();
        for (Map.Entry<String, Listing.Found> found : Listing.of(root).found().entrySet()) {
            Changes.Entry entry = found.getValue().entry();
            Path path = root.resolve(Listing.path(found.getKey()));
            state.put(
                    found.getKey(),
                    entry.kind() + " " + entry.mode() + " " + entry.link() + " "
                            + (entry.kind() == Kind.FILE ? Files.readString(path) : "") + " " + entry.modified());
        }
        return state;
    }

    /// File systems' clocks tick.
    private static void tick() {
        LockSupport.parkNanos(Duration.ofMillis(30).toNanos());
    }

    @Test
    void apply_everyKindOfChange_makesTheSameDirectory() throws IOException {
        Snapshots snapshots = new Snapshots(original);
        tick();
        Files.writeString(original.resolve("changed"), "after!");
        Files.delete(original.resolve("gone"));
        Files.writeString(original.resolve("näme with space%41"), "new");
        Files.setPosixFilePermissions(original.resolve("kept"), Listing.permissions(0750));
        Leftovers.delete(original.resolve("tree/of"));
        Files.writeString(original.resolve("tree/of"), "a file where a directory was");
        Files.createDirectories(original.resolve("empty/in/empty"));
        Files.createSymbolicLink(original.resolve("link"), Path.of("tree/../kept"));
        Files.createSymbolicLink(original.resolve("abroad"), Path.of("/etc/passwd"));
        Files.writeString(original.resolve("locked"), "secret");
        Files.setPosixFilePermissions(original.resolve("locked"), Listing.permissions(0));

        Changes changes = snapshots.take(this::keep);
        apply(changes);

        assertThat(changes.files()).containsKeys("changed", "kept", "tree/of", "empty/in/empty", "link", "locked");
        assertThat(changes.gone()).contains("gone", "tree/of/file", "tree/of/directories");
        Map<String, String> expected = state(original);
        assertThat(state(copy)).isEqualTo(expected).hasSize(11);
        assertThat(snapshots.take(this::keep)).isEqualTo(Changes.NONE);
    }

    @Test
    void take_sameLengthAndTimeSetBack_isSeen() throws IOException {
        Path file = original.resolve("changed");
        FileTime before = Files.getLastModifiedTime(file);
        Snapshots snapshots = new Snapshots(original);
        tick();
        Files.writeString(file, "BEFORE");
        Files.setLastModifiedTime(file, before);

        Changes changes = snapshots.take(this::keep);

        assertThat(changes.files()).containsOnlyKeys("changed");
        apply(changes);
        assertThat(copy.resolve("changed")).hasContent("BEFORE");
        assertThat(Files.getLastModifiedTime(copy.resolve("changed"))).isEqualTo(before);
    }

    @Test
    void apply_oneAfterTheOther_endsWhereTheOriginalDoes() throws IOException {
        Snapshots snapshots = new Snapshots(original);
        List<Changes> all = new ArrayList<>();
        for (int step = 0; step < 5; step++) {
            tick();
            Files.writeString(original.resolve("changed"), "step " + step);
            Files.writeString(original.resolve("file " + step), "");
            if (step > 1) {
                Files.delete(original.resolve("file " + (step - 2)));
            }
            all.add(snapshots.take(this::keep));
        }

        for (Changes changes : all) {
            apply(changes);
        }

        assertThat(state(copy)).isEqualTo(state(original));
        assertThat(all.getLast().files()).containsOnlyKeys("changed", "file%204");
    }
}
