package io.millrace.udf.shard;

import java.io.IOException;
import java.io.OutputStream;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFileSystem;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.StreamCapabilities;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes files that are there whole or not at all, whatever dies meanwhile: written under another name,
/// brought to the disk, and renamed over whatever has the name.
///
/// What is relied on: renaming a file over another is one step (POSIX, HDFS), or a file appears when it is
/// complete and not before (an object store, where renaming copies).
///
/// Hadoop's checksum files beside local files are left out: a file and its checksum cannot be renamed in one
/// step, and a file whose checksum is another's cannot be read.
public final class WholeFiles {
    private static final Logger log = LoggerFactory.getLogger(WholeFiles.class);

    private final FileSystem fileSystem;
    private final Configuration conf;

    private WholeFiles(FileSystem fileSystem, Configuration conf) {
        this.fileSystem = fileSystem;
        this.conf = conf;
    }

    /// On a path's file system.
    public static WholeFiles on(Path path, Configuration conf) throws IOException {
        FileSystem fileSystem = path.getFileSystem(conf);
        return new WholeFiles(
                fileSystem instanceof ChecksumFileSystem checked ? checked.getRawFileSystem() : fileSystem, conf);
    }

    public FileSystem fileSystem() {
        return fileSystem;
    }

    /// A name for a file to be written, that no other attempt has.
    static Path unfinished(Path staging, String name) {
        return new Path(staging, name + "." + UUID.randomUUID());
    }

    /// Makes a written file the one of that name.
    void putInPlace(Path written, Path target) throws IOException {
        if (fileSystem instanceof RawLocalFileSystem) {
            if (!fileSystem.rename(written, target)) {
                throw new IOException(written + " could not be renamed to " + target);
            }
        } else {
            FileContext.getFileContext(target.toUri(), conf).rename(written, target, Options.Rename.OVERWRITE);
        }
    }

    /// Writes a whole file.
    ///
    /// @param staging directory on the same file system
    public void write(Path staging, Path target, Content content) throws IOException {
        Path written = unfinished(staging, target.getName());
        try {
            try (FSDataOutputStream out = fileSystem.create(written, true)) {
                content.writeTo(out);
                sync(out);
            }
            putInPlace(written, target);
        } catch (IOException | RuntimeException e) {
            discard(written);
            throw e;
        } catch (FSError e) {
            // what Hadoop's local file system makes of a full disk
            discard(written);
            throw new IOException(e.getMessage(), e);
        }
    }

    /// What a file is to hold.
    @FunctionalInterface
    public interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    /// Brings what was written to the disk, where the file system can: else a machine that stops may keep a
    /// name and lose what it names.
    static void sync(FSDataOutputStream out) throws IOException {
        if (out.hasCapability(StreamCapabilities.HSYNC)) {
            out.hsync();
        }
    }

    /// Removes what is left of a write that failed. A file that stays is cleared when the next run starts.
    void discard(Path written) {
        try {
            fileSystem.delete(written, false);
        } catch (IOException e) {
            log.warn("{} could not be deleted", written, e);
        }
    }
}
