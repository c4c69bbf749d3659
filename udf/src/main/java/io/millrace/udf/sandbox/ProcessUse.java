package io.millrace.udf.sandbox;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/// What all processes of a sandbox use at a moment, as its own `/proc` says: it has these processes and no others.
///
/// @param memoryBytes private memory and memory shared between processes; not mapped files
/// @param threads of all processes
record ProcessUse(long memoryBytes, int threads) {
    static final ProcessUse NONE = new ProcessUse(0, 0);

    /// @param init first process of the sandbox, by its number here
    static ProcessUse of(long init) {
        long memory = 0;
        int threads = 0;
        Path processes = Path.of("/proc", Long.toString(init), "root/proc");
        try (DirectoryStream<Path> directory = Files.newDirectoryStream(processes, "[0-9]*")) {
            for (Path process : directory) {
                ProcessUse one = read(process.resolve("status"));
                memory += one.memoryBytes;
                threads += one.threads;
            }
        } catch (IOException | DirectoryIteratorException _) {
            // it has ended, or its file system is not there yet
            return NONE;
        }
        return new ProcessUse(memory, threads);
    }

    private static ProcessUse read(Path status) {
        long memory = 0;
        int threads = 0;
        try {
            for (String line : Files.readString(status, StandardCharsets.ISO_8859_1).split("\n")) {
                if (line.startsWith("RssAnon:") || line.startsWith("RssShmem:")) {
                    memory += number(line) * 1024;
                } else if (line.startsWith("Threads:")) {
                    threads = (int) number(line);
                }
            }
        } catch (IOException _) {
            // a process that has just ended uses nothing
            return NONE;
        }
        return new ProcessUse(memory, threads);
    }

    private static long number(String line) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
    }
}
