package io.millrace.jobs.code;

/// Finds where a Java class ends of which the beginning, up to the opening brace of a method, is not at hand. Braces
/// in literals and comments do not count.
final class JavaBraces {
    private final String text;
    private int at;

    private JavaBraces(String text) {
        this.text = text;
    }

    /// The text up to the brace that closes the class. Where that is missing and the method is closed, it is added.
    static String closed(String text) {
        return new JavaBraces(text).closed();
    }

    private String closed() {
        // of the class and of the method
        int depth = 2;
        while (at < text.length()) {
            switch (text.charAt(at)) {
                case '{' -> depth++;
                case '}' -> depth--;
                case '"' -> skipString();
                case '\'' -> skipLiteral('\'');
                case '/' -> skipComment();
                default -> {
                    // nothing to count
                }
            }
            at++;
            if (depth == 0) {
                return text.substring(0, at);
            }
        }
        return depth == 1 ? text + "\n}" : text;
    }

    private void skipString() {
        if (text.startsWith("\"\"\"", at)) {
            int end = text.indexOf("\"\"\"", at + 3);
            at = end < 0 ? text.length() : end + 2;
        } else {
            skipLiteral('"');
        }
    }

    /// To the closing quote, or to the end of the line if there is none.
    private void skipLiteral(char quote) {
        for (at++; at < text.length() && text.charAt(at) != quote && text.charAt(at) != '\n'; at++) {
            if (text.charAt(at) == '\\') {
                at++;
            }
        }
    }

    private void skipComment() {
        if (text.startsWith("//", at)) {
            int end = text.indexOf('\n', at);
            at = end < 0 ? text.length() : end;
        } else if (text.startsWith("/*", at)) {
            int end = text.indexOf("*/", at + 2);
            at = end < 0 ? text.length() : end + 1;
        }
    }
}
