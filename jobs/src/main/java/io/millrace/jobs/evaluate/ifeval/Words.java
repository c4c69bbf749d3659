package io.millrace.jobs.evaluate.ifeval;

import io.millrace.jobs.evaluate.python.PythonRegex;
import io.millrace.jobs.evaluate.python.PythonText;
import java.util.List;
import java.util.Locale;
import java.util.function.LongPredicate;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/// Instructions about words and letters. Keywords are regular expressions, as the reference has them.
final class Words {
    /// With the marks upon letters, as NLTK 3.10 has it.
    private static final Pattern WORD = unicode("\\w+");

    /// What NLTK's `word_tokenize` sets apart, as far as it changes how many words are in capitals: signs
    /// that stand alone, and commas and colons that no digit follows.
    private static final Pattern ALONE =
            unicode("[«»“”„‘’`\"\\[\\](){}<>;@#$%&?!*\\u2012-\\u2015]|''|--|\\.{2,}|[:,](?!\\d)");
    /// A period that ends a sentence.
    private static final Pattern LAST_PERIOD = unicode("([^.])\\.([\\])}>\"'»”’ ]*)\\s*\\z");
    /// `'S`, `'M`, `'D` and `'` behind a word; then `'LL`, `'RE`, `'VE` and `N'T`, each all small or all
    /// capital.
    private static final Pattern SHORT_ENDING = unicode("([^' ])('[sS]|'[mM]|'[dD]|') ");
    private static final Pattern LONG_ENDING = unicode("([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ");
    private static final Pattern TWO_IN_ONE = unicode(
            "(?i)\\b(?:(can)(not)|(d)('ye)|(gim)(me)|(gon)(na)|(got)(ta)|(lem)(me)|(more)('n)|(wan)(na)(?=\\s))\\b");
    private static final Pattern SPACE = unicode("\\s+");

    private Words() {}

    private static Pattern unicode(String expression) {
        return Pattern.compile(expression, Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNICODE_CASE);
    }

    static Instruction existence(Arguments arguments) {
        List<PythonRegex> keywords = arguments.texts("keywords").stream()
                .map(PythonRegex::ignoringCase)
                .toList();
        return answer -> keywords.stream().allMatch(keyword -> keyword.isIn(answer));
    }

    static Instruction forbidden(Arguments arguments) {
        List<PythonRegex> words = arguments.texts("forbidden_words").stream()
                .map(word -> PythonRegex.ignoringCase("\\b" + word + "\\b"))
                .toList();
        return answer -> words.stream().noneMatch(word -> word.isIn(answer));
    }

    static Instruction frequency(Arguments arguments) {
        PythonRegex keyword = PythonRegex.ignoringCase(PythonText.strip(arguments.text("keyword")));
        LongPredicate wanted = arguments.compared("relation", "frequency");
        return answer -> wanted.test(keyword.findAll(answer).size());
    }

    static Instruction letterFrequency(Arguments arguments) {
        String letter = PythonText.strip(arguments.text("letter")).toLowerCase(Locale.ROOT);
        if (letter.codePointCount(0, letter.length()) != 1) {
            throw arguments.wrong("letter", "one letter");
        }
        LongPredicate wanted = arguments.compared("let_relation", "let_frequency");
        return answer -> wanted.test(answer.toLowerCase(Locale.ROOT)
                .codePoints()
                .filter(c -> c == letter.codePointAt(0))
                .count());
    }

    static Instruction number(Arguments arguments) {
        LongPredicate wanted = arguments.compared("relation", "num_words");
        return answer -> wanted.test(count(answer));
    }

    static long count(String text) {
        return WORD.matcher(text).results().count();
    }

    /// Words in capitals of a sentence as NLTK cuts words: `I'M` and `CANNOT` are two.
    static long capitals(String sentence) {
        String text = LAST_PERIOD.matcher(sentence).replaceAll("$1 . $2 ");
        String apart = ALONE.matcher(text).replaceAll(" ");
        String spaced = SPACE.matcher(" " + apart + " ").replaceAll(" ");
        spaced = SHORT_ENDING.matcher(spaced).replaceAll("$1 $2 ");
        spaced = LONG_ENDING.matcher(spaced).replaceAll("$1 $2 ");
        spaced = TWO_IN_ONE.matcher(spaced).replaceAll(Words::halved);
        return SPACE.splitAsStream(spaced).filter(PythonText::isUpper).count();
    }

    private static String halved(MatchResult match) {
        for (int group = 1; group < match.groupCount(); group += 2) {
            if (match.group(group) != null) {
                return " " + match.group(group) + " " + match.group(group + 1) + " ";
            }
        }
        return match.group();
    }
}
