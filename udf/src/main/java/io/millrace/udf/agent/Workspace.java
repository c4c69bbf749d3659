package io.millrace.udf.agent;

import io.millrace.udf.sandbox.Leftovers;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A rollout's directory on the executor's host: begun anew by each attempt, gone with it.
///
/// In it, `tmp` is the agent's `/tmp`, and `testbed` its `/testbed`, where commands run. That is a git
/// repository of one commit, the one that the row names, or an empty one: what was written later, such
/// as the solution, is not in it. Its path follows from the row, since commands say it; a lock keeps
/// two attempts out of one directory, and tells those of dead processes from those in use.
final class Workspace implements AutoCloseable {
    /// Nothing of the host's configuration or of an earlier run may change what git does.
    private static final Map<String, String> ENVIRONMENT = Map.of(
            "GIT_CONFIG_NOSYSTEM", "1",
            "GIT_CONFIG_GLOBAL", "/dev/null",
            "GIT_TERMINAL_PROMPT", "0",
            "GIT_AUTHOR_DATE", "2000-01-01T00:00:00Z",
            "GIT_COMMITTER_DATE", "2000-01-01T00:00:00Z");
    /// Clones of other owners are read, and any commit of them; their configuration is not this run's.
    private static final String UPLOAD_PACK =
            "git -c safe.directory=* -c uploadpack.allowAnySHA1InWant=true upload-pack";

    static final String TESTBED = "testbed";
    static final String TMP = "tmp";
    private static final String LOCK = ".lock";

    private final Path directory;
    private final Path lockFile;
    private final FileLock lock;

    private Workspace(Path directory, Path lockFile, FileLock lock) {
        this.directory = directory;
        this.lockFile = lockFile;
        this.lock = lock;
    }

    /// Takes an empty directory.
    ///
    /// @param name of the rollout
    static Workspace take(Path folder, String name) throws IOException {
        Files.createDirectories(folder);
        for (int attempt = 0; ; attempt++) {
            Path directory = folder.resolve(attempt == 0 ? name : name + "-" + attempt);
            Path lockFile = folder.resolve(directory.getFileName() + LOCK);
            FileLock lock = lock(lockFile);
            if (lock != null) {
                Leftovers.delete(directory);
                Files.createDirectories(directory.resolve(TESTBED));
                Files.createDirectory(directory.resolve(TMP));
                return new Workspace(directory, lockFile, lock);
            }
        }
    }

    /// Deletes directories whose owners are dead.
    static void sweep(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        List<Path> lockFiles = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, "*" + LOCK)) {
            found.forEach(lockFiles::add);
        }
        for (Path lockFile : lockFiles) {
            FileLock lock = lock(lockFile);
            if (lock != null) {
                String name = String.valueOf(lockFile.getFileName());
                new Workspace(folder.resolve(name.substring(0, name.length() - LOCK.length())), lockFile, lock).close();
            }
        }
    }

    /// Null if another has it.
    private static @Nullable FileLock lock(Path file) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            // its owner may have deleted it meanwhile, and a third made it anew
            if (lock != null && Files.exists(file)) {
                return lock;
            }
        } catch (OverlappingFileLockException _) {
            // this process has it
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        channel.close();
        return null;
    }

    Path directory() {
        return directory;
    }

    /// Makes it a repository.
    ///
    /// @param repository local clone; empty for none
    /// @param commit of it; empty for its HEAD
    /// @return the commit that it is at
    /// @throws RolloutException CHECKOUT_FAILED if there is no such commit
    String checkOut(String repository, String commit) throws IOException, InterruptedException {
        git("init", "-q", "-b", "main");
        git("config", "user.name", "agent");
        git("config", "user.email", "agent@localhost");
        git("config", "gc.auto", "0");
        if (repository.isEmpty()) {
            git("commit", "-q", "--allow-empty", "-m", "empty");
        } else {
            String wanted = commit.isEmpty() ? "HEAD" : commit;
            String source = Path.of(repository).toAbsolutePath().toString();
            git("fetch", "-q", "--no-tags", "--depth", "1", "--upload-pack=" + UPLOAD_PACK, source, wanted);
            git("reset", "-q", "--hard", "FETCH_HEAD");
            Files.deleteIfExists(testbed().resolve(".git/FETCH_HEAD"));
        }
        return git("rev-parse", "HEAD").strip();
    }

    private Path testbed() {
        return directory.resolve(TESTBED);
    }

    private String git(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("git"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(testbed().toFile()).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("GIT_"));
        builder.environment().putAll(ENVIRONMENT);
        Process process = builder.start();
        try {
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new RolloutException(
                        "CHECKOUT_FAILED", String.join(" ", command) + ": expected to succeed, got " + said.strip());
            }
            return said;
        } finally {
            process.destroyForcibly();
        }
    }

    @Override
    public void close() throws IOException {
        try {
            Leftovers.delete(directory);
            Files.deleteIfExists(lockFile);
        } finally {
            lock.acquiredBy().close();
        }
    }
}
