package io.millrace.udf.agent;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How a directory differs from what it was before. Paths are relative and percent-encoded as in a URI,
/// since a name may hold any bytes.
///
/// @param files path to what is there now
/// @param gone paths of what is not there any more
/// @param archive file beside the log that has the contents; null if there are none
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Changes(
        Map<String, Entry> files,
        List<String> gone,
        @Nullable String archive) {
    static final Changes NONE = new Changes(Map.of(), List.of(), null);

    public Changes {
        files = files == null ? Map.of() : Map.copyOf(files);
        gone = gone == null ? List.of() : List.copyOf(gone);
    }

    boolean isEmpty() {
        return files.isEmpty() && gone.isEmpty();
    }

    /// What is at a path.
    ///
    /// @param kind of it
    /// @param mode permission bits
    /// @param modified time of modification of a file, nanoseconds since 1970
    /// @param link target of a symbolic link, percent-encoded; null of others
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Entry(
            Kind kind, int mode, long modified, @Nullable String link) {}

    /// What a path may name; sockets and pipes do not count.
    public enum Kind {
        FILE,
        DIRECTORY,
        LINK
    }
}
