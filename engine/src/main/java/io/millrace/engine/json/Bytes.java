package io.millrace.engine.json;

import java.nio.charset.StandardCharsets;

/// A text's UTF-8.
record Bytes(String text) {

    static Bytes of(String text) {
        // one char per byte
        return new Bytes(new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1));
    }

    int at(int index) {
        return text.charAt(index);
    }

    int size() {
        return text.length();
    }
}
