package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class RetryPlanTest {
    private static final RetryPlan PLAN = new RetryPlan(
            List.of(
                    new RetryPlan.Rule("silent", List.of()),
                    new RetryPlan.Rule("loops", List.of(of("temperature", 0.5), of("temperature", 0.9))),
                    new RetryPlan.Rule("cut", List.of(new TreeMap<>(Map.of("temperature", 0.1, "max-tokens", 96.0))))),
            3);

    private static SortedMap<String, Double> of(String name, double value) {
        return new TreeMap<>(Map.of(name, value));
    }

    @Test
    void next_ruleWithSeveralRetries_takesThemInTurnAndThenTheLast() {
        assertThat(PLAN.next(List.of("loops"), 0)).isEqualTo(new Retry(1, List.of("loops"), of("temperature", 0.5)));
        assertThat(PLAN.next(List.of("loops"), 1)).isEqualTo(new Retry(2, List.of("loops"), of("temperature", 0.9)));
        assertThat(PLAN.next(List.of("loops"), 2)).isEqualTo(new Retry(3, List.of("loops"), of("temperature", 0.9)));
        assertThat(PLAN.next(List.of("loops"), 3)).isNull();
    }

    @Test
    void next_severalRules_firstOfTheFileWinsAndAllAreNamed() {
        Retry retry = PLAN.next(List.of("cut", "loops", "silent"), 0);

        assertThat(retry)
                .isEqualTo(new Retry(
                        1,
                        List.of("silent", "loops", "cut"),
                        new TreeMap<>(Map.of("temperature", 0.5, "max-tokens", 96.0))));
    }

    @Test
    void next_noRuleWithARetry_isNone() {
        assertThat(PLAN.next(List.of("silent", "unknown"), 0)).isNull();
    }

    @Test
    void column_ofARetry_saysTheSame() {
        Retry retry = new Retry(
                2, List.of("loops", "cut"), new TreeMap<>(Map.of("temperature", 0.7, "max-tokens", 1e6, "beams", 1.0)));

        assertThat(retry.toColumn().getString(2)).isEqualTo("{\"beams\":1,\"max-tokens\":1000000,\"temperature\":0.7}");
        assertThat(Retry.ofColumn(retry.toColumn())).isEqualTo(retry);
        assertThat(Retry.ofColumn(null)).isNull();
    }

    @Test
    void sampling_withParameters_changesThoseAndNoOthers() {
        SamplingRecipe run = new SamplingRecipe(0, 0.9, 40, 0.1, 64, List.of(), 7, 2, 1, 0.7);

        assertThat(run.with(Map.of("temperature", 0.7, "max-tokens", 96.0, "top-k", 5.0)))
                .isEqualTo(new SamplingRecipe(0.7, 0.9, 5, 0.1, 96, List.of(), 7, 2, 1, 0.7));
        assertThat(run.with(Map.of())).isEqualTo(run);
    }

    @Test
    void sampling_parametersThatDoNotFit_areRefused() {
        SamplingRecipe beams = new SamplingRecipe(0, 1, 0, 0, 28, List.of(), 0, 1, 4, 0.7);

        assertThatThrownBy(() -> beams.with(Map.of("temperature", 0.7)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("sampling.temperature: expected 0 with beams, got 0.7");
        assertThatThrownBy(() -> beams.with(Map.of("heat", 0.7))).hasMessageContaining("got [heat]");
        assertThat(beams.with(Map.of("temperature", 0.7, "beams", 1.0)).temperature())
                .isEqualTo(0.7);
    }

    @Test
    void seed_ofEveryRetry_isAnother() {
        RowIdentity row = new RowIdentity("file:/in.parquet", "1@2", 1, 7, 0);

        assertThat(List.of(row.seed(5, 0), row.seed(5, 1), row.seed(5, 2), row.seed(6, 1)))
                .doesNotHaveDuplicates();
    }
}
