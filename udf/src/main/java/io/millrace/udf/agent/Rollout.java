package io.millrace.udf.agent;

import io.millrace.udf.agent.RolloutRecipe.Limits;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// One conversation with tools, from its start to its end or on from where its log ends. Everything
/// that takes time or changes something is in the log before anything follows from it:
///
/// 1. What was said is not asked for again, what was done is not done again. Until something new is to
///    be done, a rollout that goes on has no directory even.
/// 2. A command that was begun and whose end is not in the log may have been half done. The directory
///    of a rollout that goes on is a new one, brought to where the log ends; there the command begins
///    from the start.
/// 3. Only the directory is brought back: nothing that a command started lives longer than it, and it
///    can write nowhere else.
///
/// Confined to one thread, which may be a virtual one.
final class Rollout implements AutoCloseable {
    /// Clocks of file systems tick, here with a large margin, no less often than this. Two changes
    /// within a tick could not be told apart.
    private static final Duration TICK = Duration.ofMillis(20);

    private static final Duration PATCH_LIMIT = Duration.ofMinutes(5);

    private final RolloutRecipe recipe;
    private final Task task;
    private final Policy policy;
    private final RolloutLog log;
    private final Semaphore commands;
    private final Conversation conversation;
    private final long elapsedBefore;
    private final long resumedNanos = System.nanoTime();
    private @Nullable Workspace workspace;
    private @Nullable Snapshots snapshots;
    private String base = "";
    private long listedNanos;

    /// What of a row a rollout needs.
    ///
    /// @param name of the directory
    record Task(LogRecord.Start start, String name, String repository, String commit) {}

    /// @param log opened
    /// @param commands permits of commands that run at a time
    Rollout(RolloutRecipe recipe, Task task, Policy policy, RolloutLog log, Semaphore commands) throws IOException {
        this.recipe = recipe;
        this.task = task;
        this.policy = policy;
        this.log = log;
        this.commands = commands;
        if (log.records().isEmpty()) {
            log.add(task.start());
        }
        conversation = Conversation.of(log.records());
        elapsedBefore = conversation.elapsedMillis();
    }

    /// Goes on to the end.
    ///
    /// @return the whole conversation
    /// @throws RolloutException if it cannot go on
    /// @throws IOException if the log cannot be written
    Conversation run() throws IOException, InterruptedException {
        while (conversation.end() == null) {
            Action action = conversation.pending();
            String submission = conversation.submission();
            if (submission != null) {
                end(ExitStatus.SUBMITTED, submission.isBlank() ? patch() : submission);
            } else if (action != null) {
                act(action);
            } else {
                speak();
            }
        }
        return conversation;
    }

    private void speak() throws IOException, InterruptedException {
        String exceeded = exceeded();
        if (exceeded != null) {
            end(exceeded, "");
            return;
        }
        try {
            Turn turn = policy.next(conversation, conversation.turns());
            add(new LogRecord.Said(turn, elapsedMillis(), now()));
        } catch (PolicyEndException e) {
            end(e.exitStatus(), "");
        }
    }

    private @Nullable String exceeded() {
        Limits limits = recipe.limits();
        if (limits.formatErrors() > 0 && conversation.formatErrors() >= limits.formatErrors()) {
            return ExitStatus.REPEATED_FORMAT_ERROR;
        }
        if (reached(limits.steps(), conversation.turns()) || reached(limits.tokens(), conversation.tokens())) {
            return ExitStatus.LIMITS_EXCEEDED;
        }
        return reached(limits.seconds(), elapsedMillis() / 1000) ? ExitStatus.TIME_EXCEEDED : null;
    }

    private static boolean reached(int limit, long value) {
        return limit > 0 && value >= limit;
    }

    private void act(Action action) throws IOException, InterruptedException {
        commands.acquire();
        try {
            Path directory = directory();
            awaitTick();
            Observation observation = switch (action) {
                case Action.Command(String command, String _) ->
                    run(directory, command, Duration.ofSeconds(recipe.limits().commandSeconds()));
                case Action.Edit edit -> FileEdit.apply(directory, edit);
            };
            add(new LogRecord.Done(observation, changes(), elapsedMillis(), now()));
        } finally {
            commands.release();
        }
    }

    private Observation run(Path directory, String command, Duration limit) throws InterruptedException {
        try {
            return recipe.shell().run(directory, command, limit);
        } catch (IOException e) {
            throw new RolloutException("SANDBOX_FAILED", "sandbox: " + e.getMessage(), true, e);
        }
    }

    /// What the agent has changed, where it handed nothing in: as git sees it, new files included.
    private String patch() throws IOException, InterruptedException {
        commands.acquire();
        try {
            Path directory = directory();
            Observation diff = run(
                    directory,
                    "git add -A -N . && git --no-pager diff --binary --no-color --no-ext-diff --no-textconv " + base,
                    PATCH_LIMIT);
            return diff.returncode() == 0 && !diff.cut() ? diff.output() : "";
        } finally {
            commands.release();
        }
    }

    /// The directory as the log's end has it.
    private Path directory() throws IOException, InterruptedException {
        if (workspace != null) {
            return workspace.directory();
        }
        Workspace taken = Workspace.take(Path.of(recipe.workDir()), task.name());
        workspace = taken;
        base = taken.checkOut(task.repository(), task.commit());
        for (LogRecord record : log.records()) {
            if (record instanceof LogRecord.Done done && !done.changes().isEmpty()) {
                Snapshots.apply(taken.directory(), done.changes(), log::open);
            }
        }
        snapshots = new Snapshots(taken.directory());
        listedNanos = System.nanoTime();
        return taken.directory();
    }

    private Changes changes() throws IOException {
        if (snapshots == null) {
            throw new IllegalStateException("nothing is done without a directory");
        }
        Changes changes = snapshots.take(log::keep);
        listedNanos = System.nanoTime();
        return changes;
    }

    private void awaitTick() {
        long left = listedNanos + TICK.toNanos() - System.nanoTime();
        while (left > 0) {
            LockSupport.parkNanos(left);
            left = listedNanos + TICK.toNanos() - System.nanoTime();
        }
    }

    private void end(String exitStatus, String submission) throws IOException {
        add(new LogRecord.End(exitStatus, submission, elapsedMillis(), now()));
        log.dropArchives();
    }

    private void add(LogRecord record) throws IOException {
        log.add(record);
        conversation.add(record);
    }

    private long elapsedMillis() {
        return elapsedBefore
                + Duration.ofNanos(System.nanoTime() - resumedNanos).toMillis();
    }

    private static double now() {
        return Instant.now().toEpochMilli() / 1000.0;
    }

    /// Gives the directory up; the log stays.
    @Override
    public void close() throws IOException {
        try (log) {
            if (workspace != null) {
                workspace.close();
            }
        }
    }
}
