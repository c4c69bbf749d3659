package io.millrace.udf;

import java.io.Serializable;

/// All that travels to an executor with a task.
///
/// @param runId the run that writes the rows
/// @param configFingerprint SHA-256 over everything that can change an answer, lower-case hex
/// @param engineVersion version of the software that writes the rows
public record GenerateRecipe(
        EngineRecipe engine,
        PromptRecipe prompt,
        SamplingRecipe sampling,
        String runId,
        String configFingerprint,
        String engineVersion)
        implements Serializable {

    /// The same for another engine.
    public GenerateRecipe withEngine(EngineRecipe other) {
        return new GenerateRecipe(other, prompt, sampling, runId, configFingerprint, engineVersion);
    }

    /// Requests one task keeps under way: twice the running batch, so that the batch stays full although
    /// rows are yielded in input order and the next ones are encoded meanwhile.
    int window() {
        return Math.max(4, 2 * engine.maxRunning());
    }
}
