package io.millrace.udf.agent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A repository of two commits: a program that adds wrongly, and what came of it later.
public final class SmallRepository {
    private final Path dir;

    private SmallRepository(Path dir) {
        this.dir = dir;
    }

    /// Makes it.
    public static SmallRepository in(Path dir) throws IOException, InterruptedException {
        SmallRepository repository = new SmallRepository(Files.createDirectories(dir));
        repository.git("init", "-q", "-b", "main");
        Files.writeString(dir.resolve("add.sh"), "echo $(($1 - $2))\n");
        Files.writeString(Files.createDirectories(dir.resolve("lib")).resolve("notes.txt"), "nothing\n");
        repository.git("add", "-A");
        repository.commit("first");
        Files.writeString(dir.resolve("add.sh"), "echo $(($1 + $2)) # the solution\n");
        repository.git("add", "-A");
        repository.commit("second");
        return repository;
    }

    private void commit(String message) throws IOException, InterruptedException {
        git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", message);
    }

    /// The commit before the last.
    public String base() throws IOException, InterruptedException {
        return git("rev-parse", "HEAD~1").strip();
    }

    /// Runs git in it.
    public String git(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("git", "-C", dir.toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(command + ": " + said);
        }
        return said;
    }

    @Override
    public String toString() {
        return dir.toString();
    }
}
