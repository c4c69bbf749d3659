package io.millrace.quality;

import java.util.Optional;

/// Notices that the process which started this one is gone, so that no auditor is left behind.
final class ParentWatch {

    private ParentWatch() {}

    /// The process that started this one; empty when it is gone already.
    static Optional<ProcessHandle> parent() {
        return ProcessHandle.current().parent();
    }

    /// Runs `then` on a daemon thread when process `pid` ends; at once when there is no such process.
    static void onEnd(long pid, Runnable then) {
        Optional<ProcessHandle> parent = ProcessHandle.of(pid);
        if (parent.isEmpty()) {
            then.run();
            return;
        }
        ProcessHandle handle = parent.get();
        Thread.ofPlatform().daemon().name("parent-watch").start(() -> {
            handle.onExit().join();
            then.run();
        });
    }
}
