package io.millrace.npu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.npu.Card.Direction;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What goes wrong on a card becomes an error that says what, where and why, and leaves nothing behind.
class FaultTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private SoftwareCard card;
    private Libraries libraries;

    @TempDir
    private Path folder;

    @BeforeEach
    void open() {
        card = SoftwareCard.get();
        libraries = Libraries.open(List.of(card.folder("latest")), List.of());
    }

    @AfterEach
    void nothingIsLeft() {
        card.fault("");
        card.trace("");
        card.memory(1L << 34);
        assertThat(card.live()).isEmpty();
    }

    private NpuKernels kernels(Duration patience) {
        return NpuKernels.open(libraries, 0, Arithmetic.F32, patience);
    }

    private static Matrix matrix(int rows, int cols) {
        return new Matrix(
                "ones", DType.F32, rows, cols, MemorySegment.ofArray(new byte[rows * cols * Float.BYTES]), null);
    }

    private static float[] product(Kernels kernels) {
        Floats y = kernels.allocate(3 * 5);
        kernels.matmul(kernels.upload(new float[3 * 8]), 3, matrix(5, 8), y);
        float[] values = new float[15];
        kernels.read(y, 0, values, 0, 15);
        return values;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "fail:aclnnMmGetWorkspaceSize:1:161002|aclnnMm(FLOAT[3, 8], FLOAT[8, 5], FLOAT[3, 5], 0) on npu 0 (Ascend910B3):"
                        + " expected status 0, got 161002 (invalid argument): EE9999: injected fault in"
                        + " aclnnMmGetWorkspaceSize",
                "fail:aclnnMm:1:561003|aclnnMm(FLOAT[3, 8], FLOAT[8, 5], FLOAT[3, 5], 0) on npu 0 (Ascend910B3): expected"
                        + " status 0, got 561003 (no kernel package for this chip): EE9999: injected fault in aclnnMm",
                "async:aclnnMm:1:507015|waiting for the compute stream after [TO_DEVICE, TO_DEVICE, aclnnMm(FLOAT[3, 8],"
                        + " FLOAT[8, 5], FLOAT[3, 5], 0)] on npu 0 (Ascend910B3): expected status 0, got 507015 (a task of"
                        + " the device failed): EE1001: an earlier task of the stream failed",
                "async:aclnnMm:1:507053|got 507053 (memory error of the device)",
                "fail:aclrtMemcpyAsync:1:507899|aclrtMemcpyAsync of 96 bytes TO_DEVICE on npu 0 (Ascend910B3): expected"
                        + " status 0, got 507899 (driver error: device nodes, permissions, driver version)",
                "lost:*:40:507010|got 507010 (device lost)"
            })
    void aFailingCall_saysWhatWhereAndWhy(String fault, String message) {
        try (NpuKernels kernels = kernels(PATIENCE)) {
            card.fault(fault);
            Throwable thrown = catchThrowable(() -> {
                for (int i = 0; i < 10; i++) {
                    product(kernels);
                }
            });
            assertThat(thrown).isInstanceOf(EngineException.class).hasMessageContaining(message);
            assertThat(((EngineException) thrown).code()).isEqualTo(ErrorCode.DEVICE_FAILED);
        }
    }

    @Test
    void anOldText_isNotRepeated() {
        try (NpuKernels kernels = kernels(PATIENCE)) {
            card.fault("fail:aclnnMm:1:561003;fail:aclrtMemsetAsync:2:107000");
            assertThatThrownBy(() -> product(kernels)).hasMessageEndingWith("EE9999: injected fault in aclnnMm");
            assertThatThrownBy(() -> product(kernels))
                    .hasMessageEndingWith("EE9999: injected fault in aclrtMemsetAsync");
        }
    }

    @Test
    void aTaskThatNeverEnds_isGivenUp() {
        try (NpuKernels kernels = kernels(Duration.ofMillis(200))) {
            card.fault("hang:aclnnMm:1");
            assertThatThrownBy(() -> product(kernels))
                    .hasMessageContaining("waiting for the compute stream after")
                    .hasMessageContaining("got 107020 (timed out)");
        }
    }

    @Test
    void memoryUsedUp_isRefusedWithTheSizeAskedFor() {
        card.memory(100L << 20);
        try (NpuKernels kernels = kernels(PATIENCE)) {
            Floats held = kernels.allocate(15 << 20);
            assertThatThrownBy(() -> kernels.allocate(15 << 20))
                    .hasMessageContaining("aclrtMalloc of 67108864 bytes on npu 0 (Ascend910B3): expected status 0, got"
                            + " 207001 (out of memory): EE1001: device memory is used up");
            assertThat(held.size()).isEqualTo(15 << 20);
        }
    }

    @Test
    void memoryNobodyRefersTo_comesBack() {
        card.memory(200L << 20);
        try (NpuKernels kernels = kernels(PATIENCE)) {
            // ten times what the card has
            for (int i = 0; i < 32; i++) {
                assertThat(kernels.allocate(15 << 20).size()).isEqualTo(15 << 20);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "fail:aclrtSetDevice:1:507899, aclrtSetDevice",
        "fail:aclrtCreateContext:1:507899, aclrtCreateContext",
        "fail:aclrtCreateStream:2:507899, aclrtCreateStream",
        "fail:aclrtMallocHost:2:507899, aclrtMallocHost of 16777216 bytes",
        "fail:aclrtCreateEvent:3:507899, aclrtCreateEvent"
    })
    void aCardThatCannotBeOpened_leavesNothing(String fault, String call) {
        card.fault(fault);
        assertThatThrownBy(() -> kernels(PATIENCE))
                .isInstanceOf(EngineException.class)
                .hasMessageStartingWith(call + " on npu 0")
                .hasMessageContaining("got 507899");
    }

    @Test
    void aCardThatIsNotThere_isNamed() {
        assertThatThrownBy(() -> NpuKernels.open(libraries, 7, Arithmetic.F32, PATIENCE))
                .hasMessageStartingWith("aclrtSetDevice on npu 7 (Ascend910B3): expected status 0, got 107001 (no such"
                        + " device): EE1001: no such device");
    }

    @Test
    void aHostAddress_isNoDeviceMemory() throws Card.FullException {
        try (Card opened = Card.open(Acl.of(libraries), 0, PATIENCE);
                Arena arena = Arena.ofConfined()) {
            DeviceMemory memory = opened.malloc(64);
            long host = arena.allocate(64).address();
            assertThatThrownBy(() -> opened.copy(Direction.ON_DEVICE, memory.address, host, 64, opened.computeStream()))
                    .hasMessageContaining("got 107000 (invalid argument): EE1001: copy: an address does not lie where"
                            + " the kind says");
            assertThatThrownBy(() -> opened.copy(Direction.TO_DEVICE, memory.address, host, 64, opened.computeStream()))
                    .hasMessageContaining("asynchronous, but host memory is not pinned");
            assertThatThrownBy(() -> opened.copy(
                            Direction.ON_DEVICE, memory.address, memory.address + 1024, 64, opened.computeStream()))
                    .hasMessageContaining("copy: beyond an allocation");
            MemoryPool pool = new MemoryPool(opened);
            Launcher launcher = new Launcher(opened, libraries, pool);
            launcher.run(
                    Operator.SQRT,
                    Tensor.dense(host, AclType.FLOAT, 16, 0, 16),
                    Tensor.dense(memory.address, AclType.FLOAT, 16, 0, 16));
            assertThatThrownBy(() -> opened.synchronize(opened.computeStream()))
                    .hasMessageContaining("aclnnSqrt(FLOAT[16], FLOAT[16])")
                    .hasMessageContaining("got 507015");
            opened.stop();
            launcher.close();
            pool.close();
            memory.close();
        }
    }

    @Test
    void memoryNeverClosed_isCountedAndGivenBack() throws Card.FullException {
        Card opened = Card.open(Acl.of(libraries), 0, PATIENCE);
        DeviceMemory forgotten = opened.malloc(64);
        assertThat(opened.liveCount()).isEqualTo(1);
        assertThat(forgotten.bytes).isEqualTo(64);
        opened.close();
        assertThat(opened.liveCount()).isZero();
    }

    @Test
    void anotherThread_takesTheContextWithIt() throws InterruptedException {
        try (NpuKernels kernels = kernels(PATIENCE)) {
            float[][] got = new float[1][];
            Thread other = new Thread(() -> got[0] = product(kernels));
            other.start();
            other.join();
            assertThat(got[0]).containsExactly(product(kernels));
        }
    }

    @Test
    void plansAreKept_andAddressesMoved() {
        try (NpuKernels kernels = kernels(PATIENCE)) {
            for (int i = 0; i < 20; i++) {
                product(kernels);
            }
            assertThat(kernels.counts()).isEqualTo(new Launcher.Counts(20, 1));
            card.fault("fail:aclSetAclOpExecutorRepeatable:1:161002");
            Floats x = kernels.upload(new float[] {1, 2, 3});
            kernels.add(x, 3, kernels.upload(new float[3]));
            kernels.add(x, 3, kernels.upload(new float[3]));
            // refused the first time, kept from the second on
            assertThat(kernels.counts()).isEqualTo(new Launcher.Counts(22, 3));
        }
    }

    /// Streams before contexts, and no memory after the context that it belongs to.
    @Test
    void closing_goesInOrder() throws IOException {
        Path trace = folder.resolve("trace");
        NpuKernels kernels = kernels(PATIENCE);
        product(kernels);
        card.trace(trace.toString());
        kernels.close();
        card.trace("");
        List<String> calls = Files.readAllLines(trace).stream()
                .map(line -> line.split(" ")[2])
                .filter(call -> !call.startsWith("aclrtSetCurrent") && !call.startsWith("aclrtSynchronize"))
                .distinct()
                .toList();
        assertThat(calls)
                .containsExactly(
                        "aclrtDestroyStreamForce",
                        "aclrtFreeHost",
                        "aclrtFree",
                        "aclrtDestroyEvent",
                        "aclrtDestroyContext");
    }
}
