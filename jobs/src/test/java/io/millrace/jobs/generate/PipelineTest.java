package io.millrace.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.jobs.ConfigException;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;

class PipelineTest {

    @Test
    void parse_everythingThatIsWrong_isSaidAtOnce() {
        assertThatThrownBy(() -> Pipeline.parse("p.yaml", """
                        seed: x
                        steps:
                          - answer: {samples: 0, sample: 3}
                          - nonsense: {}
                          - filter: {name: Bad Name, settings: {sampling.seed: 1}}
                          - verify: {checks: [{kind: regex, pattern: "("}, {kind: regex}]}
                          - {a: {}, b: {}}
                        dataset: {splits: {train: 0.5}, format: csv}
                        """))
                .isInstanceOf(ConfigException.class)
                .extracting(e -> ((ConfigException) e).problems(), InstanceOfAssertFactories.list(String.class))
                .anyMatch(problem -> problem.startsWith("p.yaml.name: expected a value"))
                .anyMatch(problem -> problem.startsWith("p.yaml.seed: expected a whole number"))
                .anyMatch(problem -> problem.contains("samples: expected a whole number >= 1, got 0"))
                .anyMatch(problem -> problem.contains("sample: no such key; expected some of [name, settings, samples"))
                .anyMatch(problem -> problem.contains("expected the first step to make rows"))
                .anyMatch(problem -> problem.contains("expected one of [seeds, magpie"))
                .anyMatch(problem -> problem.contains("name: expected lower-case letters"))
                .anyMatch(problem -> problem.contains("settings: expected none, since no model is asked"))
                .anyMatch(problem -> problem.contains("rules: expected at least one"))
                .anyMatch(problem -> problem.contains("pattern: expected a regular expression"))
                .anyMatch(problem -> problem.contains("name: expected a name that no check before has"))
                .anyMatch(problem -> problem.contains("expected one kind of step with its mapping, got [a, b]"))
                .anyMatch(problem -> problem.contains("splits: expected shares that sum to 1"))
                .anyMatch(problem -> problem.contains("format: expected one of [messages, preference"));
    }

    @Test
    void parse_noMapping_isSaid() {
        assertThatThrownBy(() -> Pipeline.parse("p.yaml", "- a\n- b\n")).hasMessageContaining("expected a mapping");
        assertThatThrownBy(() -> Pipeline.parse("p.yaml", "a: [b\n")).hasMessageContaining("expected YAML");
    }

    @Test
    void examples_parse() {
        Path examples = Path.of("examples");
        for (String name : List.of("generate-synopses", "generate-magpie")) {
            assertThat(Pipeline.read(examples.resolve(name + ".yaml")).steps()).hasSizeGreaterThan(3);
        }
    }

    @Test
    void defaults_areThePublishedOnes() {
        Pipeline pipeline = Pipeline.parse("p.yaml", """
                name: defaults
                steps:
                  - seeds: {input: a.jsonl, text-column: t}
                  - self-instruct: {}
                  - deduplicate: {}
                  - deduplicate: {name: exact, minhash: false}
                """);
        assertThat(pipeline.steps().get(1).step()).isEqualTo(new SelfInstructStep(1, 100, 6, 2, 8, new Novelty(0.7)));
        assertThat(pipeline.steps().get(2).step())
                .isEqualTo(new DeduplicateStep(Texts.CONVERSATION, new NearDuplicates(5, new MinHash(14, 8, 1), 0.75)));
        assertThat(pipeline.steps().get(3).step()).isEqualTo(new DeduplicateStep(Texts.CONVERSATION, null));
        assertThat(pipeline.dataset().splits()).containsOnlyKeys("train");
    }
}
