package io.millrace.jobs.bench;

import io.millrace.engine.api.GenerationRequest;
import io.millrace.udf.EngineProvider;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.LocalEngineProvider;
import io.millrace.udf.PromptEngine;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;

/// The local engine, which also keeps what it was asked, so that the same requests can be given to an engine without
/// Spark around it. Static, since whoever opens an engine in an executor makes its own provider; a local master's
/// executor is this process.
public final class RecordingProvider implements EngineProvider {
    static final String KIND = "recording";

    private static final ConcurrentLinkedQueue<GenerationRequest> REQUESTS = new ConcurrentLinkedQueue<>();

    /// What was asked since the last time.
    static List<GenerationRequest> takeRequests() {
        List<GenerationRequest> requests = List.copyOf(REQUESTS);
        REQUESTS.clear();
        return requests;
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public PromptEngine open(EngineRecipe recipe) {
        PromptEngine engine = new LocalEngineProvider().open(recipe);
        return (PromptEngine) Proxy.newProxyInstance(
                PromptEngine.class.getClassLoader(),
                new Class<?>[] {PromptEngine.class},
                (_, method, arguments) -> call(engine, method, arguments));
    }

    private static Object call(PromptEngine engine, Method method, Object[] arguments) throws Throwable {
        if (arguments != null && arguments.length == 1 && arguments[0] instanceof GenerationRequest request) {
            REQUESTS.add(request);
        }
        try {
            return method.invoke(engine, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
