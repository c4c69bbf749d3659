package io.millrace.udf;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/// All that travels to an executor with a task.
///
/// @param runId the run that writes the rows
/// @param configFingerprint SHA-256 over everything that can change an answer, lower-case hex
/// @param engineVersion version of the software that writes the rows
/// @param languages whether rows tell the languages of their texts, which costs seconds for each executor
/// @param retry which retry it is; null for the first computation of a row
public record GenerateRecipe(
        EngineRecipe engine,
        PromptRecipe prompt,
        SamplingRecipe sampling,
        String runId,
        String configFingerprint,
        String engineVersion,
        boolean languages,
        @Nullable Retry retry)
        implements Serializable {

    /// Of rows that are computed for the first time, and tell no languages.
    public GenerateRecipe(
            EngineRecipe engine,
            PromptRecipe prompt,
            SamplingRecipe sampling,
            String runId,
            String configFingerprint,
            String engineVersion) {
        this(engine, prompt, sampling, runId, configFingerprint, engineVersion, false, null);
    }

    /// Of rows that are computed again.
    ///
    /// @throws IllegalArgumentException if the retry's parameters do not go with the others
    public GenerateRecipe with(Retry retry) {
        return new GenerateRecipe(
                engine,
                prompt,
                sampling.with(retry.parameters()),
                runId,
                configFingerprint,
                engineVersion,
                languages,
                retry);
    }

    /// The same with rows that tell the languages of their texts, or do not.
    public GenerateRecipe withLanguages(boolean told) {
        return new GenerateRecipe(engine, prompt, sampling, runId, configFingerprint, engineVersion, told, retry);
    }

    /// Seed of a row's random numbers.
    public long seed(RowIdentity identity) {
        return identity.seed(sampling.seed(), retry == null ? 0 : retry.attempt());
    }

    /// The same of a row with a seed of its own: its samples have that and those that follow it, as
    /// OpenAI-like servers do it, so that a request gets the answer that it gets there.
    long seed(RowIdentity identity, long own) {
        return retry == null ? own + identity.sampleIdx() : identity.seed(own, retry.attempt());
    }

    /// The same for another engine.
    public GenerateRecipe withEngine(EngineRecipe other) {
        return new GenerateRecipe(other, prompt, sampling, runId, configFingerprint, engineVersion, languages, retry);
    }

    /// Requests one task keeps under way: twice the running batch, so that the batch stays full although
    /// rows are yielded in input order and the next ones are encoded meanwhile.
    int window() {
        return Math.max(4, 2 * engine.maxRunning());
    }
}
