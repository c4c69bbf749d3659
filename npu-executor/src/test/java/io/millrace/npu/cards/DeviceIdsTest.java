package io.millrace.npu.cards;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeviceIdsTest {

    /// On a host of four.
    @ParameterizedTest
    @CsvSource(
            delimiter = '=',
            value = {
                "'0,1'=[0, 1]",
                "'2'=[2]",
                "'1,x,2'=[1]",
                "'x'=[]",
                "''=[]",
                "'0,4'=[0]",
                "'3,1'=[]",
                "'1,1'=[]",
                "'0, 1'=[0]",
                "'99999999999'=[]"
            })
    void visible_isReadAsCannReadsIt(String value, String expected) {
        assertThat(DeviceIds.visible(value, 4)).hasToString(expected);
    }

    @Test
    void userId_countsWhatIsVisible() {
        CardEnvironment two = new CardEnvironment("2,5", null, null);

        assertThat(CardEnvironment.NONE.userId(5)).isEqualTo(5);
        assertThat(two.userId(5)).isEqualTo(1);
        assertThatThrownBy(() -> two.userId(3))
                .hasMessage("npu 3: expected to be visible, got ASCEND_RT_VISIBLE_DEVICES=2,5");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '=',
            value = {
                "'0'=Optional[[0]]",
                "'2,0,2'=Optional[[0, 2]]",
                "'0-3'=Optional[[0, 1, 2, 3]]",
                "'0-2,4'=Optional[[0, 1, 2, 4]]",
                "'Ascend910-0,Ascend910-1'=Optional[[0, 1]]",
                "'npu-1,npu-3'=Optional[[1, 3]]",
                "''=Optional[[]]",
                "'void'=Optional[[]]",
                "'all'=Optional.empty"
            })
    void assigned_isReadInEveryForm(String value, String expected) {
        assertThat(DeviceIds.assigned(value)).hasToString(expected);
    }
}
