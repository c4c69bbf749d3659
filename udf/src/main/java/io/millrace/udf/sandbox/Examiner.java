package io.millrace.udf.sandbox;

import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Finds out whether a program passes its tests, each in a sandbox of its own where it can read itself and
/// write to `/tmp` only.
///
/// Neither the exit code nor what a program prints decides: it has passed when a random word, made for this
/// one examination, is printed after the last test, by what runs it. A program that ends early, or says
/// that it passed, does not know the word. One that looks for it in the memory of its own process finds
/// it; so a verdict on a program whose author knew this class is worth less.
///
/// @param java home of the JDK that compiles and runs Java programs, Java 25 or later; null for this
///     JVM's own
/// @param python the Python interpreter, as found in the sandbox
/// @param toolchains folders that these need beside the system's, to be read at the same place
public record Examiner(@Nullable String java, String python, List<String> toolchains, Limits limits)
        implements Serializable {

    /// Of what language a program is.
    public enum Language {
        /// A module that runs its tests.
        PYTHON,
        /// A source file with a class `Main` whose `main` runs the tests.
        JAVA;

        public String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// What came out.
    ///
    /// @param result in HumanEval's words: `passed`, `timed out` or `failed: ` and why
    public record Verdict(boolean passed, String result, Outcome outcome) {}

    private static final Path EXAM = Path.of("/exam");
    private static final String PYTHON_EXAMINER = "examine.py";
    private static final int WORD_BYTES = 16;
    private static final int LONGEST_REASON = 300;

    public Examiner {
        toolchains = List.copyOf(toolchains);
    }

    /// Examines a program.
    ///
    /// @throws SandboxException if nothing could be run
    public Verdict examine(Language language, String program) throws InterruptedException {
        try {
            Path folder = Files.createTempDirectory("millrace-exam");
            try {
                return examine(language, program, folder);
            } finally {
                Leftovers.delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Verdict examine(Language language, String program, Path folder) throws IOException, InterruptedException {
        byte[] random = new byte[WORD_BYTES];
        new SecureRandom().nextBytes(random);
        String word = HexFormat.of().formatHex(random);
        Command command = new Command(words(language, program, folder), Path.of("/tmp"), Map.of(), word + "\n");
        return verdict(sandbox(language, folder).run(command), word);
    }

    private List<String> words(Language language, String program, Path folder) throws IOException {
        return switch (language) {
            case PYTHON -> {
                Files.writeString(folder.resolve("program.py"), program);
                Files.write(folder.resolve(PYTHON_EXAMINER), resource(PYTHON_EXAMINER));
                yield List.of(python, "-I", "-B", EXAM.resolve(PYTHON_EXAMINER).toString(), EXAM + "/program.py");
            }
            case JAVA -> {
                Files.writeString(folder.resolve("Main.java"), program);
                String name = JavaExaminer.class.getName();
                Path classFile = folder.resolve(name.replace('.', '/') + ".class");
                Files.createDirectories(classFile.getParent());
                Files.write(classFile, resource(JavaExaminer.class.getSimpleName() + ".class"));
                List<String> words = new ArrayList<>(List.of(javaHome() + "/bin/java"));
                // a program lives for a second: what is tuned for longer costs more than it gives
                words.addAll(
                        List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto"));
                words.addAll(List.of("-Xmx" + limits.memoryBytes() / 2, "-cp", EXAM.toString(), name));
                words.addAll(List.of(EXAM + "/Main.java", "/tmp"));
                yield words;
            }
        };
    }

    private String javaHome() throws IOException {
        if (java != null) {
            return java;
        }
        String command = ProcessHandle.current().info().command().orElseThrow();
        return Path.of(command).toRealPath().resolve("../..").normalize().toString();
    }

    private Sandbox sandbox(Language language, Path folder) throws IOException {
        List<Mount> mounts = new ArrayList<>(List.of(Mount.readOnly(folder, EXAM)));
        toolchains.forEach(path -> mounts.add(Mount.readOnly(Path.of(path))));
        if (language == Language.JAVA) {
            mounts.add(Mount.readOnly(Path.of(javaHome())));
        }
        return new Sandbox(mounts, null, limits);
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = Objects.requireNonNull(Examiner.class.getResourceAsStream(name), name)) {
            return in.readAllBytes();
        }
    }

    private static Verdict verdict(Outcome outcome, String word) {
        boolean saidSo = outcome.stdout().text().lines().anyMatch(word::equals);
        if (outcome.isSuccess() && saidSo) {
            return new Verdict(true, "passed", outcome);
        }
        String result = switch (outcome.ending()) {
            case TIMED_OUT, OUT_OF_CPU_TIME -> "timed out";
            case EXITED -> "failed: " + (outcome.code() == 0 ? "ended before its tests did" : reason(outcome));
            case SIGNALLED -> "failed: signal " + outcome.code();
            case OUT_OF_MEMORY, TOO_MANY_PROCESSES, OUT_OF_DISK, FILE_TOO_LARGE, ENDLESS_OUTPUT ->
                "failed: " + outcome.ending().name().toLowerCase(Locale.ROOT).replace('_', ' ');
        };
        return new Verdict(false, result, outcome);
    }

    /// What a person would look at first: of Python the last line, of Java the first.
    private static String reason(Outcome outcome) {
        List<String> lines =
                outcome.stderr().text().lines().filter(line -> !line.isBlank()).toList();
        if (lines.isEmpty()) {
            return "exit code " + outcome.code();
        }
        boolean traceback = lines.getFirst().startsWith("Traceback");
        String line = traceback ? lines.getLast() : lines.getFirst();
        return line.length() > LONGEST_REASON ? line.substring(0, LONGEST_REASON) : line;
    }
}
