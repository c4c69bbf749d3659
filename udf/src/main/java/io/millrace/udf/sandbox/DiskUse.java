package io.millrace.udf.sandbox;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Watches how much the folders have grown that a command may write to. A look costs time in proportion to the
/// files, so it is taken the more rarely the more there are.
final class DiskUse {
    private static final long SHORTEST_NANOS = 200_000_000L;
    /// Share of the time that may go into looking, inverted.
    private static final int REST = 20;

    private final List<Path> folders;
    private final long before;
    private long nextNanos;

    DiskUse(List<Path> folders) {
        this.folders = folders;
        this.before = look();
    }

    /// Bytes that have been added, if it is time to look again; else 0.
    long growth() {
        return folders.isEmpty() || System.nanoTime() - nextNanos < 0 ? 0 : look() - before;
    }

    private long look() {
        long started = System.nanoTime();
        long bytes = 0;
        for (Path folder : folders) {
            bytes += bytes(folder);
        }
        long ended = System.nanoTime();
        nextNanos = ended + Math.max(SHORTEST_NANOS, REST * (ended - started));
        return bytes;
    }

    private static long bytes(Path folder) {
        Sizes sizes = new Sizes();
        try {
            Files.walkFileTree(folder, sizes);
        } catch (IOException e) {
            throw new SandboxException("sandbox: expected to read the sizes of files in " + folder + ", got " + e, e);
        }
        return sizes.bytes;
    }

    /// A file that vanishes or shuts itself off while it is looked for counts nothing.
    private static final class Sizes extends SimpleFileVisitor<Path> {
        private long bytes;

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            bytes += attributes.size();
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException failure) {
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure) {
            return FileVisitResult.CONTINUE;
        }
    }
}
