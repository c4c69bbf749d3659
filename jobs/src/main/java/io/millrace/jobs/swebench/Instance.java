package io.millrace.jobs.swebench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.jobs.JobException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One task of a SWE-bench dataset.
///
/// @param repository `owner/name`
/// @param version of the repository, as the dataset counts; "" if it does not say
/// @param patch the gold patch
/// @param testPatch changes of tests, applied after a prediction
/// @param logParser official name of what reads the log of the tests
/// @param failOnly whether its log names failures only, so that a test it does not name has passed
/// @param evalScript what runs the tests inside the official image; null in files of the older shape
/// @param image official image; null in files of the older shape
record Instance(
        String id,
        String repository,
        String version,
        String baseCommit,
        String patch,
        String testPatch,
        String problem,
        List<String> failToPass,
        List<String> passToPass,
        @Nullable String logParser,
        boolean failOnly,
        @Nullable String evalScript,
        @Nullable String image) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String FAIL_ONLY = "fail_only";

    /// What files of the older shape leave out.
    private static final Map<String, String> PARSERS = Map.ofEntries(
            Map.entry("astropy/astropy", "parse_log_astropy"),
            Map.entry("django/django", "parse_log_django"),
            Map.entry("marshmallow-code/marshmallow", "parse_log_marshmallow"),
            Map.entry("matplotlib/matplotlib", "parse_log_matplotlib"),
            Map.entry("mwaskom/seaborn", "parse_log_seaborn"),
            Map.entry("pallets/flask", "parse_log_flask"),
            Map.entry("psf/requests", "parse_log_requests"),
            Map.entry("pvlib/pvlib-python", "parse_log_pvlib"),
            Map.entry("pydata/xarray", "parse_log_xarray"),
            Map.entry("pydicom/pydicom", "parse_log_pydicom"),
            Map.entry("pylint-dev/astroid", "parse_log_astroid"),
            Map.entry("pylint-dev/pylint", "parse_log_pylint"),
            Map.entry("pytest-dev/pytest", "parse_log_pytest"),
            Map.entry("pyvista/pyvista", "parse_log_pyvista"),
            Map.entry("scikit-learn/scikit-learn", "parse_log_scikit"),
            Map.entry("sqlfluff/sqlfluff", "parse_log_sqlfluff"),
            Map.entry("sphinx-doc/sphinx", "parse_log_sphinx"),
            Map.entry("sympy/sympy", "parse_log_sympy"),
            Map.entry("google/gson", "parse_log_maven"),
            Map.entry("apache/druid", "parse_log_maven"),
            Map.entry("javaparser/javaparser", "parse_log_maven"),
            Map.entry("projectlombok/lombok", "parse_log_ant"),
            Map.entry("apache/lucene", "parse_log_gradle_custom"),
            Map.entry("reactivex/rxjava", "parse_log_gradle_custom"));

    Instance {
        failToPass = List.copyOf(failToPass);
        passToPass = List.copyOf(passToPass);
    }

    /// @param where the row stands, for messages
    /// @throws JobException if a field that is needed is not there
    static Instance of(JsonNode row, String where) {
        String id = text(row, "instance_id", where);
        String at = where + ", " + id;
        String repository = text(row, "repo", at);
        String parser = optional(row, "log_parser");
        return new Instance(
                id,
                repository,
                row.path("version").asText(""),
                text(row, "base_commit", at),
                row.path("patch").asText(""),
                row.path("test_patch").asText(""),
                row.path("problem_statement").asText(""),
                tests(row, "FAIL_TO_PASS", at),
                tests(row, "PASS_TO_PASS", at),
                parser == null ? PARSERS.get(repository) : parser,
                row.path("eval_type").asText("").equals(FAIL_ONLY),
                optional(row, "eval_script"),
                optional(row, "image"));
    }

    private static String text(JsonNode row, String field, String where) {
        String text = optional(row, field);
        if (text == null) {
            throw new JobException(where + ": expected a text in " + field + ", got " + row.get(field));
        }
        return text;
    }

    private static @Nullable String optional(JsonNode row, String field) {
        JsonNode value = row.get(field);
        return value == null || !value.isTextual() || value.textValue().isEmpty() ? null : value.textValue();
    }

    /// An array, or a string that holds one, as most official files have it.
    private static List<String> tests(JsonNode row, String field, String where) {
        JsonNode value = row.path(field);
        try {
            if (value.isTextual()) {
                value = JSON.readTree(value.textValue());
            }
        } catch (JsonProcessingException e) {
            throw new JobException(where + ": expected a JSON array in " + field + ", got " + e.getOriginalMessage(), e);
        }
        if (!value.isArray()) {
            throw new JobException(where + ": expected an array of tests in " + field + ", got " + value.getNodeType());
        }
        List<String> tests = new ArrayList<>();
        value.forEach(test -> tests.add(test.asText()));
        return tests;
    }

    /// All tests that count.
    List<String> tests() {
        List<String> tests = new ArrayList<>(failToPass);
        tests.addAll(passToPass);
        return tests;
    }

    /// The name of the repository in file names.
    String repositoryName() {
        return repository.replace("/", "__");
    }
}
