package io.millrace.architecture.violations.engine.tensor;

final class Throws {
    private Throws() {}

    static RuntimeException fault() {
        return new RuntimeException("planted");
    }
}
