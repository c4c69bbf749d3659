package io.millrace.npu.cards;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CardFaultTest {

    @ParameterizedTest
    @CsvSource({
        "507899, LOST",
        "507001, LOST",
        "507010, LOST",
        "507057, LOST",
        "507014, HANG",
        "507053, ECC",
        "507054, ECC",
        "207001, OUT_OF_MEMORY",
        "507015, EXCEPTION"
    })
    void ofCode_ofACardThatFailed(int code, CardFault fault) {
        assertThat(CardFault.ofCode(code)).contains(fault);
        assertThat(CardFault.ofMessage("aclrtSynchronizeStream on npu 3: error " + code + ", bad"))
                .isEqualTo(fault);
    }

    @ParameterizedTest
    @CsvSource({"0", "100000", "100002", "107002", "161002"})
    void ofCode_ofSuccessAndMistakes_isNone(int code) {
        assertThat(CardFault.ofCode(code)).isEmpty();
    }

    @Test
    void ofMessage_withoutACode_isLost() {
        assertThat(CardFault.ofMessage("no answer after 123456789 us")).isEqualTo(CardFault.LOST);
    }
}
