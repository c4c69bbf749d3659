package io.millrace.udf;

import java.util.List;

/// Opens engines of one kind. Found by {@link java.util.ServiceLoader} on the executor, so that the recipe
/// that travels there needs to carry only the kind's name.
public interface EngineProvider {

    /// The word that selects this provider in {@link EngineRecipe#kind()}.
    String kind();

    /// Opens an engine; the caller closes it.
    ///
    /// @throws io.millrace.engine.api.EngineException if the model cannot be opened
    PromptEngine open(EngineRecipe recipe);

    /// Opens an engine in an executor that holds cards; the caller closes it. A kind that computes on none
    /// leaves them idle.
    ///
    /// @param cards their logical ids, ascending; empty if the executor holds none
    /// @throws io.millrace.engine.api.EngineException if the model cannot be opened; DEVICE_FAILED if a
    ///     card is to blame
    default PromptEngine open(EngineRecipe recipe, List<String> cards) {
        return open(recipe);
    }
}
