package io.millrace.jobs.code;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.udf.sandbox.Examiner;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/// Samples that are graded together.
///
/// @param name of its file, which follows from the samples and how they are graded: the file is there exactly when
///     these very samples have been graded so
record GradeShard(String name, List<Attempt> attempts) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ATTEMPTS = 8;
    private static final int ID_BYTES = 8;

    static List<GradeShard> of(List<Attempt> attempts, Examiner examiner) {
        List<GradeShard> shards = new ArrayList<>();
        for (int from = 0; from < attempts.size(); from += ATTEMPTS) {
            List<Attempt> some = List.copyOf(attempts.subList(from, Math.min(attempts.size(), from + ATTEMPTS)));
            String name = String.format(Locale.ROOT, "part-%05d-%s.parquet", shards.size(), id(some, examiner));
            shards.add(new GradeShard(name, some));
        }
        return shards;
    }

    private static String id(List<Attempt> attempts, Examiner examiner) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest((json(attempts) + examiner).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, ID_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    String toJson() {
        return json(this);
    }

    private static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("texts and numbers have JSON", e);
        }
    }
}
