package io.millrace.udf.agent;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Locale;

/// Edits a file of an agent's directory. Nothing runs there meanwhile, so what a path leads to stays so.
final class FileEdit {
    private final Path root;
    private final Action.Edit edit;

    private FileEdit(Path root, Action.Edit edit) {
        this.root = root;
        this.edit = edit;
    }

    /// What came of it: an observation whatever the agent asked for.
    ///
    /// @param directory of a {@link Workspace}
    static Observation apply(Path directory, Action.Edit edit) throws IOException {
        return new FileEdit(directory.toRealPath(), edit).apply();
    }

    private Observation apply() throws IOException {
        Path file = resolved();
        if (!isInside(file)) {
            return failed("expected a path inside of the directory");
        }
        if (Files.isDirectory(file)) {
            return failed("expected a file, got a directory");
        }
        if (edit.before().isEmpty()) {
            return Files.exists(file)
                    ? failed("expected no such file, since old is empty")
                    : write(file, edit.after(), "made");
        }
        if (!Files.exists(file)) {
            return failed("expected a file, got none");
        }
        String text;
        try {
            text = Files.readString(file);
        } catch (CharacterCodingException _) {
            return failed("expected UTF-8, got other bytes");
        }
        int at = text.indexOf(edit.before());
        if (at < 0 || text.indexOf(edit.before(), at + 1) >= 0) {
            return failed(
                    "expected the text to be replaced exactly once, got it " + (at < 0 ? "nowhere" : "several times"));
        }
        String after = text.substring(0, at)
                + edit.after()
                + text.substring(at + edit.before().length());
        return write(file, after, "edited");
    }

    /// The agent's text as a path, whatever characters the host's paths are written in.
    private Path resolved() {
        StringBuilder encoded = new StringBuilder(root.toUri().toString());
        if (!edit.path().startsWith("/")) {
            encoded.append(Workspace.TESTBED).append('/');
        }
        for (byte b : edit.path().getBytes(StandardCharsets.UTF_8)) {
            encoded.append(b == '/' ? "/" : String.format(Locale.ROOT, "%%%02X", b));
        }
        try {
            return Path.of(URI.create(encoded.toString())).normalize();
        } catch (IllegalArgumentException _) {
            return root;
        }
    }

    /// Whether the nearest of its parents that is there lies inside, links followed.
    private boolean isInside(Path file) throws IOException {
        Path top = root.resolve(edit.path().startsWith("/" + Workspace.TMP + "/") ? Workspace.TMP : Workspace.TESTBED);
        if (!file.startsWith(top) || file.equals(top)) {
            return false;
        }
        Path there = file;
        while (there != null && !Files.exists(there, LinkOption.NOFOLLOW_LINKS)) {
            there = there.getParent();
        }
        // a link that leads nowhere leads who knows where
        return there != null && Files.exists(there) && there.toRealPath().startsWith(top);
    }

    private Observation write(Path file, String text, String done) throws IOException {
        Path parent = file.getParent();
        if (parent != null && !Files.isDirectory(parent)) {
            try {
                Files.createDirectories(parent);
            } catch (FileAlreadyExistsException _) {
                return failed("expected directories above it, got a file");
            }
        }
        try {
            Files.writeString(file, text);
        } catch (AccessDeniedException _) {
            return failed("expected to be writable");
        }
        return new Observation(edit.path() + ": " + done + "\n", 0, null, false);
    }

    private Observation failed(String reason) {
        return new Observation(edit.path() + ": " + reason + "\n", 1, null, false);
    }
}
