package io.millrace.jobs.swebench;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What an executor needs to know to grade.
///
/// @param output directory of the results
/// @param runId names the run in the results
/// @param repositories folder of clones, each called `owner__name`
/// @param dependencies folder of what environments have fetched before, for each repository one called
///     `owner__name`; null if there is none
/// @param work folder on the executors for checkouts; null for the system's temporary one
/// @param environments the first that is for an instance counts
/// @param engines programs to be tried, in this order, for instances with an image
/// @param timeoutSeconds for the tests of an instance, and for its build
record GradeRecipe(
        String output,
        String runId,
        String repositories,
        @Nullable String dependencies,
        @Nullable String work,
        List<TestEnvironment> environments,
        Map<String, String> settings,
        List<String> engines,
        int timeoutSeconds)
        implements Serializable {

    Optional<TestEnvironment> environment(Instance instance) {
        return environments.stream()
                .filter(environment -> environment.isFor(instance))
                .findFirst();
    }
}
