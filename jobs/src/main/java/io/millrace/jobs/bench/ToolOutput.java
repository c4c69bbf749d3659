package io.millrace.jobs.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.JobException;
import java.util.Arrays;
import java.util.List;

/// Reads what the tools of llama.cpp and its relatives print.
final class ToolOutput {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ToolOutput() {}

    /// The array that begins a line of its own.
    static JsonNode array(String out) {
        int start = out.startsWith("[") ? 0 : out.indexOf("\n[") + 1;
        return parse(out.substring(start));
    }

    /// The last object on a line of its own.
    static JsonNode lastObject(String out) {
        return parse(last(out, "{"));
    }

    /// The number under a heading in the last row of a table drawn with bars.
    static double lastTableColumn(String out, String heading) {
        List<String> headings = cells(out.lines()
                .filter(line -> line.contains(heading))
                .findFirst()
                .orElseThrow(() -> new JobException("expected a table with " + heading + ", got " + out)));
        return Double.parseDouble(cells(last(out, "|")).get(headings.indexOf(heading)));
    }

    private static List<String> cells(String line) {
        return Arrays.stream(line.split("\\|")).map(String::strip).toList();
    }

    private static String last(String out, String beginning) {
        return out.lines()
                .filter(line -> line.startsWith(beginning))
                .reduce((earlier, later) -> later)
                .orElseThrow(() -> new JobException("expected a line that begins with " + beginning + ", got " + out));
    }

    private static JsonNode parse(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new JobException("expected JSON, got " + text);
        }
    }
}
