package io.millrace.udf.sandbox;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A folder or file of this machine that is to be seen in the sandbox.
///
/// @param source here, absolute
/// @param target there, absolute
/// @param layer of an overlay: folder here that takes what is written; of no other kind
public record Mount(Kind kind, Path source, Path target, @Nullable Path layer) {

    /// What can be done with it.
    public enum Kind {
        READ_ONLY,
        WRITABLE,
        /// Looks writable; the source stays as it is.
        OVERLAY;

        String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    public Mount {
        for (Path path : layer == null ? List.of(source, target) : List.of(source, target, layer)) {
            if (!path.isAbsolute() || path.toString().indexOf('\n') >= 0) {
                throw new IllegalArgumentException("mount: expected an absolute path of one line, got " + path);
            }
            if (kind == Kind.OVERLAY && !path.toString().matches("[^,:\\\\]*")) {
                throw new IllegalArgumentException("overlay: expected a path without , : and \\, got " + path);
            }
        }
        if ((kind == Kind.OVERLAY) != (layer != null)) {
            throw new IllegalArgumentException("mount: expected a layer for an overlay only, got " + kind);
        }
    }

    /// To be read, at the same place.
    public static Mount readOnly(Path path) {
        return readOnly(path, path);
    }

    /// To be read, at another place.
    public static Mount readOnly(Path source, Path target) {
        return new Mount(Kind.READ_ONLY, source, target, null);
    }

    /// To be read and written, at the same place.
    public static Mount writable(Path path) {
        return writable(path, path);
    }

    /// To be read and written, at another place.
    public static Mount writable(Path source, Path target) {
        return new Mount(Kind.WRITABLE, source, target, null);
    }

    /// To be read, and written without consequence for the source, at the same place: a build's cache, say.
    ///
    /// @param layer folder, made if it is not there, on the same kind of disk as any, that holds what was
    ///     written, so that the next command with it finds that again
    public static Mount overlay(Path source, Path layer) {
        return new Mount(Kind.OVERLAY, source, source, layer);
    }

    /// Where what is written ends up; null if nothing can be.
    @Nullable Path written() {
        return switch (kind) {
            case READ_ONLY -> null;
            case WRITABLE -> source;
            case OVERLAY -> layer;
        };
    }
}
