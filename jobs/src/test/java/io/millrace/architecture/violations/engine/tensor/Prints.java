package io.millrace.architecture.violations.engine.tensor;

final class Prints {
    private Prints() {}

    static void print() {
        System.out.println("planted");
    }
}
