package io.millrace.notebooks;

import io.github.spencerpark.jupyter.channels.JupyterConnection;
import io.github.spencerpark.jupyter.kernel.BaseKernel;
import io.github.spencerpark.jupyter.kernel.KernelConnectionProperties;
import io.github.spencerpark.jupyter.kernel.LanguageInfo;
import io.github.spencerpark.jupyter.kernel.ReplacementOptions;
import io.github.spencerpark.jupyter.kernel.display.DisplayData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.stream.Stream;
import jdk.jshell.EvalException;
import jdk.jshell.JShell;
import jdk.jshell.JShellException;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis;
import jdk.jshell.SourceCodeAnalysis.Completeness;
import jdk.jshell.SourceCodeAnalysis.CompletionInfo;
import jdk.jshell.execution.LocalExecutionControlProvider;
import org.jspecify.annotations.Nullable;

/// A Jupyter kernel for Java. Cells are evaluated by JShell in this process, with its class path, so that a
/// run and what a notebook makes of its rows share one JVM.
public final class Kernel extends BaseKernel {
    /// What every notebook has imported.
    private static final String IMPORTS = """
            import java.awt.Color;
            import java.util.*;
            import java.util.stream.*;
            import org.apache.spark.sql.*;
            import org.knowm.xchart.*;
            import static io.millrace.notebooks.Charts.*;
            import static io.millrace.notebooks.Notebook.*;
            import static org.apache.spark.sql.functions.*;
            """;

    private final JShell shell = JShell.builder()
            .executionEngine(new LocalExecutionControlProvider(), Map.of())
            .build();

    /// Serves one notebook until Jupyter ends it.
    ///
    /// @param args Jupyter's connection file
    public static void main(String[] args) throws Exception {
        // the protocol's library tells every message
        LogManager.getLogManager().getLogger("").setLevel(Level.WARNING);
        JupyterConnection connection =
                new JupyterConnection(KernelConnectionProperties.parse(Files.readString(Path.of(args[0]))));
        Kernel kernel = new Kernel();
        Notebook.open(kernel);
        kernel.eval(IMPORTS);
        kernel.becomeHandlerForConnection(connection);
        connection.connect();
        connection.waitUntilClose();
        // Spark's threads would keep the process
        System.exit(0);
    }

    /// Evaluates the statements and declarations of a cell one after the other.
    ///
    /// @return what the last one is worth, if it is an expression
    @Override
    public @Nullable DisplayData eval(String cell) throws JShellException {
        SourceCodeAnalysis analysis = shell.sourceCodeAnalysis();
        String value = null;
        CompletionInfo next = analysis.analyzeCompletion(cell);
        while (next.completeness() != Completeness.EMPTY) {
            if (!next.completeness().isComplete()) {
                throw new IllegalArgumentException(
                        "expected a whole statement, got the beginning of one: " + next.remaining());
            }
            value = evaluate(next.source());
            next = analysis.analyzeCompletion(next.remaining());
        }
        return value == null || value.isEmpty() ? null : new DisplayData(value);
    }

    private @Nullable String evaluate(String source) throws JShellException {
        String value = null;
        for (SnippetEvent event : shell.eval(source)) {
            if (event.exception() != null) {
                throw event.exception();
            }
            if (event.causeSnippet() == null) {
                requireDefined(event);
                value = isExpression(event.snippet()) ? event.value() : null;
            }
        }
        return value;
    }

    /// A name's value, or one for which JShell finds a name of its own.
    private static boolean isExpression(Snippet snippet) {
        return snippet.kind() == Snippet.Kind.EXPRESSION
                || snippet.subKind() == Snippet.SubKind.TEMP_VAR_EXPRESSION_SUBKIND;
    }

    private void requireDefined(SnippetEvent event) {
        if (!event.status().isDefined() || event.status() == Snippet.Status.RECOVERABLE_DEFINED) {
            List<String> complaints = shell.diagnostics(event.snippet())
                    .map(problem -> problem.getMessage(Locale.ROOT))
                    .toList();
            throw new IllegalArgumentException(event.snippet().source().strip() + "\n" + String.join("\n", complaints));
        }
    }

    /// What the cell threw, and from where; of what does not compile, the compiler's words.
    @Override
    public List<String> formatError(Exception failure) {
        List<String> lines = new ArrayList<>();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String name = cause instanceof EvalException thrown
                    ? thrown.getExceptionClassName()
                    : cause.getClass().getName();
            lines.add((lines.isEmpty() ? "" : "caused by ") + name + ": " + cause.getMessage());
            if (cause instanceof EvalException) {
                Stream.of(cause.getStackTrace()).limit(20).forEach(frame -> lines.add("    at " + frame));
            }
        }
        return lines;
    }

    @Override
    public ReplacementOptions complete(String code, int at) {
        int[] anchor = new int[1];
        List<String> continuations = shell.sourceCodeAnalysis().completionSuggestions(code, at, anchor).stream()
                .map(SourceCodeAnalysis.Suggestion::continuation)
                .distinct()
                .toList();
        return new ReplacementOptions(continuations, anchor[0], at);
    }

    @Override
    public LanguageInfo getLanguageInfo() {
        return new LanguageInfo.Builder("Java")
                .version(Runtime.version().toString())
                .mimetype("text/x-java-source")
                .fileExtension(".jshell")
                .pygments("java")
                .codemirror("java")
                .build();
    }

    @Override
    public void interrupt() {
        shell.stop();
    }

    @Override
    public void onShutdown(boolean isRestarting) {
        shell.close();
    }
}
