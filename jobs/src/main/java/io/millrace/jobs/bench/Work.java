package io.millrace.jobs.bench;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// What is timed.
///
/// @param streams sequences at once when decoding; 0 for prefill
record Work(int streams) {
    static final Work PREFILL = new Work(0);

    boolean isPrefill() {
        return streams == 0;
    }

    /// Reads `prefill` or `decode:N`.
    static final class Converter implements ITypeConverter<Work> {
        @Override
        public Work convert(String value) {
            if (value.equals("prefill")) {
                return PREFILL;
            }
            if (value.matches("decode:[1-9][0-9]{0,5}")) {
                return new Work(Integer.parseInt(value.substring("decode:".length())));
            }
            throw new TypeConversionException("expected prefill or decode:STREAMS, got " + value);
        }
    }

    @Override
    public String toString() {
        return isPrefill() ? "prefill" : "decode:" + streams;
    }
}
