package io.millrace.jobs.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class ResultsTest {
    @Test
    void median_ofEvenAndOddCounts() {
        assertThat(Results.median(DoubleStream.of(3, 1, 2))).hasValue(2);
        assertThat(Results.median(DoubleStream.of(4, 1, 2, 3))).hasValue(2.5);
        assertThat(Results.median(DoubleStream.of())).isEmpty();
    }

    @Test
    void bestRate_isOfNoMoreStreamsThanAsked() throws IOException {
        Results results = Results.open(null);
        results.addRate(new Work(64), "peer", "", 50);
        results.addRate(new Work(128), "peer", "", 70);
        results.addRate(new Work(256), "peer", "", 60);
        results.addRate(new Work(512), "peer", "", 80);
        results.addRate(Work.PREFILL, "peer", "", 900);
        assertThat(results.bestRate(new Work(256), "peer")).hasValue(70);
        assertThat(results.bestRate(new Work(32), "peer")).isEmpty();
    }

    @Test
    void addFailure_thenARate_forgetsTheFailure() throws IOException {
        Results results = Results.open(null);
        results.addFailure(new Work(1), "peer", "-x", "no");
        assertThat(results.rate(new Work(1), "peer")).isEmpty();
        results.addRate(new Work(1), "peer", "-x", 5);
        assertThat(results.entry("decode:1", "peer").has("failure")).isFalse();
        assertThat(results.rate(new Work(1), "peer")).hasValue(5);
    }
}
