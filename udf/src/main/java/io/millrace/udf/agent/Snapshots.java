package io.millrace.udf.agent;

import io.millrace.udf.agent.Changes.Entry;
import io.millrace.udf.agent.Changes.Kind;
import io.millrace.udf.sandbox.Leftovers;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/// Tells what has changed in a directory since it was last asked, and does the same changes to another
/// that is as this one was. Everything counts: contents, names, permissions, links, times, also of
/// git's own files. Confined to one thread.
final class Snapshots {
    private final Path root;
    private Listing last;

    /// Of a directory as it is now.
    Snapshots(Path root) throws IOException {
        this.root = root;
        last = Listing.of(root);
    }

    /// Where the contents of changed files go.
    interface Archive {
        /// Has a file written and makes it durable.
        ///
        /// @return its name
        String keep(Writer writer) throws IOException;

        /// Writes all that is to be kept.
        interface Writer {
            void writeTo(OutputStream out) throws IOException;
        }
    }

    /// What has changed since the last call.
    Changes take(Archive archive) throws IOException {
        Listing now = Listing.of(root);
        Map<String, Entry> files = new TreeMap<>();
        List<String> contents = new ArrayList<>();
        now.found().forEach((path, found) -> {
            Listing.Found before = last.found().get(path);
            if (before == null || !found.isStill(before)) {
                files.put(path, found.entry());
                if (found.entry().kind() == Kind.FILE) {
                    contents.add(path);
                }
            }
        });
        List<String> gone = last.found().keySet().stream()
                .filter(path -> !now.found().containsKey(path))
                .toList();
        last = now;
        return new Changes(files, gone, contents.isEmpty() ? null : archive.keep(out -> zip(contents, out)));
    }

    private void zip(List<String> paths, OutputStream out) throws IOException {
        ZipOutputStream zip = new ZipOutputStream(out);
        for (String path : paths) {
            zip.putNextEntry(new ZipEntry(path));
            Files.copy(root.resolve(Listing.path(path)), zip);
        }
        zip.finish();
    }

    /// Makes the directory what it was when these changes were taken, one after the other.
    ///
    /// @param archive opens a file by its name
    static void apply(Path root, Changes changes, Opener archive) throws IOException {
        for (String path : changes.gone()) {
            Leftovers.delete(root.resolve(Listing.path(path)));
        }
        // parents come before what they hold
        TreeMap<String, Entry> files = new TreeMap<>(changes.files());
        for (Map.Entry<String, Entry> file : files.entrySet()) {
            clear(root.resolve(Listing.path(file.getKey())), file.getValue());
        }
        if (changes.archive() != null) {
            try (InputStream in = archive.open(changes.archive())) {
                unzip(root, in);
            }
        }
        // and may not be entered any more when they are finished
        for (Map.Entry<String, Entry> file : files.descendingMap().entrySet()) {
            finish(root.resolve(Listing.path(file.getKey())), file.getValue());
        }
    }

    /// Opens a file of an archive.
    interface Opener {
        InputStream open(String name) throws IOException;
    }

    /// Takes away what is in the way, and makes directories and links.
    private static void clear(Path path, Entry entry) throws IOException {
        boolean isDirectory = Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
        if (entry.kind() == Kind.DIRECTORY) {
            if (!isDirectory) {
                Files.deleteIfExists(path);
                Files.createDirectory(path);
            }
            // whatever it is to be, it is filled first
            Files.setPosixFilePermissions(path, Listing.permissions(entry.mode() | 0700));
            return;
        }
        Leftovers.delete(path);
        if (entry.link() != null) {
            Files.createSymbolicLink(path, Listing.path(entry.link()));
        }
    }

    private static void unzip(Path root, InputStream in) throws IOException {
        ZipInputStream zip = new ZipInputStream(in);
        for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
            Files.copy(zip, root.resolve(Listing.path(entry.getName())), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void finish(Path path, Entry entry) throws IOException {
        if (entry.kind() == Kind.FILE) {
            Files.setLastModifiedTime(path, FileTime.from(entry.modified(), TimeUnit.NANOSECONDS));
        }
        if (entry.kind() != Kind.LINK) {
            Files.setPosixFilePermissions(path, Listing.permissions(entry.mode()));
        }
    }
}
