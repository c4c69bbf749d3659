package io.millrace.engine.chat;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PythonJsonTest {

    // right column: json.dumps(json.loads(left), ensure_ascii=False) of CPython 3.11
    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "0 0",
                "-0 0",
                "0.0 0.0",
                "-0.0 -0.0",
                "1 1",
                "1.0 1.0",
                "2.50 2.5",
                "1e2 100.0",
                "1E5 100000.0",
                "1e15 1000000000000000.0",
                "1e16 1e+16",
                "123456789012345680 123456789012345680",
                "123456789012345678.0 1.2345678901234568e+17",
                "0.0001 0.0001",
                "0.00001 1e-05",
                "0.000123 0.000123",
                "1.5e-7 1.5e-07",
                "1e100 1e+100",
                "-1.25e-300 -1.25e-300",
                "5e-324 5e-324",
                "1.7976931348623157e308 1.7976931348623157e+308",
                "1e999 Infinity",
                "NaN NaN",
                "-Infinity -Infinity",
                "0.1 0.1",
                "0.30000000000000004 0.30000000000000004",
                "9007199254740993 9007199254740993",
                "2e-45 2e-45",
                "9999999999999998.0 9999999999999998.0",
                "12345.678e3 12345678.0",
                "123456789012345678901234567890 123456789012345678901234567890"
            })
    void write_numbersAsPythonDoes(String json, String python) throws JsonProcessingException {
        assertThat(PythonJson.write(ChatJson.read(json))).isEqualTo(python);
    }

    @Test
    void write_textsAsPythonDoes() throws JsonProcessingException {
        assertThat(PythonJson.write(
                        ChatJson.read("\"\\u0000\\b\\f\\n\\r\\t\\u001f\\u007f\\/\\\\\\\"é\\ud83d\\ude00\\u2028\"")))
                .isEqualTo("\"\\u0000\\b\\f\\n\\r\\t\\u001f\u007F/\\\\\\\"é😀\u2028\"");
    }

    @Test
    void write_keepsTheOrderOfMembers() throws JsonProcessingException {
        assertThat(PythonJson.write(ChatJson.read("{\"b\":[],\"a\":{\"z\":null,\"y\":[true,{}]},\"b\":2}")))
                .isEqualTo("{\"b\": 2, \"a\": {\"z\": null, \"y\": [true, {}]}}");
    }
}
