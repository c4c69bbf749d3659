package io.millrace.jobs;

import io.millrace.udf.EngineIdentity;
import io.millrace.udf.ParityQuestion;
import java.util.List;
import java.util.Locale;

/// How far two kinds of engines differ that are to answer the rows of one run together. The same model must
/// be behind both; its arithmetic may round differently, as far as was said.
///
/// @param identity the engine beside the one that holds cards
/// @param difference largest difference of the natural logarithm of a token's probability
/// @param tolerance what it may be
/// @param tokens how many were compared
record Parity(EngineIdentity identity, double difference, double tolerance, int tokens) {

    /// @throws JobException if they differ by more, or are of different models
    static Parity of(ParityQuestion.Answer cards, ParityQuestion.Answer beside, double tolerance) {
        requireSame(
                "weights", cards.identity().weightsSha256(), beside.identity().weightsSha256());
        requireSame(
                "tokenizer",
                cards.identity().tokenizerSha256(),
                beside.identity().tokenizerSha256());
        List<Double> expected = cards.logprobs();
        List<Double> got = beside.logprobs();
        requireSame("number of tokens", Integer.toString(expected.size()), Integer.toString(got.size()));
        double largest = 0;
        for (int at = 0; at < expected.size(); at++) {
            double difference = Math.abs(expected.get(at) - got.get(at));
            // infinite and no number on both sides is as good as a difference
            largest = Double.isFinite(difference) ? Math.max(largest, difference) : Double.POSITIVE_INFINITY;
        }
        Parity parity = new Parity(beside.identity(), largest, tolerance, expected.size());
        if (largest > tolerance) {
            throw new JobException("cards.beside: expected " + cards.identity().kernels() + " and "
                    + beside.identity().kernels() + " to agree within cards.tolerance, got " + parity.sentence());
        }
        return parity;
    }

    private static void requireSame(String what, String cards, String beside) {
        if (!cards.equals(beside)) {
            throw new JobException(
                    "cards.beside: expected the " + what + " of the engine on cards, " + cards + ", got " + beside);
        }
    }

    String sentence() {
        return String.format(
                Locale.ROOT,
                "a largest difference of %.3g nat over %d tokens, tolerance %.3g",
                difference,
                tokens,
                tolerance);
    }
}
