package io.millrace.udf.shard;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/// A range of input rows inside one block: the unit of planning, of commit and of doing again. Everything
/// follows from the plan's metadata, nothing from the rows.
///
/// @param number place in the plan, from 0
/// @param block index of the block in the file
/// @param start first byte of the block
/// @param bytes length of the block
/// @param firstRow first row, counted in the block
/// @param rows how many rows
public record Shard(int number, InputFile file, int block, long start, long bytes, long firstRow, int rows) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PREFIX = "part-";
    private static final String SUFFIX = ".parquet";
    /// Hex digits of the identity in a file name.
    private static final int NAME_DIGITS = 16;
    private static final Pattern NAME =
            Pattern.compile(PREFIX + "[0-9a-f]{" + NAME_DIGITS + "}" + Pattern.quote(SUFFIX));

    /// What the shard is: SHA-256, lower-case hex, over file, its length and time of modification, block,
    /// range and the run's fingerprint. Its number is left out, so that a file more or less in front
    /// changes nothing.
    public String identity(String fingerprint) {
        String key = String.join(
                "\n",
                file.name(),
                file.version(),
                Integer.toString(block),
                Long.toString(firstRow),
                Integer.toString(rows),
                fingerprint);
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /// The first 64 bits of the identity: enough to tell the shards of one output apart.
    public long id(String fingerprint) {
        return Long.parseUnsignedLong(identity(fingerprint), 0, NAME_DIGITS, 16);
    }

    /// The name of the shard's output, which follows from what it is.
    public String outputName(String fingerprint) {
        return PREFIX + identity(fingerprint).substring(0, NAME_DIGITS) + SUFFIX;
    }

    /// The {@link #id} that a file is named by; empty if no shard's output has such a name.
    public static OptionalLong idOfName(String name) {
        return NAME.matcher(name).matches()
                ? OptionalLong.of(Long.parseUnsignedLong(name, PREFIX.length(), PREFIX.length() + NAME_DIGITS, 16))
                : OptionalLong.empty();
    }

    /// As JSON; how a shard travels, since a record does not survive every serializer that Spark may be set
    /// to.
    public String toJson() {
        try {
            return JSON.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("strings and numbers can always be written", e);
        }
    }

    static Shard ofJson(String json) {
        try {
            return JSON.readValue(json, Shard.class);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("shard: expected its JSON, got " + json, e);
        }
    }

    /// Where it is, for messages.
    @Override
    public String toString() {
        return file.name() + ", block " + block + ", rows " + firstRow + " to " + (firstRow + rows - 1);
    }
}
