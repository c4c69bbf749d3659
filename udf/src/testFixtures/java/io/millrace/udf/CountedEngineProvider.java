package io.millrace.udf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/// Opens the model in the executor, and counts into the folder that the system property
/// `millrace.test.counters` names.
public final class CountedEngineProvider implements EngineProvider {
    public static final String KIND = "counted";
    public static final String FOLDER = "millrace.test.counters";

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public PromptEngine open(EngineRecipe recipe) {
        try {
            return new CountedEngine(new LocalEngineProvider().open(recipe), Path.of(System.getProperty(FOLDER)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
