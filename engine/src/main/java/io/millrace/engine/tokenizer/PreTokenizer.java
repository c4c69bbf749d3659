package io.millrace.engine.tokenizer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The `pre_tokenizer` of a tokenizer.json: cuts text into the pieces inside which merging happens.
/// Immutable; each encoding makes its own chain of [Stage]s, which hand one another ranges of one string and
/// copy nothing.
sealed interface PreTokenizer {

    /// Takes pieces of a text in order. Confined to one thread.
    interface Stage {
        /// @param start inclusive, `end` exclusive, in chars; never empty
        void piece(String text, int start, int end);
    }

    /// A stage that cuts what it is given and hands the parts to `next`.
    Stage into(Stage next);

    /// What becomes of the separator, in Hugging Face's words.
    enum Behavior {
        REMOVED,
        ISOLATED,
        MERGED_WITH_PREVIOUS,
        MERGED_WITH_NEXT,
        CONTIGUOUS
    }

    /// Cuts at the matches of a pattern.
    ///
    /// @param invert the text between the matches is the separator
    record Split(Pattern pattern, Behavior behavior, boolean invert) implements PreTokenizer {
        @Override
        public Stage into(Stage next) {
            return behavior == Behavior.ISOLATED ? new IsolatingStage(pattern, next) : new SplitStage(this, next);
        }
    }

    /// GPT-2's step before bytes: optionally a blank in front, optionally its own split.
    record ByteLevel(boolean addPrefixSpace, boolean useRegex) implements PreTokenizer {
        private static final Pattern GPT2 = PatternTranslator.translate(
                "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+");

        @Override
        public Stage into(Stage next) {
            Stage split = useRegex ? new IsolatingStage(GPT2, next) : next;
            return addPrefixSpace ? new PrefixingStage(split) : split;
        }
    }

    /// One after the other, each within the pieces of the one before.
    record InOrder(List<PreTokenizer> steps) implements PreTokenizer {
        public InOrder {
            steps = List.copyOf(steps);
        }

        @Override
        public Stage into(Stage next) {
            Stage stage = next;
            for (int step = steps.size() - 1; step >= 0; step--) {
                stage = steps.get(step).into(stage);
            }
            return stage;
        }
    }

    /// Iterates over the matches inside one range. Look-around does not see beyond the range: to the
    /// tokenizer each piece is a text of its own.
    final class Matches {
        private final Matcher matcher;
        private String text = "";

        Matches(Pattern pattern) {
            matcher = pattern.matcher(text);
        }

        // the same string comes back for each of its pieces, and identity is all that has to be known
        @SuppressWarnings("ReferenceEquality")
        void within(String text, int start, int end) {
            if (this.text != text) {
                this.text = text;
                matcher.reset(text);
            }
            matcher.region(start, end);
        }

        boolean next() {
            boolean found = matcher.find();
            while (found && matcher.start() == matcher.end()) {
                // an empty match separates nothing
                found = matcher.find();
            }
            return found;
        }

        int start() {
            return matcher.start();
        }

        int end() {
            return matcher.end();
        }
    }

    /// The common case: matches and what lies between them are pieces alike.
    final class IsolatingStage implements Stage {
        private final Matches matches;
        private final Stage next;

        IsolatingStage(Pattern pattern, Stage next) {
            this.matches = new Matches(pattern);
            this.next = next;
        }

        @Override
        public void piece(String text, int start, int end) {
            matches.within(text, start, end);
            int done = start;
            while (matches.next()) {
                if (done < matches.start()) {
                    next.piece(text, done, matches.start());
                }
                next.piece(text, matches.start(), matches.end());
                done = matches.end();
            }
            if (done < end) {
                next.piece(text, done, end);
            }
        }
    }

    /// The other behaviours: first all spans of the range, then what they become.
    final class SplitStage implements Stage {
        private final Split split;
        private final Matches matches;
        private final Stage next;

        private record Span(int start, int end, boolean isSeparator) {
            Span upTo(int end) {
                return new Span(start, end, isSeparator);
            }
        }

        SplitStage(Split split, Stage next) {
            this.split = split;
            this.matches = new Matches(split.pattern);
            this.next = next;
        }

        @Override
        public void piece(String text, int start, int end) {
            List<Span> spans = spans(text, start, end);
            List<Span> pieces = switch (split.behavior) {
                case ISOLATED -> spans;
                case REMOVED -> spans.stream().filter(span -> !span.isSeparator).toList();
                case CONTIGUOUS -> joined(spans, split.behavior);
                case MERGED_WITH_PREVIOUS -> joined(spans, split.behavior);
                case MERGED_WITH_NEXT -> joinedWithNext(spans);
            };
            for (Span piece : pieces) {
                next.piece(text, piece.start, piece.end);
            }
        }

        private List<Span> spans(String text, int start, int end) {
            List<Span> spans = new ArrayList<>();
            matches.within(text, start, end);
            int done = start;
            while (matches.next()) {
                if (done < matches.start()) {
                    spans.add(new Span(done, matches.start(), split.invert));
                }
                spans.add(new Span(matches.start(), matches.end(), !split.invert));
                done = matches.end();
            }
            if (done < end) {
                spans.add(new Span(done, end, split.invert));
            }
            return spans;
        }

        private static List<Span> joined(List<Span> spans, Behavior behavior) {
            List<Span> pieces = new ArrayList<>();
            boolean previousIsSeparator = false;
            for (Span span : spans) {
                boolean join = behavior == Behavior.CONTIGUOUS
                        ? span.isSeparator == previousIsSeparator
                        : span.isSeparator && !previousIsSeparator;
                if (join && !pieces.isEmpty()) {
                    pieces.add(pieces.removeLast().upTo(span.end));
                } else {
                    pieces.add(span);
                }
                previousIsSeparator = span.isSeparator;
            }
            return pieces;
        }

        private static List<Span> joinedWithNext(List<Span> spans) {
            List<Span> pieces = new ArrayList<>();
            boolean nextIsSeparator = false;
            for (Span span : spans.reversed()) {
                if (span.isSeparator && !nextIsSeparator && !pieces.isEmpty()) {
                    pieces.add(new Span(span.start, pieces.removeLast().end, false));
                } else {
                    pieces.add(span);
                }
                nextIsSeparator = span.isSeparator;
            }
            Collections.reverse(pieces);
            return pieces;
        }
    }

    /// Puts a blank before a piece that does not begin with one.
    final class PrefixingStage implements Stage {
        private final Stage next;

        PrefixingStage(Stage next) {
            this.next = next;
        }

        @Override
        public void piece(String text, int start, int end) {
            if (text.charAt(start) == ' ') {
                next.piece(text, start, end);
            } else {
                String prefixed = " " + text.substring(start, end);
                next.piece(prefixed, 0, prefixed.length());
            }
        }
    }
}
