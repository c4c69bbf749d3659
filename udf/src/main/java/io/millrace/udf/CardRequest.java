package io.millrace.udf;

import java.util.List;

/// What an executor asks of a {@link CardProvider}.
///
/// @param run the run that the cards are for; cards that failed in it are not given again
/// @param holder what this process is in that run, for a person
/// @param count how many cards, joined by fast links
/// @param offered the addresses that Spark has set aside for this executor; empty where nothing hands out
///     cards
/// @param locks folder of the locks
public record CardRequest(String run, String holder, int count, List<String> offered, String locks) {
    public CardRequest {
        offered = List.copyOf(offered);
    }
}
