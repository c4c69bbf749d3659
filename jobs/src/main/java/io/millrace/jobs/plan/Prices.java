package io.millrace.jobs.plan;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.millrace.jobs.ConfigException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What public interfaces ask for tokens: a YAML file like `public-apis.yaml` beside this class.
///
/// @param models in the order of the file
record Prices(String currency, List<Model> models) {
    private static final String KNOWN = "public-apis.yaml";
    private static final double UNIT = 1_000_000;

    Prices {
        models = List.copyOf(models);
    }

    /// What one of them asks.
    ///
    /// @param serves what answers under that name
    /// @param seen when the source said so
    /// @param offPeak at its cheapest
    /// @param peak at its dearest; null if it always costs the same
    record Model(
            String model,
            String serves,
            String source,
            String seen,
            @JsonProperty("off-peak") Rate offPeak,
            @Nullable Rate peak,
            @JsonProperty("peak-hours") @Nullable String peakHours) {}

    /// In the file's currency for a million tokens.
    record Rate(@JsonProperty("cached-input") double cachedInput, double input, double output) {

        /// @param cached of the prompts' tokens, those that were computed before
        double cost(long prompt, long cached, long completion) {
            return (cached * cachedInput + (prompt - cached) * input + completion * output) / UNIT;
        }
    }

    /// The prices that the program knows.
    static Prices known() {
        try (InputStream in = Prices.class.getResourceAsStream(KNOWN)) {
            if (in == null) {
                throw new IllegalStateException(KNOWN + " is not in the jar");
            }
            return read(KNOWN, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new IllegalStateException(KNOWN + " is in the jar", e);
        }
    }

    /// @throws ConfigException if it is unreadable, or says something else
    static Prices read(Path file) {
        try {
            return read(file.toString(), Files.readString(file));
        } catch (IOException e) {
            throw new ConfigException(List.of(file + ": expected a readable file of prices, got " + e.getMessage()));
        }
    }

    private static Prices read(String file, String text) {
        try {
            Prices prices = JsonMapper.builder(new YAMLFactory())
                    .enable(
                            DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES,
                            DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                    .build()
                    .readValue(text, Prices.class);
            for (Model model : prices.models()) {
                if (model.model() == null
                        || model.source() == null
                        || model.seen() == null
                        || model.offPeak() == null) {
                    throw new ConfigException(List.of(
                            file + ": expected model, serves, source, seen and off-peak of each, got " + model));
                }
            }
            return prices;
        } catch (JsonProcessingException e) {
            throw new ConfigException(List.of(file + ": expected prices, got " + e.getOriginalMessage()));
        }
    }
}
