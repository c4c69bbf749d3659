package io.millrace.jobs.summarize;

import io.millrace.jobs.JobConfig;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.ExecutorEngine;
import io.millrace.udf.PromptEngine;
import io.millrace.udf.PromptRecipe;
import io.millrace.udf.SamplingRecipe;
import java.io.Serializable;
import org.apache.spark.TaskContext;
import org.apache.spark.util.TaskCompletionListener;

/// What travels to an executor to make requests of documents.
record DocumentRecipe(EngineRecipe engine, PromptRecipe prompt, SamplingRecipe sampling, SummarizeConfig summarize)
        implements Serializable {

    static DocumentRecipe of(JobConfig config, SummarizeConfig summarize) {
        return new DocumentRecipe(config.engine(), config.prompt(), config.sampling(), summarize);
    }

    /// For the running task, which holds the executor's engine until it ends.
    Prompts prompts() {
        ExecutorEngine.Lease lease = ExecutorEngine.ofThisProcess().lease(engine);
        TaskCompletionListener close = _ -> lease.close();
        TaskContext.get().addTaskCompletionListener(close);
        PromptEngine open = lease.engine();
        return new Prompts(summarize, prompt, sampling, open);
    }
}
