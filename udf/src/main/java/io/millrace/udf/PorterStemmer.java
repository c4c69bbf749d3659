package io.millrace.udf;

import java.util.List;
import java.util.Map;

/// Porter's suffix stripping (M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980) with
/// the departures of NLTK's default mode, which is what `rouge_score` stems with. They are: a table of
/// irregular words; four-letter `-ies` and `-ied` keep their e; longer `-ied` becomes `-i`; `y` becomes `i`
/// only after a consonant that is not the whole stem; `-alli` goes before the other rules of step 2; `-bli`
/// instead of `-abli`; `-fulli`; `-logi`, whose l counts as stem; a stem of one vowel and one consonant
/// counts as ending consonant-vowel-consonant; words of one or two letters stay.
///
/// Words are lower-case `[a-z0-9]+`; a digit counts as a consonant.
final class PorterStemmer {

    private static final Map<String, String> IRREGULAR = Map.ofEntries(
            Map.entry("skies", "sky"),
            Map.entry("sky", "sky"),
            Map.entry("dying", "die"),
            Map.entry("lying", "lie"),
            Map.entry("tying", "tie"),
            Map.entry("news", "news"),
            Map.entry("innings", "inning"),
            Map.entry("inning", "inning"),
            Map.entry("outings", "outing"),
            Map.entry("outing", "outing"),
            Map.entry("cannings", "canning"),
            Map.entry("canning", "canning"),
            Map.entry("howe", "howe"),
            Map.entry("proceed", "proceed"),
            Map.entry("exceed", "exceed"),
            Map.entry("succeed", "succeed"));

    /// Step 2; the first suffix that fits decides, and is replaced if the measure before it is positive.
    private static final List<Rule> DERIVATIONAL = List.of(
            new Rule("ational", "ate"),
            new Rule("tional", "tion"),
            new Rule("enci", "ence"),
            new Rule("anci", "ance"),
            new Rule("izer", "ize"),
            new Rule("bli", "ble"),
            new Rule("alli", "al"),
            new Rule("entli", "ent"),
            new Rule("eli", "e"),
            new Rule("ousli", "ous"),
            new Rule("ization", "ize"),
            new Rule("ation", "ate"),
            new Rule("ator", "ate"),
            new Rule("alism", "al"),
            new Rule("iveness", "ive"),
            new Rule("fulness", "ful"),
            new Rule("ousness", "ous"),
            new Rule("aliti", "al"),
            new Rule("iviti", "ive"),
            new Rule("biliti", "ble"),
            new Rule("fulli", "ful"));

    /// Step 3, likewise.
    private static final List<Rule> ADJECTIVAL = List.of(
            new Rule("icate", "ic"),
            new Rule("ative", ""),
            new Rule("alize", "al"),
            new Rule("iciti", "ic"),
            new Rule("ical", "ic"),
            new Rule("ful", ""),
            new Rule("ness", ""));

    /// Step 4; dropped if the measure before it is above 1. A longer suffix stands before one that it ends
    /// in.
    private static final List<String> RESIDUAL = List.of(
            "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate",
            "iti", "ous", "ive", "ize");

    private PorterStemmer() {}

    static String stem(String word) {
        String irregular = IRREGULAR.get(word);
        if (irregular != null) {
            return irregular;
        }
        if (word.length() <= 2) {
            return word;
        }
        String stem = terminalY(pastOrParticiple(plural(word)));
        stem = adjectival(derivational(stem));
        return doubleL(finalE(residual(stem)));
    }

    /// Step 1a.
    private static String plural(String word) {
        if (word.endsWith("ies")) {
            return drop(word, word.length() == 4 ? 1 : 2);
        }
        if (word.endsWith("sses")) {
            return drop(word, 2);
        }
        return word.endsWith("s") && !word.endsWith("ss") ? drop(word, 1) : word;
    }

    /// Step 1b.
    private static String pastOrParticiple(String word) {
        if (word.endsWith("ied")) {
            return drop(word, word.length() == 4 ? 1 : 2);
        }
        if (word.endsWith("eed")) {
            return measure(word, word.length() - 3) > 0 ? drop(word, 1) : word;
        }
        int suffix = word.endsWith("ed") ? 2 : word.endsWith("ing") ? 3 : 0;
        return suffix > 0 && hasVowel(word, word.length() - suffix) ? repaired(drop(word, suffix)) : word;
    }

