package io.millrace.udf.served;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.net.http.HttpRequest;
import org.jspecify.annotations.Nullable;

/// The key of an interface, from the environment of the executor: the one setting that does not come with the
/// recipe, because whatever travels is written down somewhere. It has no other way out than a request's header.
final class ApiKey {
    private static final String HIDDEN = "*********(redacted)";

    private final String value;

    private ApiKey(String value) {
        this.value = value;
    }

    /// @param variable name of the environment variable; null for no key
    /// @throws EngineException BAD_CONFIGURATION if there is no such variable
    static ApiKey of(@Nullable String variable) {
        if (variable == null) {
            return new ApiKey("");
        }
        String value = System.getenv(variable);
        if (value == null || value.isBlank()) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION,
                    "served.api-key-variable: expected " + variable
                            + " in the executor's environment (of a cluster: spark.executorEnv." + variable
                            + "), got none");
        }
        return new ApiKey(value.strip());
    }

    HttpRequest.Builder addTo(HttpRequest.Builder request) {
        return value.isEmpty() ? request : request.header("Authorization", "Bearer " + value);
    }

    /// A server's words without the key, should it repeat it.
    String hiddenIn(String text) {
        return value.isEmpty() ? text : text.replace(value, HIDDEN);
    }
}
