package io.millrace.udf;

/// Opens engines of one kind. Found by {@link java.util.ServiceLoader} on the executor, so that the recipe
/// that travels there needs to carry only the kind's name.
public interface EngineProvider {

    /// The word that selects this provider in {@link EngineRecipe#kind()}.
    String kind();

    /// Opens an engine; the caller closes it.
    ///
    /// @throws io.millrace.engine.api.EngineException if the model cannot be opened
    PromptEngine open(EngineRecipe recipe);
}
