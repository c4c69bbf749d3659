package io.millrace.jobs.summarize;

import java.util.ArrayList;
import java.util.List;
import org.commonmark.ext.gfm.tables.TableBlock;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.Node;
import org.commonmark.node.SourceSpan;
import org.commonmark.parser.IncludeSourceSpans;
import org.commonmark.parser.Parser;

/// The parts of a text that are never cut: fenced code blocks of CommonMark and tables of GitHub's
/// Markdown, also inside of lists and quotations.
final class Blocks {
    private static final Parser PARSER = Parser.builder()
            .extensions(List.of(TablesExtension.create()))
            .includeSourceSpans(IncludeSourceSpans.BLOCKS)
            .build();

    private Blocks() {}

    /// Whole lines, in UTF-16 units.
    record Range(int start, int end) {}

    /// In order, not touching each other.
    static List<Range> of(String text) {
        List<Range> ranges = new ArrayList<>();
        // neither can be without one of these
        if (text.contains("```") || text.contains("~~~") || text.indexOf('|') >= 0) {
            collect(PARSER.parse(text), text, ranges);
        }
        return ranges;
    }

    private static void collect(Node parent, String text, List<Range> into) {
        for (Node node = parent.getFirstChild(); node != null; node = node.getNext()) {
            if (node instanceof FencedCodeBlock || node instanceof TableBlock) {
                add(node.getSourceSpans(), text, into);
            } else {
                collect(node, text, into);
            }
        }
    }

    private static void add(List<SourceSpan> spans, String text, List<Range> into) {
        if (spans.isEmpty()) {
            return;
        }
        SourceSpan last = spans.getLast();
        int start = text.lastIndexOf('\n', Math.max(0, spans.getFirst().getInputIndex()) - 1) + 1;
        int newline = text.indexOf('\n', last.getInputIndex() + last.getLength());
        into.add(new Range(start, newline < 0 ? text.length() : newline + 1));
    }
}
