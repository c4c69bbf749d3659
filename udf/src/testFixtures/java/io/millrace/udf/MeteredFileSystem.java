package io.millrace.udf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/// This host's files as those of another file system, `metered:/path`, which writes down what is read of them,
/// and breaks off or stands still if it is told to.
public final class MeteredFileSystem extends RawLocalFileSystem {
    public static final String SCHEME = "metered";
    /// File to which a line `PROCESS NAME BYTES` is added when a stream is closed.
    public static final String LOG = "fs.metered.log";
    /// Bytes of a file after which reading it fails.
    public static final String FAIL_AFTER = "fs.metered.fail-after";
    /// A file that is made when something has been read; reading goes on when it is gone.
    public static final String STAND_STILL = "fs.metered.stand-still";
    /// What every file is said to have more than it has.
    public static final String PROMISED_BYTES = "fs.metered.promised-bytes";

    private static final URI ROOT = URI.create(SCHEME + ":///");
    private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /// Knows the scheme, and does not share what it was told with others.
    public static Configuration configuration(java.nio.file.Path log) {
        Configuration conf = new Configuration();
        conf.set("fs.metered.impl", MeteredFileSystem.class.getName());
        conf.setBoolean("fs.metered.impl.disable.cache", true);
        conf.set(LOG, log.toString());
        return conf;
    }

    /// A path of this host as one of here.
    public static String uri(java.nio.file.Path path) {
        return SCHEME + ":" + path;
    }

    @Override
    public URI getUri() {
        return ROOT;
    }

    @Override
    public String getScheme() {
        return SCHEME;
    }

    @Override
    public FileStatus[] listStatus(Path path) throws IOException {
        FileStatus[] statuses = super.listStatus(path);
        long more = getConf().getLong(PROMISED_BYTES, 0);
        for (int file = 0; more > 0 && file < statuses.length; file++) {
            FileStatus status = statuses[file];
            statuses[file] = new FileStatus(
                    status.getLen() + more, false, 1, 1, status.getModificationTime(), status.getPath());
        }
        return statuses;
    }

    @Override
    public FSDataInputStream open(Path path, int bufferSize) throws IOException {
        return new FSDataInputStream(new Metered(path, super.open(path, bufferSize)));
    }

    private final class Metered extends FSInputStream {
        private final Path path;
        private final FSDataInputStream in;
        private long bytes;

        Metered(Path path, FSDataInputStream in) {
            this.path = path;
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int from, int count) throws IOException {
            if (bytes >= getConf().getLong(FAIL_AFTER, Long.MAX_VALUE)) {
                throw new IOException("connection reset as asked");
            }
            int read = in.read(into, from, Math.min(count, 1024));
            bytes += Math.max(0, read);
            String mark = getConf().get(STAND_STILL);
            if (mark != null) {
                standStill(java.nio.file.Path.of(mark));
            }
            return read;
        }

        private void standStill(java.nio.file.Path mark) throws IOException {
            getConf().unset(STAND_STILL);
            Files.createFile(mark);
            while (Files.exists(mark)) {
                LockSupport.parkNanos(PERIOD_NANOS);
            }
        }

        @Override
        public void seek(long position) throws IOException {
            in.seek(position);
        }

        @Override
        public long getPos() throws IOException {
            return in.getPos();
        }

        @Override
        public boolean seekToNewSource(long position) throws IOException {
            return in.seekToNewSource(position);
        }

        @Override
        public void close() {
            try (in) {
                Files.writeString(
                        java.nio.file.Path.of(getConf().get(LOG)),
                        ProcessHandle.current().pid() + " " + path.getName() + " " + bytes + "\n",
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
