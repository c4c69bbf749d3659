package io.millrace.jobs.evaluate.ifeval;

/// Something that an answer was told to be, and that can be seen from its text alone.
@FunctionalInterface
interface Instruction {
    boolean isFollowedBy(String answer);
}
