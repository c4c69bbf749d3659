package io.millrace.udf.agent;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/// How many commands run at a time in this process.
///
/// Static for the reason the executor's engine is: what the tasks of an executor share has to hang on a
/// class, and the processors that commands run on are the host's. A run asks for one number, so there
/// is one entry per run.
final class CommandSlots {
    private static final ConcurrentHashMap<Integer, Semaphore> SLOTS = new ConcurrentHashMap<>();

    private CommandSlots() {}

    /// @param commands at a time, >= 1
    static Semaphore of(int commands) {
        return SLOTS.computeIfAbsent(commands, permits -> new Semaphore(permits, true));
    }
}
