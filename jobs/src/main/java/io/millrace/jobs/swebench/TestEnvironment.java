package io.millrace.jobs.swebench;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How the tests of a repository are run on a bare machine, where no official image is used. Commands
/// are lines for bash, run in the checkout, without network but for `prime`. They find in their variables:
///
/// - `DEPENDENCIES`, the folder that `prime` filled,
/// - `TESTS`, the names of the tests that count, `TEST_FILES`, the files of the test patch, and
///   `TEST_CLASSES`, the classes of tests that are called `class#method`, each separated by spaces,
/// - the settings that were given and the environment's own `variables`.
///
/// @param repositories `owner/name`
/// @param versions of the instances; empty for all
/// @param settings that have to be given, with what each is
/// @param tools programs that have to be on the path
/// @param variables for the commands; values may use the others, as `$NAME`
/// @param prime fetches what the other commands need, with network, into `DEPENDENCIES`
/// @param build makes the base commit ready; if that fails, the environment is at fault and not the patch
/// @param test runs the tests
/// @param reports files with results that the tests leave, as globs in the checkout; printed after them
/// @param logParser reads the log; null for the instance's own
record TestEnvironment(
        String name,
        List<String> repositories,
        List<String> versions,
        Map<String, String> settings,
        List<String> tools,
        Map<String, String> variables,
        List<String> prime,
        List<String> build,
        List<String> test,
        List<String> reports,
        @Nullable String logParser)
        implements Serializable {

    boolean isFor(Instance instance) {
        return repositories.contains(instance.repository())
                && (versions.isEmpty() || versions.contains(instance.version()));
    }
}
