package io.millrace.jobs.report;

import java.util.List;
import org.jsoup.nodes.Element;

/// A table that is being filled. A column whose heading begins with `#` has numbers, which stand at its
/// right end; the sign is not shown.
final class Table {
    private final List<String> columns;
    private final Element body;

    private Table(List<String> columns, Element body) {
        this.columns = columns;
        this.body = body;
    }

    static Table in(Element parent, String caption, String... columns) {
        Element table = parent.appendElement("div").addClass("scroll").appendElement("table");
        if (!caption.isEmpty()) {
            table.appendElement("caption").text(caption);
        }
        Element heading = table.appendElement("thead").appendElement("tr");
        for (String column : columns) {
            Element cell = heading.appendElement("th").attr("scope", "col");
            cell.text(isNumber(column) ? column.substring(1) : column);
            if (isNumber(column)) {
                cell.addClass("number");
            }
        }
        return new Table(List.of(columns), table.appendElement("tbody"));
    }

    private static boolean isNumber(String column) {
        return column.startsWith("#");
    }

    /// A line of texts, as many as there are columns.
    ///
    /// @return the line, for what is no text
    Element row(String... cells) {
        if (cells.length != columns.size()) {
            throw new IllegalArgumentException("expected " + columns.size() + " cells, got " + List.of(cells));
        }
        Element line = body.appendElement("tr");
        for (int column = 0; column < cells.length; column++) {
            Element cell = line.appendElement("td").attr("dir", "auto").text(cells[column]);
            if (isNumber(columns.get(column))) {
                cell.addClass("number");
            }
        }
        return line;
    }
}
