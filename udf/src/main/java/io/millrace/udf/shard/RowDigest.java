package io.millrace.udf.shard;

import io.millrace.schemas.Columns.Completion;
import io.millrace.udf.SparkSchemas;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import scala.collection.Seq;

/// The digest of a set of completion rows, whatever their order: SHA-256 of each row, summed modulo 2^256.
/// Columns that say how a row came about and not what it is ({@link Completion#INCIDENTAL}) are left
/// out, so two runs that agree have equal digests. Confined to one thread.
final class RowDigest {
    private static final BigInteger MASK = BigInteger.ONE.shiftLeft(256).subtract(BigInteger.ONE);
    private static final StructType SCHEMA = SparkSchemas.completion();
    private static final boolean[] COUNTS = new boolean[SCHEMA.length()];

    static {
        for (int column = 0; column < COUNTS.length; column++) {
            COUNTS[column] =
                    !Completion.INCIDENTAL.contains(SCHEMA.apply(column).name());
        }
    }

    private final MessageDigest sha256 = sha256();
    private BigInteger sum = BigInteger.ZERO;

    /// @param row of the shape of `completion.v3`
    void add(Row row) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(1024);
        try {
            DataOutputStream out = new DataOutputStream(bytes);
            for (int column = 0; column < COUNTS.length; column++) {
                if (COUNTS[column]) {
                    write(row.get(column), out);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("an array can always be written to", e);
        }
        sum = plus(sum, new BigInteger(1, sha256.digest(bytes.toByteArray())));
    }

    /// Each value behind a letter for its type, so that no two different rows are written alike.
    private static void write(@Nullable Object value, DataOutputStream out) throws IOException {
        switch (value) {
            case null -> out.writeByte('n');
            case String text -> {
                byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
                out.writeByte('s');
                out.writeInt(utf8.length);
                out.write(utf8);
            }
            case Integer number -> whole(number, out);
            case Long number -> whole(number, out);
            case Double number -> {
                out.writeByte('d');
                out.writeLong(Double.doubleToLongBits(number));
            }
            case Boolean truth -> out.writeByte(truth ? 't' : 'f');
            case Row struct -> {
                out.writeByte('(');
                for (int field = 0; field < struct.length(); field++) {
                    write(struct.get(field), out);
                }
                out.writeByte(')');
            }
            case Seq<?> items -> {
                out.writeByte('[');
                out.writeInt(items.length());
                for (int item = 0; item < items.length(); item++) {
                    write(items.apply(item), out);
                }
            }
            default ->
                throw new IllegalArgumentException("row: expected a type of completion.v3, got " + value.getClass());
        }
    }

    private static void whole(long number, DataOutputStream out) throws IOException {
        out.writeByte('i');
        out.writeLong(number);
    }

    /// 64 lower-case hex digits; zeros for no rows.
    String hex() {
        return hex(sum);
    }

    /// The digest of both sets together.
    static String sum(String hex, String otherHex) {
        return hex(plus(new BigInteger(hex, 16), new BigInteger(otherHex, 16)));
    }

    private static BigInteger plus(BigInteger a, BigInteger b) {
        return a.add(b).and(MASK);
    }

    private static String hex(BigInteger number) {
        return String.format(Locale.ROOT, "%064x", number);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
