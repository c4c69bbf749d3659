package io.millrace.udf;

import com.ibm.icu.text.BreakIterator;
import com.ibm.icu.util.ULocale;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Words of a text in any script as ICU finds them: by Unicode's rules (UAX #29), and by dictionaries where
/// words are written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese). Lower-cased; what holds
/// no letter, digit or ideograph is none. Other segmenters (jieba for one) find other words, so figures
/// that rest on these carry ICU's name.
public final class WordSegments {

    private WordSegments() {}

    public static List<String> of(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        BreakIterator breaks = BreakIterator.getWordInstance(ULocale.ROOT);
        breaks.setText(lower);
        List<String> words = new ArrayList<>();
        int start = breaks.first();
        for (int end = breaks.next(); end != BreakIterator.DONE; end = breaks.next()) {
            if (breaks.getRuleStatus() >= BreakIterator.WORD_NONE_LIMIT) {
                words.add(lower.substring(start, end));
            }
            start = end;
        }
        return words;
    }

    /// ROUGE over these words, without stemming: the best of several references for each score, zeros
    /// without any.
    public static Rouge.Scores rouge(List<String> references, String prediction) {
        Rouge.Scores best = new Rouge.Scores(0, 0, 0);
        List<String> candidate = of(prediction);
        for (String reference : references) {
            best = best.max(Rouge.ofWords(of(reference), candidate));
        }
        return best;
    }
}
