package io.millrace.jobs.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.ObjectName;

/// What this process holds at a moment, as Linux and the JVM see it.
///
/// @param seconds since the first look
/// @param pass which repetition of the work was under way
/// @param residentMib all memory that is in use
/// @param mappedMib of it, pages of mapped files: weights, libraries
/// @param heapMib what was alive on the heap when the last pass was over
/// @param nativeMib what arenas and direct buffers have allocated; NaN unless the JVM runs with
///     `-XX:NativeMemoryTracking=summary`
/// @param metaspaceMib classes
/// @param threads of the process, the JVM's own included
/// @param files open files and sockets
/// @param mappings mapped regions of files
record VitalSigns(
        double seconds,
        int pass,
        double residentMib,
        double mappedMib,
        double heapMib,
        double nativeMib,
        double metaspaceMib,
        double threads,
        double files,
        double mappings) {

    /// A sign's name in tables, with its value.
    record Sign(String name, ToDoubleFunction<VitalSigns> value) {}

    /// Those that must not grow.
    static final List<Sign> ALL = List.of(
            new Sign("resident_mib", VitalSigns::residentMib),
            new Sign("mapped_mib", VitalSigns::mappedMib),
            new Sign("heap_mib", VitalSigns::heapMib),
            new Sign("native_mib", VitalSigns::nativeMib),
            new Sign("metaspace_mib", VitalSigns::metaspaceMib),
            new Sign("threads", VitalSigns::threads),
            new Sign("files", VitalSigns::files),
            new Sign("mappings", VitalSigns::mappings));

    private static final Path PROCESS = Path.of("/proc/self");
    private static final double MIB = 1 << 20;
    /// Arenas of the Foreign Function API and direct buffers are what the JVM counts under this name.
    private static final Pattern NATIVE = Pattern.compile("Other \\(reserved=\\d+KB, committed=(\\d+)KB\\)");

    /// Looks now.
    static VitalSigns now(double seconds, int pass, double heapMib) throws IOException {
        String status = Files.readString(PROCESS.resolve("status"));
        return new VitalSigns(
                seconds,
                pass,
                number(status, "VmRSS") / 1024,
                number(status, "RssFile") / 1024,
                heapMib,
                arenas(),
                classes(),
                number(status, "Threads"),
                openFiles(),
                mappedRegions());
    }

    /// Collects what is dead and weighs the rest.
    static double aliveMib() {
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        memory.gc();
        return memory.getHeapMemoryUsage().getUsed() / MIB;
    }

    private static double number(String status, String name) throws IOException {
        Matcher line = Pattern.compile("(?m)^" + name + ":\\s+(\\d+)").matcher(status);
        if (!line.find()) {
            throw new IOException(PROCESS + "/status: expected a line " + name + ", got none");
        }
        return Double.parseDouble(line.group(1));
    }

    private static double arenas() throws IOException {
        try {
            Object summary = ManagementFactory.getPlatformMBeanServer()
                    .invoke(
                            new ObjectName("com.sun.management:type=DiagnosticCommand"),
                            "vmNativeMemory",
                            new Object[] {new String[] {"summary"}},
                            new String[] {String[].class.getName()});
            Matcher other = NATIVE.matcher(summary.toString());
            return other.find() ? Double.parseDouble(other.group(1)) / 1024 : Double.NaN;
        } catch (JMException e) {
            throw new IOException("the JVM's native memory: " + e.getMessage(), e);
        }
    }

    private static double classes() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getName().equals("Metaspace"))
                .mapToDouble(pool -> pool.getUsage().getUsed() / MIB)
                .sum();
    }

    private static double openFiles() throws IOException {
        try (Stream<Path> open = Files.list(PROCESS.resolve("fd"))) {
            return open.count();
        }
    }

    private static double mappedRegions() throws IOException {
        try (Stream<String> regions = Files.lines(PROCESS.resolve("maps"))) {
            return regions.filter(region -> region.contains(" /")).count();
        }
    }

    /// The heads of {@link #csvLine}.
    static String csvHead() {
        return "seconds,pass," + ALL.stream().map(Sign::name).collect(Collectors.joining(","));
    }

    String csvLine() {
        return String.format(Locale.ROOT, "%.1f,%d,", seconds, pass)
                + ALL.stream()
                        .map(sign -> sign.value().applyAsDouble(this))
                        .map(value -> Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.1f", value))
                        .collect(Collectors.joining(","));
    }
}
