package io.millrace.udf;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How an executor comes to the server that computes for it: by starting one, or by being given one.
///
/// @param endpoints base addresses such as `http://host:8000/v1`, of which each executor takes one; empty if it
///     starts a server
/// @param command words of the command that starts one; `{port}`, `{model}` and `{cards}` are filled in; empty if
///     endpoints are given
/// @param environment of the command, beside the executor's own; filled in alike
/// @param logDir folder of the server's log as the executors see it
/// @param restarts how often in a row a server that died is started again
/// @param startSeconds how long a server may take until it answers
/// @param requestSeconds how long one request may take
/// @param model name of the model in requests; null for the one the server names first
/// @param tokenizer folder with the model's `tokenizer.json`, with which prompts become tokens here; null to
///     leave that to the server
/// @param apiKeyVariable name of the executor's environment variable that holds the key; null for none
/// @param extraBody JSON object whose fields every request gets, in place of ours; null ones are left out
public record ServedRecipe(
        List<String> endpoints,
        List<String> command,
        Map<String, String> environment,
        String logDir,
        int restarts,
        int startSeconds,
        int requestSeconds,
        @Nullable String model,
        @Nullable String tokenizer,
        @Nullable String apiKeyVariable,
        String extraBody)
        implements Serializable {

    public ServedRecipe {
        endpoints = List.copyOf(endpoints);
        command = List.copyOf(command);
        environment = Map.copyOf(environment);
    }
}
