package io.millrace.jobs.evaluate.ifeval;

import io.millrace.jobs.evaluate.python.PythonText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Sentences by Punkt (Kiss and Strunk 2006, Computational Linguistics 32) with parameters as NLTK has
/// them, so that as many sentences are counted as the reference counts. Checked against NLTK 3.10.3.
///
/// A folder of parameters (`tokenizers/punkt_tab/english` of NLTK's data) holds `abbrev_types.txt`,
/// `sent_starters.txt`, `collocations.tab` (two words a line) and `ortho_context.tab` (a word and the
/// sum of {@link #START_UPPER} and its like).
final class Punkt {
    /// How a word was written in the text that the parameters come from, and where in a sentence.
    private static final int START_UPPER = 1 << 1;

    private static final int INSIDE_UPPER = 1 << 2;
    private static final int SOMEWHERE_UPPER = 1 << 3;
    private static final int START_LOWER = 1 << 4;
    private static final int INSIDE_LOWER = 1 << 5;
    private static final int SOMEWHERE_LOWER = 1 << 6;
    private static final int UPPER = START_UPPER | INSIDE_UPPER | SOMEWHERE_UPPER;
    private static final int LOWER = START_LOWER | INSIDE_LOWER | SOMEWHERE_LOWER;

    private static final String NO_WORD = "[)\";}\\]*:@'({\\[\u2018\u2019\u201c\u201d\u00ab\u00bb?!]";
    private static final String SEVERAL = "(?:-{2,}|\\.{2,}|(?:\\.\\s){2,}\\.)";
    private static final Pattern TOKEN = unicode(SEVERAL
            + "|[^\\s(\"`{\\[:;&#*@)}\\]\\-,]\\S*?(?=\\s|\\z|" + NO_WORD + "|" + SEVERAL
            + "|,(?=\\z|\\s|" + NO_WORD + "|" + SEVERAL + "))|\\S");
    private static final Pattern END = unicode("[.?!](?=(?<after>" + NO_WORD + "|\\s+(?<next>\\S+)))");
    /// What closes a sentence behind its last sign.
    private static final Pattern CLOSING = Pattern.compile(
            "[\"')\\]}\u2018\u2019\u201c\u201d\u00ab\u00bb]+?(?:\\s+|(?=--)|$)",
            Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNIX_LINES | Pattern.MULTILINE);

    private static final Pattern NUMBER = unicode("-?[.,]?\\d[\\d,.-]*\\.?");
    private static final Pattern INITIAL = unicode("[\\p{L}\\p{Nl}\\p{No}_]\\.");
    private static final String NUMBERS = "##number##";
    private static final Set<String> INNER_SIGNS = Set.of(";", ":", ",", ".", "!", "?");

    private final Set<String> abbreviations;
    private final Set<String> starters;
    private final Set<List<String>> collocations;
    private final Map<String, Integer> contexts;

    private enum Starts {
        YES,
        NO,
        UNKNOWN
    }

    private record Span(int start, int end) {
        boolean isEmpty() {
            return end <= start;
        }
    }

    private static final class Token {
        final String text;
        final String type;
        boolean ends;
        boolean abbreviation;

        Token(String text) {
            this.text = text;
            String lower = text.toLowerCase(Locale.ROOT);
            type = NUMBER.matcher(lower).matches() ? NUMBERS : lower;
        }

        boolean hasPeriod() {
            return text.endsWith(".");
        }

        boolean isEllipsis() {
            return text.length() > 1 && text.chars().allMatch(c -> c == '.');
        }

        boolean isInitial() {
            return INITIAL.matcher(text).matches();
        }

        String typeWithoutPeriod() {
            return type.length() > 1 && type.endsWith(".") ? type.substring(0, type.length() - 1) : type;
        }

        String typeInside() {
            return ends ? typeWithoutPeriod() : type;
        }

        boolean startsUpper() {
            return Character.isUpperCase(text.codePointAt(0));
        }

        boolean startsLower() {
            return Character.isLowerCase(text.codePointAt(0));
        }
    }

    private Punkt(
            Set<String> abbreviations,
            Set<String> starters,
            Set<List<String>> collocations,
            Map<String, Integer> contexts) {
        this.abbreviations = abbreviations;
        this.starters = starters;
        this.collocations = collocations;
        this.contexts = contexts;
    }

    private static Pattern unicode(String expression) {
        return Pattern.compile(expression, Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNIX_LINES);
    }

    /// @throws IllegalArgumentException if the folder does not hold the four files
    static Punkt read(Path folder) {
        Set<List<String>> collocations = new HashSet<>();
        Map<String, Integer> contexts = new HashMap<>();
        try {
            for (String line : lines(folder, "collocations.tab")) {
                collocations.add(List.of(line.split("\t", -1)));
            }
            for (String line : lines(folder, "ortho_context.tab")) {
                int tab = line.lastIndexOf('\t');
                contexts.put(line.substring(0, Math.max(0, tab)), Integer.parseInt(line.substring(tab + 1)));
            }
            return new Punkt(
                    new HashSet<>(lines(folder, "abbrev_types.txt")),
                    new HashSet<>(lines(folder, "sent_starters.txt")),
                    collocations,
                    contexts);
        } catch (IOException | NumberFormatException e) {
            throw new IllegalArgumentException(
                    "metadata.punkt: expected a folder with the parameters of NLTK's punkt_tab, by which sentences"
                            + " are counted, got " + folder + " (" + e + ")",
                    e);
        }
    }

