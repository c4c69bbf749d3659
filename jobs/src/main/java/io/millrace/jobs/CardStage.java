package io.millrace.jobs;

import io.millrace.jobs.cards.NpuDiscoveryPlugin;
import io.millrace.jobs.cards.NpuResource;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.ExecutorSetup;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.resource.ExecutorResourceRequests;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;
import org.jspecify.annotations.Nullable;

/// Which executors a run's inference needs: all it has, or those that hold a group of cards.
///
/// Where Spark decides how many executors there are (dynamic allocation), only the stage of the inference
/// asks for cards, and the others run on executors without. Elsewhere every executor holds a group. A group
/// belongs to an executor, not to a task: all tasks of an executor share its engine.
final class CardStage {
    /// Of work that needs no cards.
    static final CardStage NONE = new CardStage(null);

    private final @Nullable ResourceProfile profile;

    private CardStage(@Nullable ResourceProfile profile) {
        this.profile = profile;
    }

    static CardStage of(JobConfig config) {
        return new CardStage(
                config.cards().group() > 0 && isDynamic(config) && !isGivenByHand(config) ? profile(config) : null);
    }

    /// What Spark must be told before it starts.
    static Map<String, String> configuration(JobConfig config) {
        Map<String, String> conf = new LinkedHashMap<>();
        int group = config.cards().group();
        if (group == 0 || config.sparkMaster().startsWith("local")) {
            return conf;
        }
        conf.put("spark.resources.discoveryPlugin", NpuDiscoveryPlugin.class.getName());
        conf.put(NpuDiscoveryPlugin.GROUP, Integer.toString(group));
        if (isDynamic(config)) {
            conf.put("spark.dynamicAllocation.enabled", "true");
            conf.put("spark.dynamicAllocation.shuffleTracking.enabled", "true");
        } else if (!isGivenByHand(config)) {
            conf.put("spark.executor.resource." + NpuResource.NAME + ".amount", Integer.toString(group));
        }
        return conf;
    }

    /// What executors are told.
    static ExecutorSetup setup(JobConfig config) {
        EngineRecipe engine = config.engine();
        String beside = config.cards().beside();
        return new ExecutorSetup(
                engine,
                beside == null ? null : engine.beside(beside),
                config.cards().group(),
                config.cards().locks());
    }

    private static boolean isDynamic(JobConfig config) {
        return config.cards().beside() != null
                || Boolean.parseBoolean(config.sparkConf().get("spark.dynamicAllocation.enabled"));
    }

    private static boolean isGivenByHand(JobConfig config) {
        return NpuResource.NAMES.stream()
                .anyMatch(name -> config.sparkConf().containsKey("spark.executor.resource." + name + ".amount"));
    }

    /// An executor of the size that is configured for all, with a group of cards.
    private static ResourceProfile profile(JobConfig config) {
        Map<String, String> conf = config.sparkConf();
        ExecutorResourceRequests executor = new ExecutorResourceRequests()
                .cores(Integer.parseInt(conf.getOrDefault("spark.executor.cores", "1")))
                .memory(conf.getOrDefault("spark.executor.memory", "1g"))
                .resource(NpuResource.NAME, config.cards().group(), "", "");
        TaskResourceRequests task =
                new TaskResourceRequests().cpus(Integer.parseInt(conf.getOrDefault("spark.task.cpus", "1")));
        return new ResourceProfileBuilder().require(executor).require(task).build();
    }

    /// Has the work done by executors that hold cards, if the run has such.
    <T> JavaRDD<T> onCards(JavaRDD<T> work) {
        return profile == null ? work : work.withResources(profile);
    }
}
