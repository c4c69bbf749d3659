package io.millrace.udf.sandbox;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A place where a command can do no harm, and which is the same for every command.
///
/// Each command runs in user, mount, PID, network, IPC and UTS namespaces of its own (`unshare` of util-linux; no
/// privilege is needed, and none is used where it is there):
///
/// 1. It sees the system's programs and libraries read-only, the mounts, `/tmp`, and nothing else: no home
///    folder, no other process, no device but `/dev/null` and its like.
/// 2. It writes to the writable mounts and `/tmp` only.
/// 3. It has no network but a loopback of its own.
/// 4. It has no capability and can get none: no new privileges, no user namespace within.
/// 5. When it ends, is ended, or this JVM is gone, everything it has started is gone.
///
/// Why not seccomp, cgroups or a container: none can be had without privilege or programs that are not
/// everywhere. What follows from that stands in `jobs/docs/code-execution.md`.
///
/// @param mounts in the order in which they are made: a later one may lie in an earlier one
/// @param tmp what is `/tmp`: a folder here, which outlives the command, or null for one in memory that does not
public record Sandbox(List<Mount> mounts, @Nullable Path tmp, Limits limits) {

    public Sandbox {
        mounts = List.copyOf(mounts);
    }

    /// With a `/tmp` in memory for each command.
    public static Sandbox of(Limits limits, Mount... mounts) {
        return new Sandbox(List.of(mounts), null, limits);
    }

    /// The same with more mounts.
    public Sandbox with(Mount... more) {
        List<Mount> all = new ArrayList<>(mounts);
        all.addAll(List.of(more));
        return new Sandbox(all, tmp, limits);
    }

    /// The same with a `/tmp` that outlives a command.
    public Sandbox withTmp(Path folder) {
        return new Sandbox(mounts, folder, limits);
    }

    /// The same with other limits.
    public Sandbox withLimits(Limits other) {
        return new Sandbox(mounts, tmp, other);
    }

    /// Runs a command to its end.
    ///
    /// @throws SandboxException if the sandbox could not be made; the command was not run then
    /// @throws InterruptedException if the thread was interrupted; the command has been ended then
    public Outcome run(Command command) throws InterruptedException {
        try (SandboxProcess process = SandboxProcess.start(this, command)) {
            return process.await();
        } catch (IOException e) {
            throw new SandboxException("sandbox: expected to start, got " + e, e);
        }
    }

    /// Makes sure that this machine has what a sandbox needs; looks once in the life of the JVM.
    ///
    /// @throws SandboxException that says what is missing
    public static void requireAvailable() {
        String missing = Trial.MISSING;
        if (missing != null) {
            throw new SandboxException(missing);
        }
    }

    /// The first sandbox, with nothing in it.
    private static final class Trial {
        private static final @Nullable String MISSING = missing();

        private static @Nullable String missing() {
            Limits limits = Limits.SMALL.withWall(Duration.ofMinutes(2));
            try {
                Outcome outcome = Sandbox.of(limits).run(Command.of(Path.of("/tmp"), "true"));
                return outcome.isSuccess() ? null : "sandbox: expected to run `true`, got " + outcome;
            } catch (SandboxException e) {
                return e.getMessage() + "\nNeeded: Linux 5.11 or later; sh, setsid, unshare, mount, pivot_root, prlimit,"
                        + " setpriv (util-linux 2.38); user namespaces: sysctl user.max_user_namespaces above 0,"
                        + " kernel.unprivileged_userns_clone (Debian) not 0, kernel.apparmor_restrict_unprivileged_userns"
                        + " (Ubuntu) 0, in a container neither its seccomp profile nor a masked /proc in the way";
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return "sandbox: interrupted at the first trial";
            }
        }
    }
}
