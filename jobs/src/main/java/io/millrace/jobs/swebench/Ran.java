package io.millrace.jobs.swebench;

/// How a script ended.
///
/// @param code exit code; of one that was killed as a shell would have it
/// @param output everything it wrote, in the order in which it did
/// @param killed why it did not end by itself, "" if it did
/// @param timedOut whether its time was over
record Ran(int code, String output, String killed, boolean timedOut) {

    boolean isSuccess() {
        return code == 0;
    }
}
