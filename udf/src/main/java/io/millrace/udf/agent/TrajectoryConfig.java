package io.millrace.udf.agent;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.udf.GenerateRecipe;

/// What a trajectory says of how it was made, by mini-swe-agent's names.
final class TrajectoryConfig {
    private static final ObjectMapper JSON = new ObjectMapper();

    private TrajectoryConfig() {}

    /// @param model its name
    static ObjectNode of(GenerateRecipe generate, RolloutRecipe recipe, String model) {
        RolloutRecipe.Limits limits = recipe.limits();
        ObjectNode config = JSON.createObjectNode();
        config.putObject("agent")
                .put("system_template", generate.prompt().system())
                .put("instance_template", generate.prompt().template())
                .put("step_limit", limits.steps())
                .put("token_limit", limits.tokens())
                .put("cost_limit", 0.0)
                .put("wall_time_limit_seconds", limits.seconds())
                .put("max_consecutive_format_errors", limits.formatErrors());
        config.put("agent_type", Rollout.class.getName());
        config.putObject("model")
                .put("model_name", model)
                .putObject("model_kwargs")
                .put("temperature", generate.sampling().temperature())
                .put("max_tokens", generate.sampling().maxTokens());
        config.put("model_type", generate.engine().kind());
        config.putObject("environment").put("cwd", "/" + Workspace.TESTBED).put("timeout", limits.commandSeconds());
        config.put("environment_type", recipe.shell().getClass().getName());
        return config;
    }
}
