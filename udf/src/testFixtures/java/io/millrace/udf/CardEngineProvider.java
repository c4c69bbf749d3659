package io.millrace.udf;

import java.nio.file.Path;
import java.util.List;

/// Opens an engine without a model in an executor that holds cards. System properties make it slow
/// (`millrace.test.card.millis`), make it wait for a file (`millrace.test.card.gate`) and make a card fail
/// (`millrace.test.card.fails=CARD:REQUEST`).
public final class CardEngineProvider implements EngineProvider {
    public static final String KIND = "card";

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public PromptEngine open(EngineRecipe recipe) {
        throw new IllegalStateException("this kind of engine computes on cards, and the executor holds none");
    }

    @Override
    public PromptEngine open(EngineRecipe recipe, List<String> cards) {
        if (cards.isEmpty()) {
            return open(recipe);
        }
        String[] fails = System.getProperty("millrace.test.card.fails", ":0").split(":");
        return new CardEngine(
                new FakeEngine(recipe),
                cards,
                cards.contains(fails[0]) ? Integer.parseInt(fails[1]) : 0,
                Integer.getInteger("millrace.test.card.millis", 0),
                Path.of(System.getProperty("millrace.test.card.gate", ".")));
    }
}
