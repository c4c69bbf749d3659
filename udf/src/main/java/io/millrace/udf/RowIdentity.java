package io.millrace.udf;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.apache.spark.sql.Row;

/// Which input row, and which of its samples. Request id and seed are functions of it alone, so that
/// neither partitions nor retries nor the order of files can change an answer.
///
/// @param file input file as the plan wrote it
/// @param fileVersion length and time of modification of the file; of the request id, but not of the
///     seed, so that a copy of a corpus in its place gets the same answers
/// @param rowGroup row group in the file
/// @param row row in the row group
/// @param sampleIdx which of the row's samples
public record RowIdentity(String file, String fileVersion, int rowGroup, long row, int sampleIdx) {

    /// The identity of an input row.
    ///
    /// @param row of the shape of {@link InputColumns}
    public static RowIdentity of(Row row, int sampleIdx) {
        return new RowIdentity(
                row.getAs(InputColumns.FILE),
                row.getAs(InputColumns.FILE_VERSION),
                row.<Integer>getAs(InputColumns.ROW_GROUP),
                row.<Long>getAs(InputColumns.ROW),
                sampleIdx);
    }

    /// SHA-256 over file, row group, row, sample, the file's version and the run's fingerprint, lower-case
    /// hex.
    public String requestId(String configFingerprint) {
        return HexFormat.of().formatHex(sha256(key() + '\n' + fileVersion + '\n' + configFingerprint));
    }

    /// The row's seed: the first eight bytes of SHA-256 over the run's seed, the identity and, from the
    /// first on, the retry.
    ///
    /// @param attempt which retry; 0 for none
    public long seed(long runSeed, int attempt) {
        String key = runSeed + "\n" + key();
        return ByteBuffer.wrap(sha256(attempt == 0 ? key : key + "\n" + attempt))
                .getLong();
    }

    private String key() {
        return file + '\n' + rowGroup + '\n' + row + '\n' + sampleIdx;
    }

    public static String sha256Hex(String text) {
        return HexFormat.of().formatHex(sha256(text));
    }

    public static String sha256Hex(byte[] bytes) {
        return HexFormat.of().formatHex(sha256(bytes));
    }

    private static byte[] sha256(String text) {
        return sha256(text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
