package io.millrace.udf.sandbox;

/// What a command wrote to one of its streams, of which the middle is left out if it is too much. Bytes that are no
/// UTF-8 are U+FFFD.
///
/// @param head the beginning, or everything
/// @param tail the end, empty if the head is everything
/// @param bytes that it wrote
/// @param omitted bytes between head and tail
public record Output(String head, String tail, long bytes, long omitted) {

    public boolean isTruncated() {
        return omitted > 0;
    }

    /// Head and tail, and between them a line that says how many bytes are left out.
    public String text() {
        return isTruncated() ? head + "\n[" + omitted + " bytes left out]\n" + tail : head;
    }
}
