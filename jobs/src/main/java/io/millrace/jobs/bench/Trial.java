package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;

/// A measurement that is no race of engines on random prompts: it has figures of its own.
@FunctionalInterface
interface Trial {
    /// @return figures by name, in the order in which they are to be read; what has a bar ends with
    ///     {@link #bar}
    ObjectNode run() throws IOException;

    /// Notes what a figure should be at least, and whether it is.
    static void bar(ObjectNode figures, double value, double atLeast) {
        figures.put("bar", atLeast).put("met", value >= atLeast);
    }
}
