package io.millrace.udf.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeadAndTailTest {

    /// Against what cutting the whole stream gives, for every way to deliver it.
    @ParameterizedTest
    @CsvSource({"0,10", "1,10", "9,10", "10,10", "11,10", "12,10", "57,10", "57,7", "57,3", "100,2"})
    void output_isFirstAndLastPartOfTheStream(int length, int keep) {
        String stream = "abcdefghij".repeat(10).substring(0, length);
        for (int step = 1; step <= Math.max(1, length); step++) {
            HeadAndTail kept = new HeadAndTail(keep);
            for (int at = 0; at < length; at += step) {
                byte[] bytes =
                        stream.substring(at, Math.min(length, at + step)).getBytes(StandardCharsets.US_ASCII);
                // a buffer is seldom full
                kept.append(Arrays.copyOf(bytes, bytes.length + 3), bytes.length);
            }
            assertThat(kept.output()).isEqualTo(cut(stream, keep));
        }
    }

    private static Output cut(String stream, int keep) {
        int length = stream.length();
        if (length <= keep) {
            return new Output(stream, "", length, 0);
        }
        int head = keep - keep / 2;
        return new Output(
                stream.substring(0, head), stream.substring(length - keep / 2), length, length - (long) keep);
    }
}
