package io.millrace.jobs.swebench;

import io.millrace.udf.sandbox.Leftovers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// The files of a repository at an instance's base commit, to be read and not to be run.
final class SourceTree implements AutoCloseable {
    private static final Pattern WORD = Pattern.compile("[^a-z]+");
    private static final List<String> TEST_WORDS = List.of("test", "tests", "testing", "e2e");
    private static final List<String> SOURCES = List.of(
            ".c", ".cc", ".cpp", ".go", ".h", ".hpp", ".java", ".js", ".jsx", ".php", ".py", ".rb", ".rs", ".ts",
            ".tsx");

    private final Path dir;

    private SourceTree(Path dir) {
        this.dir = dir;
    }

    /// Checks out in a new temporary folder.
    ///
    /// @param repositories folder of clones
    static SourceTree open(Path repositories, Instance instance)
            throws IOException, InterruptedException, EnvironmentFault {
        Path objects = Checkout.objects(repositories, instance);
        Path dir = Files.createTempDirectory("millrace-source");
        try {
            git(dir, "init", "-q");
            Files.writeString(dir.resolve(".git/objects/info/alternates"), objects + "\n");
            git(dir, "checkout", "-q", "--detach", instance.baseCommit());
            return new SourceTree(dir);
        } catch (IOException | InterruptedException | EnvironmentFault e) {
            Leftovers.delete(dir);
            throw e;
        }
    }

    private static void git(Path dir, String... arguments) throws IOException, InterruptedException, EnvironmentFault {
        List<String> words = new ArrayList<>(List.of("git"));
        words.addAll(List.of(arguments));
        Process git = new ProcessBuilder(words)
                .directory(dir.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (git.waitFor() != 0) {
            throw new EnvironmentFault(
                    "commit_missing", "git " + arguments[0] + ": expected to succeed, got " + output.strip());
        }
    }

    Path dir() {
        return dir;
    }

    /// Files of programs that are no tests, sorted.
    List<String> sources() throws IOException {
        List<String> sources = new ArrayList<>();
        Files.walkFileTree(dir, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                boolean own = folder.getFileName().toString().equals(".git");
                return own ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                String name = dir.relativize(file).toString();
                if (attributes.isRegularFile() && SOURCES.stream().anyMatch(name::endsWith) && !isTest(name)) {
                    sources.add(name);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        sources.sort(null);
        return sources;
    }

    private static boolean isTest(String name) {
        return WORD.splitAsStream(name.toLowerCase(Locale.ROOT)).anyMatch(TEST_WORDS::contains);
    }

    /// A file's text, or "" if there is no such file or it leads out of the repository. Bytes that are
    /// no UTF-8 are U+FFFD.
    String read(String name) throws IOException {
        Path file = dir.resolve(name).normalize();
        if (!file.startsWith(dir)
                || !Files.isRegularFile(file)
                || !file.toRealPath().startsWith(dir.toRealPath())) {
            return "";
        }
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        Leftovers.delete(dir);
    }
}
