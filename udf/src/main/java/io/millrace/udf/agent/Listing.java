package io.millrace.udf.agent;

import io.millrace.udf.agent.Changes.Entry;
import io.millrace.udf.agent.Changes.Kind;
import java.io.IOException;
import java.net.URI;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// What is in a directory, as far as it takes to tell what has changed since: a file that was written
/// to has another inode or time of change, which no program can set back.
///
/// @param found path as {@link Changes} has it to what is there
record Listing(Map<String, Found> found) {
    /// What nobody may do to a file that its owner made, the owner may do: else its contents could not
    /// be kept.
    private static final int OWNER_READS = 0400;

    private static final int OWNER_ENTERS = 0700;
    private static final int PERMISSIONS = 0777;

    /// @param inode of the file system
    /// @param changed time of the last change of contents or attributes, nanoseconds since 1970
    record Found(Entry entry, long inode, long changed, long size) {

        boolean isStill(Found before) {
            // a directory's entries are listed for themselves
            return entry.kind() == Kind.DIRECTORY ? entry.equals(before.entry) : equals(before);
        }
    }

    static Listing of(Path root) throws IOException {
        Map<String, Found> found = new TreeMap<>();
        int start = root.toUri().getRawPath().length();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes ignored) throws IOException {
                if (!directory.equals(root)) {
                    add(directory);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes ignored) throws IOException {
                add(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path path, IOException failure) throws IOException {
                if (failure instanceof AccessDeniedException
                        && Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)
                        && permit(path, OWNER_ENTERS)) {
                    Files.walkFileTree(path, this);
                    return FileVisitResult.CONTINUE;
                }
                throw failure;
            }

            private void add(Path path) throws IOException {
                Found at = look(path);
                if (at != null) {
                    found.put(withoutSlash(path.toUri().getRawPath().substring(start)), at);
                }
            }
        });
        return new Listing(found);
    }

    private static @Nullable Found look(Path path) throws IOException {
        Map<String, Object> attributes = Files.readAttributes(path, "unix:*", LinkOption.NOFOLLOW_LINKS);
        Kind kind = kind(attributes);
        if (kind == null) {
            return null;
        }
        if (kind != Kind.LINK && permit(path, kind == Kind.FILE ? OWNER_READS : OWNER_ENTERS)) {
            attributes = Files.readAttributes(path, "unix:*", LinkOption.NOFOLLOW_LINKS);
        }
        boolean file = kind == Kind.FILE;
        return new Found(
                new Entry(
                        kind,
                        kind == Kind.LINK ? 0 : mode(attributes) & PERMISSIONS,
                        file ? nanos(required(attributes, "lastModifiedTime")) : 0,
                        kind == Kind.LINK ? target(path) : null),
                ((Number) required(attributes, "ino")).longValue(),
                nanos(required(attributes, "ctime")),
                file ? (Long) required(attributes, "size") : 0);
    }

    private static @Nullable Kind kind(Map<String, Object> attributes) {
        if (Boolean.TRUE.equals(attributes.get("isRegularFile"))) {
            return Kind.FILE;
        }
        if (Boolean.TRUE.equals(attributes.get("isDirectory"))) {
            return Kind.DIRECTORY;
        }
        return Boolean.TRUE.equals(attributes.get("isSymbolicLink")) ? Kind.LINK : null;
    }

    private static int mode(Map<String, Object> attributes) {
        return (Integer) required(attributes, "mode");
    }

    private static Object required(Map<String, Object> attributes, String name) {
        return Objects.requireNonNull(attributes.get(name), name);
    }

    private static long nanos(Object time) {
        return ((FileTime) time).to(TimeUnit.NANOSECONDS);
    }

    /// A link's target, kept as it was written, percent-encoded.
    private static String target(Path link) throws IOException {
        Path target = Files.readSymbolicLink(link);
        String raw = withoutSlash(Path.of("/").resolve(target).toUri().getRawPath());
        return target.isAbsolute() ? raw : raw.substring(1);
    }

    /// The path that a name of a listing, or a link's target, stands for.
    static Path path(String encoded) {
        if (encoded.startsWith("/")) {
            return Path.of(URI.create("file://" + encoded));
        }
        // as it is written: relativize would drop what .. takes back
        Path absolute = Path.of(URI.create("file:///" + encoded));
        return absolute.subpath(0, absolute.getNameCount());
    }

    /// Java ends what is a directory here with one.
    private static String withoutSlash(String path) {
        return path.length() > 1 && path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    }

    /// Gives the owner back what it may do. False if it had that already.
    private static boolean permit(Path path, int bits) throws IOException {
        int mode = mode(Files.readAttributes(path, "unix:mode", LinkOption.NOFOLLOW_LINKS)) & PERMISSIONS;
        if ((mode & bits) == bits) {
            return false;
        }
        Files.setPosixFilePermissions(path, permissions(mode | bits));
        return true;
    }

    static Set<PosixFilePermission> permissions(int mode) {
        PosixFilePermission[] all = PosixFilePermission.values();
        Set<PosixFilePermission> set = EnumSet.noneOf(PosixFilePermission.class);
        for (int bit = 0; bit < all.length; bit++) {
            if ((mode >> (all.length - 1 - bit) & 1) != 0) {
                set.add(all[bit]);
            }
        }
        return set;
    }
}
