package io.millrace.udf;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.io.Serializable;
import java.util.List;
import java.util.ServiceLoader;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// How an executor opens its engine: strings and numbers, the only form in which an engine travels. Two
/// recipes that are equal mean the same engine.
///
/// @param kind which {@link EngineProvider} opens it: `local` runs the model in the executor, `served`
///     asks a server
/// @param modelDir the model as the executors see it: a path, or a URI of any file system Hadoop knows
/// @param modelCache folder of the executor's host for copies of models of other file systems
/// @param ring which kernels: `auto`, `native`, `native:LEVEL`, `vector`, `reference`, or in an
///     executor that holds a card `npu` or `npu:CHOICE`; there `auto` is `npu`
/// @param threads worker threads of the engine; 0 for all processors the executor has
/// @param cacheBudgetBytes upper bound of all sequences' caches together, in bytes; 0 for a quarter of the
///     heap
/// @param stepTokens upper bound of tokens in one step, >= 1
/// @param maxRunning upper bound of sequences in the running batch, >= 1
/// @param cacheRounding whether cached rows take the rounding the model was trained with
/// @param prefixSharing whether the common beginning of several prompts is computed once
/// @param speculation whether small batches guess tokens ahead, where the model can
/// @param served the server that computes, of kind `served`; null of others
public record EngineRecipe(
        String kind,
        String modelDir,
        String modelCache,
        String ring,
        int threads,
        long cacheBudgetBytes,
        int stepTokens,
        int maxRunning,
        CacheRounding cacheRounding,
        boolean prefixSharing,
        boolean speculation,
        @Nullable ServedRecipe served)
        implements Serializable {

    /// The kind that runs the model inside the executor.
    public static final String LOCAL = "local";
    /// The kind that asks a server.
    public static final String SERVED = "served";

    /// The ring that suits the machine.
    public static final String AUTO = "auto";

    /// The ring of cards, whose name goes on with the card and its arithmetic.
    static final String CARDS = "npu";

    /// Whether the ring is that of cards.
    boolean isOnCards() {
        return ring.equals(CARDS) || ring.startsWith(CARDS + ":");
    }

    /// The same model and settings with another kind of engine, on the processors.
    public EngineRecipe beside(String otherKind) {
        return new EngineRecipe(
                otherKind,
                modelDir,
                modelCache,
                isOnCards() ? AUTO : ring,
                threads,
                cacheBudgetBytes,
                stepTokens,
                maxRunning,
                cacheRounding,
                prefixSharing,
                speculation,
                served);
    }

    /// Of an engine that asks no server.
    public EngineRecipe(
            String kind,
            String modelDir,
            String modelCache,
            String ring,
            int threads,
            long cacheBudgetBytes,
            int stepTokens,
            int maxRunning,
            CacheRounding cacheRounding,
            boolean prefixSharing,
            boolean speculation) {
        this(
                kind,
                modelDir,
                modelCache,
                ring,
                threads,
                cacheBudgetBytes,
                stepTokens,
                maxRunning,
                cacheRounding,
                prefixSharing,
                speculation,
                null);
    }

    /// Opens the engine through its provider.
    ///
    /// @param cards logical ids of the cards it computes on; empty for none
    /// @throws EngineException if there is no such kind, or the model cannot be opened
    public PromptEngine open(List<String> cards) {
        TreeSet<String> known = new TreeSet<>();
        for (EngineProvider provider :
                ServiceLoader.load(EngineProvider.class, getClass().getClassLoader())) {
            if (provider.kind().equals(kind)) {
                return provider.open(this, cards);
            }
            known.add(provider.kind());
        }
        throw new EngineException(
                ErrorCode.BAD_CONFIGURATION, "engine.kind: expected one of " + List.copyOf(known) + ", got " + kind);
    }
}