    /// What step 1b does to a stem that lost `-ed` or `-ing`.
    private static String repaired(String stem) {
        if (stem.endsWith("at") || stem.endsWith("bl") || stem.endsWith("iz")) {
            return stem + "e";
        }
        int last = stem.length() - 1;
        if (last >= 1 && stem.charAt(last) == stem.charAt(last - 1) && isConsonant(stem, last)) {
            return "lsz".indexOf(stem.charAt(last)) >= 0 ? stem : drop(stem, 1);
        }
        return measure(stem, stem.length()) == 1 && endsShort(stem) ? stem + "e" : stem;
    }

    /// Step 1c.
    private static String terminalY(String word) {
        int last = word.length() - 1;
        return word.endsWith("y") && last > 1 && isConsonant(word, last - 1) ? drop(word, 1) + "i" : word;
    }

    /// Step 2.
    private static String derivational(String word) {
        if (word.endsWith("alli") && measure(word, word.length() - 4) > 0) {
            return derivational(drop(word, 2));
        }
        for (Rule rule : DERIVATIONAL) {
            if (word.endsWith(rule.suffix())) {
                return rule.apply(word);
            }
        }
        boolean science = word.endsWith("logi") && measure(word, word.length() - 3) > 0;
        return science ? drop(word, 1) : word;
    }

    private static String adjectival(String word) {
        for (Rule rule : ADJECTIVAL) {
            if (word.endsWith(rule.suffix())) {
                return rule.apply(word);
            }
        }
        return word;
    }

    private static String residual(String word) {
        for (String suffix : RESIDUAL) {
            if (word.endsWith(suffix)) {
                int stem = word.length() - suffix.length();
                boolean drops =
                        measure(word, stem) > 1 && (!suffix.equals("ion") || "st".indexOf(word.charAt(stem - 1)) >= 0);
                return drops ? word.substring(0, stem) : word;
            }
        }
        return word;
    }

    /// Step 5a.
    private static String finalE(String word) {
        if (!word.endsWith("e")) {
            return word;
        }
        String stem = drop(word, 1);
        int measure = measure(stem, stem.length());
        return measure > 1 || (measure == 1 && !endsShort(stem)) ? stem : word;
    }

    /// Step 5b.
    private static String doubleL(String word) {
        return word.endsWith("ll") && measure(word, word.length() - 1) > 1 ? drop(word, 1) : word;
    }

    private static String drop(String word, int letters) {
        return word.substring(0, word.length() - letters);
    }

    private static boolean isConsonant(String word, int at) {
        return switch (word.charAt(at)) {
            case 'a', 'e', 'i', 'o', 'u' -> false;
            case 'y' -> at == 0 || !isConsonant(word, at - 1);
            default -> true;
        };
    }

    private static boolean hasVowel(String word, int length) {
        for (int at = 0; at < length; at++) {
            if (!isConsonant(word, at)) {
                return true;
            }
        }
        return false;
    }

    /// How often a consonant follows a vowel among the first `length` letters: the paper's m.
    private static int measure(String word, int length) {
        int measure = 0;
        boolean afterVowel = false;
        for (int at = 0; at < length; at++) {
            boolean consonant = isConsonant(word, at);
            if (consonant && afterVowel) {
                measure++;
            }
            afterVowel = !consonant;
        }
        return measure;
    }

    /// The paper's *o: consonant, vowel, consonant other than w, x, y; or the whole stem is vowel and
    /// consonant.
    private static boolean endsShort(String stem) {
        int last = stem.length() - 1;
        if (last < 1 || !isConsonant(stem, last) || isConsonant(stem, last - 1)) {
            return false;
        }
        return last == 1 || (isConsonant(stem, last - 2) && "wxy".indexOf(stem.charAt(last)) < 0);
    }

    private record Rule(String suffix, String replacement) {
        String apply(String word) {
            int stem = word.length() - suffix.length();
            return measure(word, stem) > 0 ? word.substring(0, stem) + replacement : word;
        }
    }
}
