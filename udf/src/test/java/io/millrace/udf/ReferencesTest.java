package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReferencesTest {
    @Test
    void of_arrayOfTexts_isEachOfThem() {
        assertThat(References.of("[\"one\", \"two\"]")).containsExactly("one", "two");
        assertThat(References.of("plain")).containsExactly("plain");
        assertThat(References.of("[sic] a text")).containsExactly("[sic] a text");
        assertThat(References.of("[1, 2]")).containsExactly("[1, 2]");
        assertThat(References.of("[]")).containsExactly("[]");
    }
}
