package io.millrace.engine.json;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Which texts may go on here, code point by code point. Of every language that {@link #next} gives
/// some text is a member, so nobody who follows it comes to a place without a way out.
interface Language {

    /// What may follow a code point; null if that may not stand here.
    @Nullable
    Language next(int codePoint);

    /// Whether the text may end here.
    boolean mayEnd();

    /// Whether one of these code points may stand here.
    boolean admits(int first, int last);

    /// All texts.
    record All() implements Language {
        @Override
        public Language next(int codePoint) {
            return this;
        }

        @Override
        public boolean mayEnd() {
            return true;
        }

        @Override
        public boolean admits(int first, int last) {
            return true;
        }
    }

    /// The rests of some texts.
    record OneOf(List<String> rests) implements Language {
        public OneOf {
            rests = List.copyOf(rests);
        }

        @Override
        public @Nullable Language next(int codePoint) {
            List<String> left = rests.stream()
                    .filter(rest -> !rest.isEmpty() && rest.codePointAt(0) == codePoint)
                    .map(rest -> rest.substring(Character.charCount(codePoint)))
                    .toList();
            return left.isEmpty() ? null : new OneOf(left);
        }

        @Override
        public boolean mayEnd() {
            return rests.contains("");
        }

        @Override
        public boolean admits(int first, int last) {
            return rests.stream()
                    .anyMatch(rest -> !rest.isEmpty() && rest.codePointAt(0) >= first && rest.codePointAt(0) <= last);
        }
    }
}
