package io.millrace.jobs.swebench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/// A prediction that is to be graded.
record Assignment(Instance instance, Prediction prediction) {
    private static final ObjectMapper JSON = new ObjectMapper();

    String toJson() {
        return json(this);
    }

    static Assignment ofJson(String json) {
        try {
            return JSON.readValue(json, Assignment.class);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("expected an assignment, got " + e.getOriginalMessage(), e);
        }
    }

    /// SHA-256, lower-case hex, of everything a grade depends on but the machine.
    String fingerprint(Optional<TestEnvironment> environment) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(toJson().getBytes(StandardCharsets.UTF_8));
            environment.ifPresent(there -> digest.update(json(there).getBytes(StandardCharsets.UTF_8)));
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a record of texts is JSON", e);
        }
    }
}
