package io.millrace.jobs.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.millrace.jobs.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PricesTest {
    @TempDir
    private Path dir = Path.of("");

    /// A million documents of 4,000 tokens with answers of 300: 600 dollars and 180.
    @Test
    void shippedFile_ofOneMillionDocuments() {
        Prices prices = Prices.known();
        Prices.Model flash = prices.models().getFirst();
        assertThat(prices.currency()).isEqualTo("USD");
        assertThat(flash.model()).isEqualTo("deepseek-flash");
        assertThat(flash.offPeak().cost(4_000_000_000L, 0, 300_000_000L)).isCloseTo(780, within(1e-6));
        assertThat(prices.models()).allSatisfy(model -> {
            assertThat(model.source()).startsWith("https://");
            assertThat(model.seen()).matches("\\d{4}-\\d{2}-\\d{2}");
            assertThat(model.peak()).isNotNull();
        });
    }

    @Test
    void cachedInput_costsItsOwnPrice() {
        assertThat(new Prices.Rate(1, 10, 100).cost(3_000_000, 1_000_000, 2_000_000))
                .isCloseTo(1 + 20 + 200, within(1e-9));
    }

    @Test
    void otherKeys_areRefusedWithTheFile() throws IOException {
        Path file = Files.writeString(dir.resolve("p.yaml"), "currency: EUR\nmodels: []\ntypo: 1\n");
        assertThatThrownBy(() -> Prices.read(file))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("p.yaml")
                .hasMessageContaining("typo");
    }

    @Test
    void model_needsASourceAndADate() throws IOException {
        Path file = Files.writeString(dir.resolve("p.yaml"), """
                currency: EUR
                models: [{model: m, serves: m, off-peak: {cached-input: 1, input: 1, output: 1}}]
                """);
        assertThatThrownBy(() -> Prices.read(file))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("source, seen");
    }

    @Test
    void profile_ofTwoEngines() throws IOException {
        Path file = Files.writeString(dir.resolve("d.yaml"), """
                name: a card
                source: measured on a Tuesday
                prompt-tokens-per-second: 1000
                completion-tokens-per-second: 100
                start-seconds: 60
                """);
        DeviceProfile profile = DeviceProfile.read(file);
        assertThat(profile.seconds(10_000, 3_000, 2)).isCloseTo(60 + (10 + 30) / 2.0, within(1e-9));
        assertThat(profile.deviceMemoryBytes()).isZero();
    }

    @Test
    void profile_wrong_tellsAll() throws IOException {
        Path file = Files.writeString(
                dir.resolve("d.yaml"), "prompt-tokens-per-second: fast\nstart-seconds: -1\nspeed: 3\n");
        assertThatThrownBy(() -> DeviceProfile.read(file))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        e -> assertThat(e.problems())
                                .hasSize(4)
                                .anyMatch(problem -> problem.contains("speed"))
                                .anyMatch(problem -> problem.contains("got fast"))
                                .anyMatch(problem -> problem.contains("completion-tokens-per-second"))
                                .anyMatch(problem -> problem.contains("got -1")));
    }
}
