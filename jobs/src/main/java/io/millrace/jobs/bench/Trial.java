package io.millrace.jobs.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;

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

    /// Figures of one kind of work held against another on the same rows, in turn.
    ///
    /// @param ours tokens per second of each round; likewise `theirs`
    static ObjectNode rates(
            int rows, String name, List<Double> ours, String otherName, List<Double> theirs, double atLeast) {
        ObjectNode figures = new ObjectMapper().createObjectNode();
        figures.put("rows", rows).put("tokens", "of prompts and completions, per second");
        figures.set(name, new ObjectMapper().valueToTree(ours));
        figures.set(otherName, new ObjectMapper().valueToTree(theirs));
        double ratio = median(ours) / median(theirs);
        figures.put("ratio", ratio);
        bar(figures, ratio, atLeast);
        return figures;
    }

    private static double median(List<Double> rates) {
        return Results.median(rates.stream().mapToDouble(Double::doubleValue)).orElseThrow();
    }
}
