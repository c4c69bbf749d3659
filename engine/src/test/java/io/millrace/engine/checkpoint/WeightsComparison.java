package io.millrace.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.Weights;
import io.millrace.engine.tensor.HostFloats;
import io.millrace.engine.tensor.Matrix;
import java.lang.reflect.RecordComponent;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Compares two models' weights bit by bit, field by field.
final class WeightsComparison {
    private final ModelConfig config;
    private int matrices;
    private int vectors;

    private WeightsComparison(ModelConfig config) {
        this.config = config;
    }

    /// @return how many matrices and vectors were compared
    static int assertSame(Weights actual, Weights expected, ModelConfig config) {
        WeightsComparison comparison = new WeightsComparison(config);
        comparison.compare("weights", actual, expected);
        return comparison.matrices + comparison.vectors;
    }

    private void compare(String where, @Nullable Object actual, @Nullable Object expected) {
        if (actual == null || expected == null) {
            assertThat(actual).as(where).isSameAs(expected);
            return;
        }
        switch (expected) {
            case Matrix matrix -> compareMatrix(where, (Matrix) actual, matrix);
            case HostFloats floats -> {
                assertThat(((HostFloats) actual).array()).as(where).isEqualTo(floats.array());
                vectors++;
            }
            case List<?> list -> {
                List<?> others = (List<?>) actual;
                assertThat(others).as(where).hasSameSizeAs(list);
                for (int i = 0; i < list.size(); i++) {
                    compare(where + "[" + i + "]", others.get(i), list.get(i));
                }
            }
            case Weights.ExpertStore store -> {
                Weights.ExpertStore other = (Weights.ExpertStore) actual;
                assertThat(other.size()).as(where).isEqualTo(store.size());
                for (int expert = 0; expert < store.size(); expert++) {
                    compare(where + "[" + expert + "]", other.expert(expert), store.expert(expert));
                }
            }
            case Weights.ExpertTable table -> compareTable(where, (Weights.ExpertTable) actual, table);
            case Record record when !(record instanceof ModelConfig.Layer) -> compareRecord(where, actual, record);
            default -> assertThat(actual).as(where).isEqualTo(expected);
        }
    }

    private void compareRecord(String where, Object actual, Record expected) {
        for (RecordComponent component : expected.getClass().getRecordComponents()) {
            try {
                component.getAccessor().setAccessible(true);
                compare(
                        where + "." + component.getName(),
                        component.getAccessor().invoke(actual),
                        component.getAccessor().invoke(expected));
            } catch (ReflectiveOperationException e) {
                throw new LinkageError(where, e);
            }
        }
    }

    private void compareMatrix(String where, Matrix actual, Matrix expected) {
        assertThat(actual.dtype()).as(where).isEqualTo(expected.dtype());
        assertThat(actual.rows()).as(where).isEqualTo(expected.rows());
        assertThat(actual.cols()).as(where).isEqualTo(expected.cols());
        assertThat(actual.data().mismatch(expected.data())).as(where).isEqualTo(-1);
        Matrix.Scales scales = expected.scales();
        Matrix.Scales others = actual.scales();
        if (scales == null || others == null) {
            assertThat(others).as(where).isSameAs(scales);
        } else {
            assertThat(others.dtype()).as(where).isEqualTo(scales.dtype());
            assertThat(others.blockRows()).as(where).isEqualTo(scales.blockRows());
            assertThat(others.blockCols()).as(where).isEqualTo(scales.blockCols());
            assertThat(others.data().mismatch(scales.data())).as(where).isEqualTo(-1);
        }
        matrices++;
    }

    private void compareTable(String where, Weights.ExpertTable actual, Weights.ExpertTable expected) {
        for (int token = 0; token < config.vocabSize(); token++) {
            for (int slot = 0; slot < config.moe().numExpertsPerTok(); slot++) {
                assertThat(actual.expert(token, slot)).as(where).isEqualTo(expected.expert(token, slot));
            }
        }
        vectors++;
    }
}
