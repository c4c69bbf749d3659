package io.millrace.jobs.swebench;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads what became of each test from what a test runner printed. The rules are those of the official
/// harness (v5.0.1), quirks included, since the names of the tests in the datasets were found by them.
@FunctionalInterface
interface LogParser {

    /// Tests by name. The same test named twice is what the later says.
    Map<String, TestStatus> parse(String log);

    /// Prints one JUnit XML document after the other.
    String JUNIT_XML = "junit_xml";

    /// The parser of a name of the datasets, or {@link #JUNIT_XML}; null if it is none of those that
    /// are here.
    static @Nullable LogParser named(@Nullable String name) {
        return name == null ? null : Registry.PARSERS.get(name);
    }

    /// All names.
    final class Registry {
        private static final Map<String, LogParser> PARSERS = new HashMap<>();

        static {
            for (String name :
                    new String[] {"pytest", "astroid", "flask", "marshmallow", "pvlib", "pyvista", "sqlfluff", "xarray"
                    }) {
                PARSERS.put("parse_log_" + name, PytestLog::plain);
            }
            for (String name : new String[] {"pytest_options", "pydicom", "requests", "pylint"}) {
                PARSERS.put("parse_log_" + name, PytestLog::shortOptions);
            }
            for (String name : new String[] {"pytest_v2", "astropy", "scikit", "sphinx"}) {
                PARSERS.put("parse_log_" + name, PytestLog::spacedNames);
            }
            PARSERS.put("parse_log_matplotlib", PytestLog::mouseButtons);
            PARSERS.put("parse_log_seaborn", PytestLog::statusInside);
            PARSERS.put("parse_log_sympy", SympyLog::parse);
            PARSERS.put("parse_log_django", DjangoLog::parse);
            PARSERS.put("parse_log_maven", JavaLogs::maven);
            PARSERS.put("parse_log_ant", JavaLogs::ant);
            PARSERS.put("parse_log_gradle_custom", JavaLogs::gradle);
            PARSERS.put(JUNIT_XML, JunitXml::parse);
        }

        private Registry() {}
    }
}
