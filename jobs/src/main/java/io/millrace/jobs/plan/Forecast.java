package io.millrace.jobs.plan;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.jobs.ConfigFile;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.inspect.ModelMemory;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What is expected of a run: what its rows are, and what that takes.
///
/// @param config of the run
/// @param prompts the first rows, as the model will see them
/// @param prefixes of the rows looked at
/// @param work of all rows
/// @param calibration null if nothing was measured
/// @param profile null if none was given
/// @param fleet that computes
/// @param seconds from the first request to the last row; null if nothing tells
/// @param memory null where that is not this program's affair, or not known
/// @param deviceHourPrice null if it was not given
/// @param prices of public interfaces
/// @param open what the run will also do, of which nothing can be told before; null if that is nothing
record Forecast(
        JobConfig config,
        Survey survey,
        List<EncodedRow> prompts,
        SharedPrefixes prefixes,
        Work work,
        @Nullable Calibration calibration,
        @Nullable DeviceProfile profile,
        Fleet fleet,
        @Nullable Double seconds,
        @Nullable ModelMemory memory,
        @Nullable Double deviceHourPrice,
        Prices prices,
        @Nullable String open) {
    static final int VERSION = 1;
    private static final double SECONDS_PER_HOUR = 3600;

    /// What is to be computed.
    ///
    /// @param answers output rows that an engine computes
    /// @param promptTokens of all of them
    /// @param sharedTokens of these, those that another prompt has computed, if prompts share
    /// @param completionTokens of answers, written or scored
    /// @param length of an answer that is written
    /// @param steps forward passes of all engines; null where a server makes them
    /// @param occupancy how full they are, in [0, 1]; null likewise
    record Work(
            long answers,
            long promptTokens,
            long sharedTokens,
            long completionTokens,
            AnswerLength length,
            @Nullable Long steps,
            @Nullable Double occupancy) {}

    /// What computes.
    ///
    /// @param engines one for each executor
    /// @param cards of each engine; 0 for none
    record Fleet(int engines, int cards) {

        /// What is paid for: cards, or hosts' processors where there are none.
        int devices() {
            return engines * Math.max(1, cards);
        }
    }

    Forecast {
        prompts = List.copyOf(prompts);
    }

    long cachedTokens() {
        return config.engine().prefixSharing() ? work.sharedTokens() : 0;
    }

    /// Null if the time is not known.
    @Nullable
    Double deviceHours() {
        return seconds == null ? null : seconds / SECONDS_PER_HOUR * fleet.devices();
    }

    /// In the currency of the prices; null if the time or the price is not known.
    @Nullable
    Double cost() {
        Double hours = deviceHours();
        return hours == null || deviceHourPrice == null ? null : hours * deviceHourPrice;
    }

    /// What the same tokens cost at a public interface.
    double cost(Prices.Rate rate) {
        return rate.cost(work.promptTokens(), work.sharedTokens(), work.completionTokens());
    }

    ObjectNode toJson() {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode json = mapper.createObjectNode();
        json.put("version", VERSION);
        json.put("at", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
        json.put("rows", survey.rows() * config.sampling().samples());
        json.put("prompt_tokens", work.promptTokens());
        json.put("cached_tokens", cachedTokens());
        json.put("completion_tokens", work.completionTokens());
        json.put("steps", work.steps());
        json.put("seconds", seconds);
        json.put("device_hours", deviceHours());
        Double cost = cost();
        if (cost == null) {
            json.putNull("cost");
        } else {
            json.putObject("cost").put("currency", prices.currency()).put("total", cost);
        }
        json.put("answers", work.answers());
        json.put("shared_tokens", work.sharedTokens());
        json.put("shared_share", prefixes.share());
        json.put("occupancy", work.occupancy());
        json.putObject("answer_length")
                .put("mean", work.length().mean())
                .put("error_95", work.length().error())
                .put(
                        "source",
                        work.length().source().name().toLowerCase(Locale.ROOT).replace('_', '-'));
        json.set("prompt_lengths", survey.promptLengths().toJson());
        json.set("input", survey.toJson(config.prompt().overlong().wireName()));
        json.putObject("fleet").put("engines", fleet.engines()).put("cards", fleet.cards());
        json.set("memory", mapper.valueToTree(memory));
        json.set("calibration", calibration == null ? mapper.nullNode() : calibration.toJson());
        json.set("profile", mapper.valueToTree(profile));
        ArrayNode api = json.putArray("public_apis");
        for (Prices.Model model : prices.models()) {
            ObjectNode entry = api.addObject();
            entry.put("model", model.model()).put("source", model.source()).put("seen", model.seen());
            entry.put("currency", prices.currency()).put("off_peak", cost(model.offPeak()));
            entry.put("peak", model.peak() == null ? null : cost(model.peak()));
        }
        ArrayNode first = json.putArray("prompts");
        prompts.forEach(row -> first.add(row.isRefused() ? row.message() : row.spelled()));
        json.put("open", open);
        json.set("config", mapper.valueToTree(ConfigFile.groups(config)));
        return json;
    }
}
