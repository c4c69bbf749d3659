package io.millrace.jobs.swebench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// How the tests that count came out, by the official rules.
///
/// A test that was to begin to pass has to pass; of one that passed before, it is enough that it is
/// skipped. A test that the log does not name has failed, except where the log names failures only.
record TestsReport(Outcome failToPass, Outcome passToPass) {

    /// @param success tests that came out as they should
    /// @param failure the others
    record Outcome(List<String> success, List<String> failure) {
        Outcome {
            success = List.copyOf(success);
            failure = List.copyOf(failure);
        }

        private static Outcome of(List<String> tests, Predicate<String> succeeds) {
            List<String> success = new ArrayList<>();
            List<String> failure = new ArrayList<>();
            tests.forEach(test -> (succeeds.test(test) ? success : failure).add(test));
            return new Outcome(success, failure);
        }
    }

    static TestsReport of(Instance instance, Map<String, TestStatus> tests) {
        if (instance.failOnly()) {
            Predicate<String> silent = test -> tests.get(test) != TestStatus.FAILED;
            return new TestsReport(
                    Outcome.of(instance.failToPass(), silent), Outcome.of(instance.passToPass(), silent));
        }
        return new TestsReport(
                Outcome.of(instance.failToPass(), test -> passes(status(test, tests))),
                Outcome.of(instance.passToPass(), test -> {
                    TestStatus status = status(test, tests);
                    return passes(status) || status == TestStatus.SKIPPED;
                }));
    }

    private static boolean passes(@Nullable TestStatus status) {
        return status != null && status.passes();
    }

    /// Some names in Verified are cut off inside their parameter. Such a one stands for all tests that
    /// begin with it, if these agree.
    private static @Nullable TestStatus status(String test, Map<String, TestStatus> tests) {
        TestStatus exact = tests.get(test);
        if (exact != null || count(test, '[') <= count(test, ']')) {
            return exact;
        }
        List<TestStatus> found = tests.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(test))
                .map(Map.Entry::getValue)
                .toList();
        boolean agree = new TreeSet<>(found.stream().map(TestStatus::passes).toList()).size() == 1;
        return agree ? found.getFirst() : null;
    }

    private static long count(String text, char wanted) {
        return text.chars().filter(c -> c == wanted).count();
    }

    /// Nothing is left to be desired. A part of the tests does not count.
    boolean resolved() {
        return failToPass.failure().isEmpty() && passToPass.failure().isEmpty();
    }
}
