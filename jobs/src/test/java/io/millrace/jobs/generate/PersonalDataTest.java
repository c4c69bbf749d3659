package io.millrace.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Numbers are those that the standards and card schemes publish as examples.
class PersonalDataTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "write to ann.lee+x@mail.example.org or bob@example.com | 2 0 0 0 0",
                "user@host without a domain, @mention, a@b | 0 0 0 0 0",
                "IBAN GB82 WEST 1234 5698 7654 32 and DE89370400440532013000 | 0 2 0 0 0",
                "IBAN GB82 WEST 1234 5698 7654 33 has a wrong check | 0 0 0 0 0",
                "card 4111 1111 1111 1111, or 3782-822463-10005 | 0 0 2 0 0",
                "no card: 4111 1111 1111 1112, 0000 0000 0000 0000 | 0 0 0 0 0",
                "hosts 192.0.2.1 and 2001:db8::8a2e:370:7334 | 0 0 0 2 0",
                "version 1.2.3, 256.1.1.1, 1.2.3.4.5 and std::vector | 0 0 0 0 0",
                "call +41 44 668 18 00 or +1 650-253-0000 | 0 0 0 0 2",
                "in 2024 there were 12345 of them, 3.14159265 | 0 0 0 0 0",
                "'' | 0 0 0 0 0"
            })
    void counts_whatIsValid(String text, String expected) {
        assertThat(counts("ZZ", text)).isEqualTo(expected);
    }

    @Test
    void region_makesNumbersWithoutPrefix() {
        assertThat(counts("ZZ", "call (650) 253-0000")).isEqualTo("0 0 0 0 0");
        assertThat(counts("US", "call (650) 253-0000")).isEqualTo("0 0 0 0 1");
    }

    private static String counts(String region, String text) {
        var row = new PersonalData(region).of(text);
        return row.getInt(0) + " " + row.getInt(1) + " " + row.getInt(2) + " " + row.getInt(3) + " " + row.getInt(4);
    }
}
