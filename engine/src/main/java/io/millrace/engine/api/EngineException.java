package io.millrace.engine.api;

import java.io.Serial;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Every failure of the engine that is not a programming error of the caller. The message says what,
/// expected, got and where, in one line. Serializable, so that Spark can carry it to the driver: it holds a
/// code and text only.
public final class EngineException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;

    public EngineException(ErrorCode code, String message) {
        this(code, message, null);
    }

    public EngineException(ErrorCode code, String message, @Nullable Throwable cause) {
        super(oneLine(message), cause);
        this.code = code;
    }

    /// A name out of a damaged file may hold anything.
    private static String oneLine(String message) {
        StringBuilder line = new StringBuilder(message.length());
        message.codePoints().forEach(codePoint -> {
            switch (Character.getType(codePoint)) {
                case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SURROGATE ->
                    line.append(String.format(Locale.ROOT, "\\u%04x", codePoint));
                default -> line.appendCodePoint(codePoint);
            }
        });
        return line.toString();
    }

    public ErrorCode code() {
        return code;
    }
}
