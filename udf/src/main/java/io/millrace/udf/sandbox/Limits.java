package io.millrace.udf.sandbox;

import java.io.Serializable;
import java.time.Duration;

/// What a command in the sandbox may use at most.
///
/// @param wall time from its start to its end, with the making of the sandbox
/// @param cpuSeconds processor time of each of its processes
/// @param memoryBytes of all its processes together, counting what is theirs and what they share with each other but
///     not the files they map; no single process can reserve more than twice as much
/// @param processes how many there may be at the same time, each thread counted
/// @param diskBytes by which everything that it may write to may grow, and size of each file system in memory
/// @param fileBytes of its largest file
/// @param outputBytes that are kept of standard output, and as many of standard error; a command that writes
///     {@link #ENDLESS} times as much is ended
public record Limits(
        Duration wall,
        long cpuSeconds,
        long memoryBytes,
        int processes,
        long diskBytes,
        long fileBytes,
        int outputBytes)
        implements Serializable {

    /// Of how many times the output that is kept on it is held to be endless.
    public static final int ENDLESS = 1000;

    private static final long MIB = 1 << 20;

    /// For a small program: 10 s, 1 GiB, 64 processes, 64 MiB of files, 64 KiB of output.
    public static final Limits SMALL =
            new Limits(Duration.ofSeconds(10), 10, 1024 * MIB, 64, 64 * MIB, 64 * MIB, (int) MIB >> 4);

    /// For a build with its tests: 30 min, 4 GiB, 512 processes, 4 GiB of files, 4 MiB of output.
    public static final Limits BUILD =
            new Limits(Duration.ofMinutes(30), 3600, 4096 * MIB, 512, 4096 * MIB, 1024 * MIB, 4 * (int) MIB);

    public Limits {
        if (!wall.isPositive()
                || cpuSeconds < 1
                || memoryBytes < 1
                || processes < 1
                || diskBytes < 1
                || fileBytes < 1
                || outputBytes < 1) {
            throw new IllegalArgumentException("limits: expected numbers above 0, got wall=" + wall + " cpuSeconds="
                    + cpuSeconds + " memoryBytes=" + memoryBytes + " processes=" + processes + " diskBytes=" + diskBytes
                    + " fileBytes=" + fileBytes + " outputBytes=" + outputBytes);
        }
    }

    /// The same with another time from start to end.
    public Limits withWall(Duration other) {
        return new Limits(other, cpuSeconds, memoryBytes, processes, diskBytes, fileBytes, outputBytes);
    }

    /// The same with another bound of memory.
    public Limits withMemoryBytes(long other) {
        return new Limits(wall, cpuSeconds, other, processes, diskBytes, fileBytes, outputBytes);
    }

    /// The same with more or fewer bytes of output kept.
    public Limits withOutputBytes(int other) {
        return new Limits(wall, cpuSeconds, memoryBytes, processes, diskBytes, fileBytes, other);
    }
}
