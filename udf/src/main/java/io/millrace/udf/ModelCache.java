package io.millrace.udf;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileStatus;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Models of other file systems on this host's disk, from where all executors of the host map them.
///
/// 1. A copy has the name of what it is a copy of: path, and names, lengths and times of the files. What changed
///    is another model, and is copied anew.
/// 2. It is written under another name, brought to the disk, read again and compared with the SHA-256 of what
///    came, and renamed when all of it is there. A half copy is never used.
/// 3. One process copies and the others wait for it: who copies holds a lock of the operating system, which ends
///    with the process, however that ends. Whoever has the lock next begins anew.
/// 4. Nothing is deleted but copies that were not finished; the host's owner clears the folder.
///
/// Beside the files of a copy lies `SHA256SUMS`, as `sha256sum -c` reads it.
final class ModelCache {
    private static final Logger log = LoggerFactory.getLogger(ModelCache.class);
    private static final Pattern SCHEME = Pattern.compile("([A-Za-z][A-Za-z0-9+.-]+):.*");
    private static final String SUMS = "SHA256SUMS";
    private static final int CHUNK_BYTES = 1 << 20;

    private final Path folder;
    private final Configuration hadoop;
    private final RemoteModel model;

    private ModelCache(Path folder, Configuration hadoop, RemoteModel model) {
        this.folder = folder;
        this.hadoop = hadoop;
        this.model = model;
    }

    /// Where a model is on this host; one of another file system is brought there first.
    ///
    /// @param model a path, or a URI of any file system Hadoop knows
    /// @param folder of the copies, on a disk of the host's own
    /// @param hadoop configuration of the file systems
    /// @throws EngineException MODEL_UNREADABLE if it cannot be read where it is, MODEL_NOT_STAGED if it cannot be
    ///     written here
    static Path local(String model, Path folder, Configuration hadoop) {
        Matcher scheme = SCHEME.matcher(model);
        if (!scheme.matches()) {
            return Path.of(model);
        }
        org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(model);
        return scheme.group(1).equals("file")
                ? Path.of(path.toUri().getPath())
                : new ModelCache(folder, hadoop, RemoteModel.find(path, hadoop)).staged();
    }

    private Path staged() {
        Path copy = folder.resolve(model.id());
        // locks of the operating system are between processes
        synchronized (ModelCache.class) {
            stage(copy);
        }
        Path files = copy.resolve(model.folderName());
        return model.isFile() ? files.resolve(model.path().getName()) : files;
    }

    private boolean isWhole(Path copy) throws IOException {
        Path files = copy.resolve(model.folderName());
        for (FileStatus remote : model.files()) {
            Path file = files.resolve(remote.getPath().getName());
            if (!Files.exists(file) || Files.size(file) != remote.getLen()) {
                return false;
            }
        }
        return true;
    }

    private void stage(Path copy) {
        Path lockFile = folder.resolve(model.id() + ".lock");
        try {
            if (isWhole(copy)) {
                return;
            }
            Files.createDirectories(folder);
            try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock _ = lock(channel)) {
                if (!isWhole(copy)) {
                    copyTo(copy);
                }
            }
        } catch (IOException e) {
            throw notStaged("to be writable, got " + e, e);
        }
    }

    private FileLock lock(FileChannel channel) throws IOException {
        FileLock lock = channel.tryLock();
        if (lock != null) {
            return lock;
        }
        log.info("Model {}: another process copies it to {}, waiting for it", model.path(), folder);
        return channel.lock();
    }

    /// Only while the lock is held: what is unfinished is then nobody's.
    private void copyTo(Path copy) throws IOException {
        Path unfinished = folder.resolve(model.id() + ".unfinished");
        delete(unfinished);
        delete(copy);
        requireRoom();
        log.info(
                "Model {}: copying {} files of {} bytes to {}",
                model.path(),
                model.files().size(),
                model.bytes(),
                copy);
        try {
            Path files = Files.createDirectories(unfinished.resolve(model.folderName()));
            StringBuilder sums = new StringBuilder();
            for (FileStatus file : model.files()) {
                String name = file.getPath().getName();
                sums.append(copy(file, files.resolve(name)))
                        .append("  ")
                        .append(name)
                        .append('\n');
            }
            Files.writeString(files.resolve(SUMS), sums);
            requireUnchanged();
            Files.move(unfinished, copy, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException | RuntimeException e) {
            delete(unfinished);
            throw e;
        }
    }

    private void requireRoom() throws IOException {
        long room = Files.getFileStore(folder).getUsableSpace();
        if (room < model.bytes()) {
            throw notStaged(model.bytes() + " bytes of room, got " + room, null);
        }
    }

    private void requireUnchanged() {
        if (!RemoteModel.find(model.path(), hadoop).id().equals(model.id())) {
            throw RemoteModel.unreadable(
                    model.path(), "files that stay as they are, got changes: still being copied", null);
        }
    }

    /// @return SHA-256 of the file, hex
    private String copy(FileStatus from, Path to) throws IOException {
        byte[] read;
        try (FileChannel out = FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            read = copy(from, out);
            out.force(true);
        }
        try (InputStream in = Files.newInputStream(to)) {
            byte[] written = sha256(in);
            if (!MessageDigest.isEqual(read, written)) {
                throw notStaged(to + " to hold what was written, SHA-256 " + hex(read) + ", got " + hex(written), null);
            }
        }
        return hex(read);
    }

    private byte[] copy(FileStatus from, FileChannel to) throws IOException {
        MessageDigest digest = sha256();
        byte[] chunk = new byte[CHUNK_BYTES];
        long bytes = 0;
        try (InputStream in = open(from)) {
            for (int read = read(from, in, chunk); read >= 0; read = read(from, in, chunk)) {
                digest.update(chunk, 0, read);
                ByteBuffer rest = ByteBuffer.wrap(chunk, 0, read);
                while (rest.hasRemaining()) {
                    to.write(rest);
                }
                bytes += read;
            }
        }
        if (bytes != from.getLen()) {
            throw RemoteModel.unreadable(
                    from.getPath(),
                    from.getLen() + " bytes, got " + bytes + ": truncated, or still being copied",
                    null);
        }
        return digest.digest();
    }

    private InputStream open(FileStatus from) {
        try {
            return model.fileSystem().open(from.getPath());
        } catch (IOException e) {
            throw RemoteModel.unreadable(from.getPath(), "to be readable, got " + e, e);
        }
    }

    private static int read(FileStatus from, InputStream in, byte[] chunk) {
        try {
            return in.read(chunk);
        } catch (IOException | FSError e) {
            throw RemoteModel.unreadable(from.getPath(), "to be readable, got " + e, e);
        }
    }

    private static byte[] sha256(InputStream in) throws IOException {
        MessageDigest digest = sha256();
        byte[] chunk = new byte[CHUNK_BYTES];
        for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
            digest.update(chunk, 0, read);
        }
        return digest.digest();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static String hex(byte[] digest) {
        return HexFormat.of().formatHex(digest);
    }

    private EngineException notStaged(String expected, @Nullable Exception cause) {
        return new EngineException(
                ErrorCode.MODEL_NOT_STAGED,
                "model cache " + folder + " (engine.model-cache): expected " + expected + ", for " + model.path(),
                cause);
    }

    private static void delete(Path tree) throws IOException {
        if (!Files.exists(tree)) {
            return;
        }
        List<Path> files;
        try (Stream<Path> all = Files.walk(tree)) {
            files = all.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : files) {
            Files.delete(file);
        }
    }
}
