package io.millrace.notebooks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.spencerpark.jupyter.kernel.display.DisplayData;
import io.github.spencerpark.jupyter.kernel.display.mime.MIMEType;
import jdk.jshell.EvalException;
import jdk.jshell.JShellException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class KernelTest {
    private static final Kernel KERNEL = new Kernel();

    @AfterAll
    static void close() {
        KERNEL.onShutdown(false);
    }

    @Test
    void eval_severalStatements_isWorthTheLastExpression() throws JShellException {
        DisplayData value = KERNEL.eval("int seven = 7;\nint twice(int n) { return 2 * n; }\ntwice(seven)");

        assertThat(value.getData(MIMEType.TEXT_PLAIN)).isEqualTo("14");
        assertThat(KERNEL.eval("int eight = 8;")).isNull();
    }

    @Test
    void eval_whatDoesNotCompile_saysTheCompilersWords() {
        assertThatThrownBy(() -> KERNEL.eval("int word = \"word\";"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("int word")
                .hasMessageContaining("incompatible types");
        assertThatThrownBy(() -> KERNEL.eval("void half() {")).hasMessageContaining("half");
        assertThatThrownBy(() -> KERNEL.eval("int later() { return missing(); }"))
                .hasMessageContaining("missing");
    }

    @Test
    void formatError_whatACellThrew_isNamedAsItWas() {
        EvalException failure = catchThrowableOfType(
                EvalException.class, () -> KERNEL.eval("throw new IllegalStateException(\"no rows\");"));

        assertThat(KERNEL.formatError(failure).getFirst()).isEqualTo("java.lang.IllegalStateException: no rows");
    }
}
