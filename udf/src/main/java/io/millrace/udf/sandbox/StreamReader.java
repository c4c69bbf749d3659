package io.millrace.udf.sandbox;

import java.io.IOException;
import java.io.InputStream;

/// Reads one of a command's streams to its end, whatever becomes of it: a command that nobody listens to stops.
final class StreamReader {
    private final HeadAndTail kept;
    private final Thread thread;
    private volatile long bytes;

    private StreamReader(InputStream in, int keep) {
        this.kept = new HeadAndTail(keep);
        this.thread = Thread.ofPlatform().daemon().name("sandbox-output").unstarted(() -> read(in));
    }

    static StreamReader start(InputStream in, int keep) {
        StreamReader reader = new StreamReader(in, keep);
        reader.thread.start();
        return reader;
    }

    private void read(InputStream in) {
        byte[] buffer = new byte[1 << 16];
        try {
            for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
                kept.append(buffer, length);
                bytes = kept.bytes();
            }
        } catch (IOException _) {
            // the process is gone: what was read is what there was
        }
    }

    /// So far.
    long bytes() {
        return bytes;
    }

    /// When the stream has ended.
    Output output() throws InterruptedException {
        thread.join();
        return kept.output();
    }
}
