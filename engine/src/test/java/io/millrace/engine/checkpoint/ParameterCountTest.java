package io.millrace.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.model.ModelConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ParameterCountTest {
    @TempDir
    Path dir;

    /// Published: 284.332 B + 6.610 B = 290,942,289,362, active 13.27 B.
    @Test
    void of_flash() {
        RandomCheckpoint flash = released();
        flash.hiddenSize = 4096;
        flash.numAttentionHeads = 64;
        flash.qLoraRank = 1024;
        flash.oGroups = 8;
        flash.compressRatios = ratios(43, 0);
        flash.indexTopk = 512;
        flash.nRoutedExperts = 256;
        flash.moeIntermediateSize = 2048;
        ParameterCount count = ParameterCount.of(read(flash));
        assertThat(count.total()).isEqualTo(290_942_289_362L);
        assertThat(count.main()).isEqualTo(284_332_240_471L);
        assertThat(count.active()).isEqualTo(13_270_101_591L);
    }

    /// Published: 1572.997 B + 25.840 B = 1,598,837,347,742, active 48.85 B.
    @Test
    void of_pro() {
        RandomCheckpoint pro = released();
        pro.hiddenSize = 7168;
        pro.numAttentionHeads = 128;
        pro.qLoraRank = 1536;
        pro.oGroups = 16;
        pro.compressRatios = ratios(61, 128);
        pro.indexTopk = 1024;
        pro.nRoutedExperts = 384;
        pro.moeIntermediateSize = 3072;
        ParameterCount count = ParameterCount.of(read(pro));
        assertThat(count.total()).isEqualTo(1_598_837_347_742L);
        assertThat(count.main()).isEqualTo(1_572_997_201_763L);
        assertThat(count.active()).isEqualTo(48_852_402_019L);
    }

    /// The formulas against the tensors themselves, for shapes unlike the released ones.
    @Test
    void of_anyModelIsWhatItStores() {
        RandomCheckpoint model = new RandomCheckpoint();
        model.hcMult = 3;
        model.oGroups = 1;
        model.nSharedExperts = 0;
        model.numHashLayers = 2;
        model.mtpLayers = 2;
        model.compressRatios = new int[] {4, 0, 8, 4};
        model.write(dir);
        try (Checkpoint checkpoint = Checkpoint.open(dir)) {
            List<Long> stored = new ArrayList<>();
            for (StoredTensor tensor : checkpoint.tensors()) {
                stored.add(tensor.name().endsWith("tid2eid") ? 0 : tensor.elements());
            }
            assertThat(ParameterCount.of(checkpoint.config()).total())
                    .isEqualTo(stored.stream().mapToLong(Long::longValue).sum());
        }
    }

    private static RandomCheckpoint released() {
        RandomCheckpoint model = new RandomCheckpoint();
        model.vocabSize = 129_280;
        model.headDim = 512;
        model.qkRopeHeadDim = 64;
        model.oLoraRank = 1024;
        model.slidingWindow = 128;
        model.indexNHeads = 64;
        model.indexHeadDim = 128;
        model.numExpertsPerTok = 6;
        model.numHashLayers = 3;
        model.mtpLayers = 1;
        return model;
    }

    /// Two layers of one ratio, then 4 and 128 in turn.
    private static int[] ratios(int layers, int first) {
        int[] ratios = new int[layers];
        for (int layer = 0; layer < layers; layer++) {
            ratios[layer] = layer < 2 ? first : layer % 2 == 0 ? 4 : 128;
        }
        return ratios;
    }

    private ModelConfig read(RandomCheckpoint model) {
        Path config = dir.resolve("config.json");
        try {
            Files.writeString(config, model.config().toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return (ModelConfig) Objects.requireNonNull(ModelConfigReader.read(config, ModelConfigReader.readRoot(config)))
                .model();
    }
}
