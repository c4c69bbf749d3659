package io.millrace.jobs.cards;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.millrace.jobs.JobConfig;
import io.millrace.jobs.MillraceHome;
import io.millrace.jobs.Settings;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.util.resource.ResourceUtils;
import org.apache.spark.SparkConf;
import org.apache.spark.resource.ResourceRequest;
import org.apache.spark.resource.ResourceUtils$;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The recipes of `deploy/`: what they say is what Kubernetes, YARN, Spark and this program understand.
class DeploymentTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Path DEPLOY = ROOT.resolve("jobs/deploy");
    private static final Path KUBERNETES = DEPLOY.resolve("kubernetes");
    private static final String YARN_AMOUNT = "spark.yarn.executor.resource.yarn.io/npu.amount";

    private static final Map<String, Class<? extends HasMetadata>> KINDS = Map.of(
            "Namespace", Namespace.class,
            "ServiceAccount", ServiceAccount.class,
            "Role", Role.class,
            "RoleBinding", RoleBinding.class,
            "PersistentVolumeClaim", PersistentVolumeClaim.class,
            "Pod", Pod.class);

    /// The client's classes keep fields they do not know; here they are refused.
    private static final ObjectMapper STRICT = new ObjectMapper(new YAMLFactory())
            .setAnnotationIntrospector(new JacksonAnnotationIntrospector() {
                @Override
                public Boolean hasAnySetter(Annotated annotated) {
                    return false;
                }
            });

    // ---- Kubernetes ----

    @ParameterizedTest
    @ValueSource(strings = {"driver.yaml", "executor-cpu.yaml", "executor-ascend.yaml"})
    void podTemplate_ofKubernetes_isUnderstoodAndWhole(String file) throws IOException {
        Pod pod = (Pod) documents(file).getFirst();

        Container container = pod.getSpec().getContainers().getFirst();
        assertThat(pod.getSpec().getContainers()).hasSize(1);
        assertThat(container.getName()).isEqualTo("millrace");
        assertThat(pod.getSpec().getVolumes())
                .extracting(Volume::getName)
                .containsExactlyInAnyOrderElementsOf(container.getVolumeMounts().stream()
                        .map(VolumeMount::getName)
                        .toList());
    }

    @Test
    void cluster_ofKubernetes_bringsWhatTheTemplatesAndSettingsName() throws IOException {
        List<HasMetadata> cluster = documents("cluster.yaml");
        Properties conf = conf("kubernetes/cpu.conf");

        assertThat(cluster)
                .extracting(HasMetadata::getKind)
                .containsExactly(
                        "Namespace",
                        "ServiceAccount",
                        "Role",
                        "RoleBinding",
                        "PersistentVolumeClaim",
                        "PersistentVolumeClaim");
        assertThat(cluster.getFirst().getMetadata().getName())
                .isEqualTo(conf.getProperty("spark.kubernetes.namespace"));
        assertThat(cluster.get(1).getMetadata().getName())
                .isEqualTo(conf.getProperty("spark.kubernetes.authenticate.driver.serviceAccountName"));
        RoleBinding binding = (RoleBinding) cluster.get(3);
        assertThat(binding.getRoleRef().getName())
                .isEqualTo(cluster.get(2).getMetadata().getName());
        assertThat(binding.getSubjects().getFirst().getName())
                .isEqualTo(cluster.get(1).getMetadata().getName());
        assertThat(claims("driver.yaml"))
                .isSubsetOf(cluster.stream()
                        .map(document -> document.getMetadata().getName())
                        .toList());
        assertThat(claims("executor-cpu.yaml")).isEqualTo(claims("driver.yaml"));
        assertThat(claims("executor-ascend.yaml")).isEqualTo(claims("driver.yaml"));
    }

    private static List<String> claims(String file) throws IOException {
        return ((Pod) documents(file).getFirst())
                .getSpec().getVolumes().stream()
                        .filter(volume -> volume.getPersistentVolumeClaim() != null)
                        .map(volume -> volume.getPersistentVolumeClaim().getClaimName())
                        .sorted()
                        .toList();
    }

    @Test
    void manifest_withAFieldThatKubernetesHasNot_isRefused() throws IOException {
        String misspelt =
                Files.readString(KUBERNETES.resolve("executor-cpu.yaml")).replace("volumeMounts", "volumeMount");

        assertThatThrownBy(() -> STRICT.readValue(misspelt, Pod.class)).hasMessageContaining("volumeMount");
    }

    @ParameterizedTest
    @ValueSource(strings = {"kubernetes/cpu.conf", "kubernetes/ascend.conf"})
    void settings_ofKubernetes_nameTemplatesThatAreThere(String file) throws IOException {
        Properties conf = conf(file);

        for (String role : List.of("driver", "executor")) {
            String template = conf.getProperty("spark.kubernetes." + role + ".podTemplateFile");
            assertThat(ROOT.resolve(template)).isRegularFile();
            Pod pod = (Pod) STRICT.readValue(ROOT.resolve(template).toFile(), Pod.class);
            assertThat(pod.getSpec().getContainers().getFirst().getName())
                    .isEqualTo(conf.getProperty("spark.kubernetes." + role + ".podTemplateContainerName"));
        }
    }

    /// As Spark forms a pod's resource: vendor, slash, name.
    @Test
    void settings_ofAscendOnKubernetes_askForTheDevicePluginsResource() throws IOException {
        Properties conf = conf("kubernetes/ascend.conf");

        List<ResourceRequest> requests = requests(conf);

        assertThat(requests).hasSize(1);
        ResourceRequest cards = requests.getFirst();
        assertThat(cards.vendor().get() + "/" + cards.id().resourceName()).isEqualTo("huawei.com/Ascend910");
        assertThat(NpuResource.NAMES).contains(cards.id().resourceName());
        assertThat(cards.amount()).isEqualTo(config(conf).cards().group());
    }

    // ---- YARN ----

    @Test
    void settings_ofAscendOnYarn_askForTheResourceThatItsFilesDeclare() throws IOException {
        Properties conf = conf("yarn/ascend.conf");
        Configuration yarn = new Configuration(false);
        yarn.addResource(new org.apache.hadoop.fs.Path(
                DEPLOY.resolve("yarn/resource-types.xml").toUri()));
        Configuration node = new Configuration(false);
        node.addResource(new org.apache.hadoop.fs.Path(
                DEPLOY.resolve("yarn/node-resources.xml").toUri()));

        ResourceUtils.resetResourceTypes(yarn);
        try {
            assertThat(ResourceUtils.getResourceTypes()).containsKey("yarn.io/npu");
        } finally {
            ResourceUtils.resetResourceTypes(new Configuration(false));
        }
        assertThat(node.getInt("yarn.nodemanager.resource-type.yarn.io/npu", 0)).isPositive();
        assertThat(conf.getProperty(YARN_AMOUNT))
                .isEqualTo(Integer.toString(config(conf).cards().group()));
    }

    // ---- standalone ----

    @Test
    void settings_ofAWorkerWithCards_nameTheResourceThatExecutorsAskFor() throws IOException {
        Properties worker = conf("standalone/worker-ascend.conf");

        List<ResourceRequest> requests = requests(worker, "spark.worker");

        assertThat(requests).extracting(request -> request.id().resourceName()).containsExactly(NpuResource.NAME);
        assertThat(ROOT.resolve("jobs/bin/npu-discover")).isExecutable();
        assertThat(requests.getFirst().discoveryScript().get()).endsWith("/jobs/bin/npu-discover");
    }

    // ---- all ----

    @ParameterizedTest
    @ValueSource(
            strings = {
                "standalone/cpu.conf",
                "standalone/ascend.conf",
                "yarn/cpu.conf",
                "yarn/ascend.conf",
                "kubernetes/cpu.conf",
                "kubernetes/ascend.conf"
            })
    void settings_areKeysThatThisProgramKnows(String file) throws IOException {
        Properties conf = conf(file);

        assertThat(conf.stringPropertyNames()).allMatch(key -> key.startsWith("spark."));
        assertThat(config(conf).cards().group()).isEqualTo(file.endsWith("ascend.conf") ? 1 : 0);
    }

    private static List<ResourceRequest> requests(Properties conf) {
        return requests(conf, "spark.executor");
    }

    private static List<ResourceRequest> requests(Properties conf, String component) {
        SparkConf spark = new SparkConf(false);
        conf.stringPropertyNames().forEach(key -> spark.set(key, conf.getProperty(key)));
        return scala.jdk.javaapi.CollectionConverters.asJava(
                ResourceUtils$.MODULE$.parseAllResourceRequests(spark, component));
    }

    private static JobConfig config(Properties conf) {
        Map<String, String> entries =
                conf.stringPropertyNames().stream().collect(Collectors.toMap(Function.identity(), conf::getProperty));
        entries.put("spark.master", "spark://host:7077");
        return JobConfig.resolve(MillraceHome.find(ROOT.toString()), List.of(Settings.ofSparkConf(entries)));
    }

    private static Properties conf(String file) throws IOException {
        Properties conf = new Properties();
        try (Reader reader = Files.newBufferedReader(DEPLOY.resolve(file))) {
            conf.load(reader);
        }
        return conf;
    }

    private static List<HasMetadata> documents(String file) throws IOException {
        try (MappingIterator<JsonNode> nodes = STRICT.readerFor(JsonNode.class)
                .readValues(KUBERNETES.resolve(file).toFile())) {
            return nodes.readAll().stream().map(DeploymentTest::document).toList();
        }
    }

    private static HasMetadata document(JsonNode node) {
        try {
            return STRICT.treeToValue(node, KINDS.get(node.path("kind").asText()));
        } catch (IOException e) {
            throw new AssertionError(node.toString(), e);
        }
    }
}