    private static List<String> lines(Path folder, String name) throws IOException {
        return Files.readAllLines(folder.resolve(name)).stream()
                .filter(line -> !line.isEmpty())
                .toList();
    }

    List<String> sentences(String text) {
        List<Span> cut = cut(text);
        List<String> sentences = new ArrayList<>();
        int taken = 0;
        for (int index = 0; index < cut.size(); index++) {
            Span own = new Span(cut.get(index).start() + taken, cut.get(index).end());
            taken = 0;
            if (index + 1 < cut.size()) {
                Span next = cut.get(index + 1);
                Matcher closing = CLOSING.matcher(text.substring(next.start(), Math.max(next.start(), next.end())));
                if (closing.lookingAt()) {
                    taken = closing.end();
                    int end =
                            next.start() + PythonText.stripEnd(closing.group()).length();
                    sentences.add(text.substring(Math.min(own.start(), end), end));
                    continue;
                }
            }
            if (!own.isEmpty()) {
                sentences.add(text.substring(own.start(), own.end()));
            }
        }
        return sentences;
    }

    /// The text at each sign that ends a sentence; a sign is looked at once for a word, at its last.
    private List<Span> cut(String text) {
        List<Span> cut = new ArrayList<>();
        int start = 0;
        Span word = new Span(0, 0);
        Matcher end = END.matcher(text);
        Candidate before = null;
        while (end.find()) {
            int space = lastSpace(text, word.end(), end.start());
            Span own = new Span(space > word.end() ? space + 1 : word.start(), end.start());
            if (before != null && word.end() <= own.start() && isSentenceEnd(before.context())) {
                cut.add(new Span(start, before.end()));
                start = before.next();
            }
            before = new Candidate(
                    text.substring(own.start(), own.end()) + end.group() + end.group("after"),
                    end.end(),
                    end.group("next") == null ? end.end() : end.start("next"));
            word = own;
        }
        if (before != null && isSentenceEnd(before.context())) {
            cut.add(new Span(start, before.end()));
            start = before.next();
        }
        cut.add(new Span(start, PythonText.stripEnd(text).length()));
        return cut;
    }

    /// A sign that may end a sentence.
    ///
    /// @param context the word it stands at and what follows
    /// @param end behind the sign
    /// @param next where the next sentence would begin
    private record Candidate(String context, int end, int next) {}

    /// The place of the last space of ASCII between the two; `from` if there is none behind it.
    private static int lastSpace(String text, int from, int to) {
        for (int at = to - 1; at > from; at--) {
            if (" \t\n\r\u000b\f".indexOf(text.charAt(at)) >= 0) {
                return at;
            }
        }
        return from;
    }

    private boolean isSentenceEnd(String context) {
        List<Token> tokens = tokens(context);
        for (int index = 0; index + 1 < tokens.size(); index++) {
            reconsider(tokens.get(index), tokens.get(index + 1));
            if (tokens.get(index).ends) {
                return true;
            }
        }
        return false;
    }

    private List<Token> tokens(String context) {
        List<Token> tokens = new ArrayList<>();
        for (String line : context.split("\n", -1)) {
            Matcher matcher = TOKEN.matcher(line);
            while (matcher.find()) {
                tokens.add(judged(new Token(matcher.group())));
            }
        }
        return tokens;
    }

    /// By the word alone.
    private Token judged(Token token) {
        if (token.text.equals(".") || token.text.equals("?") || token.text.equals("!")) {
            token.ends = true;
        } else if (token.hasPeriod() && !token.text.endsWith("..")) {
            String word = token.text.substring(0, token.text.length() - 1).toLowerCase(Locale.ROOT);
            token.abbreviation =
                    abbreviations.contains(word) || abbreviations.contains(word.substring(word.lastIndexOf('-') + 1));
            token.ends = !token.abbreviation;
        }
        return token;
    }

    /// By the word that follows.
    private void reconsider(Token token, Token next) {
        if (!token.hasPeriod()) {
            return;
        }
        String type = token.typeWithoutPeriod();
        String nextType = next.typeInside();
        if (collocations.contains(List.of(type, nextType))) {
            token.ends = false;
            return;
        }
        boolean initial = token.isInitial();
        if ((token.abbreviation || token.isEllipsis())
                && !initial
                && (starts(next) == Starts.YES || (next.startsUpper() && starters.contains(nextType)))) {
            token.ends = true;
            return;
        }
        if (initial || type.equals(NUMBERS)) {
            Starts starts = starts(next);
            boolean always = next.startsUpper() && (contexts.getOrDefault(nextType, 0) & LOWER) == 0;
            if (starts == Starts.NO || (starts == Starts.UNKNOWN && initial && always)) {
                token.ends = false;
            }
        }
    }

    /// Whether the word begins a sentence, by how it was written elsewhere.
    private Starts starts(Token token) {
        if (INNER_SIGNS.contains(token.text)) {
            return Starts.NO;
        }
        int context = contexts.getOrDefault(token.typeInside(), 0);
        if (token.startsUpper() && (context & LOWER) != 0 && (context & INSIDE_UPPER) == 0) {
            return Starts.YES;
        }
        if (token.startsLower() && ((context & UPPER) != 0 || (context & START_LOWER) == 0)) {
            return Starts.NO;
        }
        return Starts.UNKNOWN;
    }
}
