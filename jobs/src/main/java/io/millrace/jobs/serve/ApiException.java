package io.millrace.jobs.serve;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.api.ErrorCode;
import java.io.Serial;
import org.jspecify.annotations.Nullable;

/// What is told to the client instead of an answer, in OpenAI's shape.
final class ApiException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private static final String INVALID = "invalid_request_error";

    private final int status;
    private final String type;
    private final @Nullable String param;
    private final @Nullable String code;

    private ApiException(int status, String type, @Nullable String param, @Nullable String code, String message) {
        super(message, null, false, false);
        this.status = status;
        this.type = type;
        this.param = param;
        this.code = code;
    }

    /// @param param the field of the request that is to blame; null if none is
    static ApiException invalid(@Nullable String param, String message) {
        return new ApiException(400, INVALID, param, null, message);
    }

    /// A field that this server does not do.
    static ApiException unsupported(String param, String message) {
        return new ApiException(400, INVALID, param, "unsupported_parameter", message);
    }

    static ApiException noModel(String asked, String served) {
        return new ApiException(
                404, INVALID, "model", "model_not_found", "model: expected \"" + served + "\", got \"" + asked + "\"");
    }

    static ApiException noPath(String method, String path) {
        return new ApiException(404, INVALID, null, "unknown_url", method + " " + path + ": no such path");
    }

    static ApiException tooLarge(int limit) {
        return new ApiException(
                413, INVALID, null, "request_too_large", "body: expected at most " + limit + " bytes, got more");
    }

    static ApiException busy(int limit) {
        return new ApiException(
                429,
                "rate_limit_error",
                null,
                "queue_full",
                "expected at most " + limit + " completions under way, got more; try again later");
    }

    /// A fault that is not the client's.
    static ApiException internal(String message) {
        return new ApiException(500, "server_error", null, "internal", message);
    }

    static ApiException of(ErrorCode code, String message) {
        return switch (code.kind()) {
            case BAD_INPUT, INSUFFICIENT_RESOURCES ->
                new ApiException(
                        400,
                        INVALID,
                        null,
                        code == ErrorCode.CONTEXT_EXCEEDED ? "context_length_exceeded" : null,
                        message);
            case DEVICE, MODEL_MISMATCH, INTERNAL, SERVER ->
                new ApiException(500, "server_error", null, code.name(), message);
        };
    }

    int status() {
        return status;
    }

    /// `{"error": {…}}`.
    ObjectNode body() {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("error")
                .put("message", getMessage())
                .put("type", type)
                .put("param", param)
                .put("code", code);
        return body;
    }
}
