package io.millrace.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.engine.kernel.NativeLibrary.Arithmetic;
import io.millrace.engine.kernel.NativeLibrary.Level;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Matrix;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/// A platform's library in a process of its own, perhaps emulated: `src/test/c/products.c`, compiled
/// against it.
final class ProductsProcess implements ProductParity.Multiplier, AutoCloseable {
    private final Process process;
    private final Path errors;
    private final InputStream answers;
    private final OutputStream questions;
    private final List<Level> levels;

    private ProductsProcess(Path folder, List<String> command) throws IOException {
        errors = folder.resolve("errors.txt");
        process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
        answers = process.getInputStream();
        questions = process.getOutputStream();
        ByteBuffer has = answer(Level.values().length * Integer.BYTES);
        levels =
                Arrays.stream(Level.values()).filter(level -> has.getInt() == 1).toList();
    }

    /// Skips the test where there is no such library, compiler or emulator.
    ///
    /// @param platform whose library, such as `linux-aarch64`
    /// @param emulator the command that runs its programs, none for this machine's own
    static ProductsProcess start(Path folder, String platform, String compiler, List<String> emulator)
            throws IOException, InterruptedException {
        for (String program : emulator.isEmpty() ? List.of(compiler) : List.of(compiler, emulator.getFirst())) {
            assumeTrue(isInstalled(folder, program), () -> "there is no " + program + " on this machine");
        }
        try (InputStream library = NativeLibrary.library(platform)) {
            assumeTrue(library != null, () -> "no native kernels for " + platform + " in this build");
            Files.copy(Objects.requireNonNull(library), folder.resolve("libmillrace.so"));
        }
        String program = folder.resolve("products").toString();
        Path log = folder.resolve("compiler.txt");
        int exit = new ProcessBuilder(
                        compiler,
                        "-std=c11",
                        "-O1",
                        "-Isrc/main/c",
                        "-o",
                        program,
                        "src/test/c/products.c",
                        "-L" + folder,
                        "-lmillrace",
                        "-Wl,-rpath," + folder)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start()
                .waitFor();
        assertThat(exit).as(() -> text(log)).isZero();
        List<String> command = new ArrayList<>(emulator);
        command.add(program);
        return new ProductsProcess(folder, command);
    }

    private static boolean isInstalled(Path folder, String program) throws InterruptedException {
        try {
            return new ProcessBuilder(program, "--version")
                            .redirectErrorStream(true)
                            .redirectOutput(folder.resolve("version.txt").toFile())
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    /// What the processor has.
    List<Level> levels() {
        return levels;
    }

    @Override
    public ProductParity.Product multiply(Level level, float[] x, int rows, Matrix w, int parts) {
        byte[] data = w.data().toArray(ValueLayout.JAVA_BYTE);
        Matrix.Scales stored = w.scales();
        byte[] scales = (stored == null ? MemorySegment.NULL : stored.data()).toArray(ValueLayout.JAVA_BYTE);
        ByteBuffer question = ByteBuffer.allocate(12 * Integer.BYTES + data.length + scales.length + 4 * x.length)
                .order(ByteOrder.LITTLE_ENDIAN);
        question.putInt(level.code)
                .putInt(rows)
                .putInt(Math.ceilDiv(w.rows(), parts))
                .putInt(data.length)
                .putInt(scales.length)
                .putInt(NativeProducts.format(w.dtype()))
                .putInt(w.rows())
                .putInt(w.cols())
                .putInt(Math.toIntExact(w.dtype().bytes(w.cols())))
                .putInt(stored != null && stored.dtype() == DType.F32 ? 1 : 0)
                .putInt(stored == null ? 1 : stored.blockRows())
                .putInt(stored == null ? 1 : stored.blockCols())
                .put(data)
                .put(scales);
        for (float value : x) {
            question.putFloat(value);
        }
        try {
            questions.write(question.array());
            questions.flush();
            int arithmetic = answer(Integer.BYTES).getInt();
            float[] y = new float[rows * w.rows()];
            answer(y.length * Float.BYTES).asFloatBuffer().get(y);
            return new ProductParity.Product(
                    Arrays.stream(Arithmetic.values())
                            .filter(how -> how.code == arithmetic)
                            .findFirst()
                            .orElseThrow(),
                    y);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    level + " " + w.dtype() + " [" + w.rows() + ", " + w.cols() + "], " + rows + " rows", e);
        }
    }

    private ByteBuffer answer(int bytes) throws IOException {
        byte[] answer = answers.readNBytes(bytes);
        if (answer.length < bytes) {
            throw new IOException(
                    "expected " + bytes + " bytes, got " + answer.length + "; the process wrote: " + text(errors));
        }
        return ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        questions.close();
        answers.close();
        process.destroy();
    }
}
