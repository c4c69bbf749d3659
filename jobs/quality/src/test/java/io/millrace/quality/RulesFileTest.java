package io.millrace.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.quality.Expectation.Drift;
import io.millrace.quality.Expectation.Statistic;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class RulesFileTest {

    @Test
    void starter_isTheFileThatPeopleEdit() {
        List<Rule> fromFile = RulesFile.read(Path.of("rules", "summarize.yaml"));

        assertThat(RulesFile.starter()).isEqualTo(fromFile).hasSizeGreaterThan(20);
    }

    @Test
    void parse_everyKind_isUnderstood() {
        List<Rule> rules = RulesFile.parse("all.yaml", """
                version: 1
                rules:
                  - {name: a, level: warn, complete: custom_id}
                  - {name: b, level: warn, complete: {column: custom_id, at-least: 0.5}}
                  - {name: c, level: warn, unique: [x, y]}
                  - {name: d, level: warn, distinct: {columns: x, at-least: 0.9}}
                  - {name: e, level: warn, single-valued: x}
                  - {name: f, level: quarantine, compliance: {predicate: "x > 1"}, where: "y = 2"}
                  - {name: g, level: warn, contained-in: {column: x, values: [p, q], at-least: 0.9}}
                  - {name: h, level: warn, pattern: {column: x, regex: '^a+$', at-most: 0.1}}
                  - {name: i, level: warn, size: {equals: input}}
                  - {name: j, level: warn, size: {at-least: 3, at-most: 5}}
                  - {name: k, level: warn, size: {equals: 7}}
                  - {name: l, level: warn, rows-per-input-file: {equals: input}}
                  - {name: m, level: warn, min: {column: x, at-least: -1.5}}
                  - {name: n, level: warn, max: {column: x, at-most: 9}}
                  - {name: o, level: warn, mean: {column: x, at-least: 1, at-most: 2}}
                  - {name: p, level: warn, sum: {column: x, at-least: 1}}
                  - {name: r, level: quarantine, complete: x, retry: {temperature: 0.7, max-tokens: 96}}
                  - {name: s, level: quarantine, complete: x, retry: [{}, {top-p: 0.5, beams: 1}]}
                  - {name: t, level: warn, drift: {mean: x, strategy: relative-change, at-least: 0.5, at-most: 2}}
                  - {name: u, level: warn, drift: {share: "x > 1", strategy: batch-normal, at-least: -3, min-runs: 9}, where: y}
                  - {name: q, level: fail-run, description: d, quantile: {column: x, q: 0.99, at-most: 1, relative-error: 0.001}}
                """);

        assertThat(rules.stream().map(Rule::expectation))
                .containsExactly(
                        new Expectation.Complete("custom_id", Bounds.atLeast(1)),
                        new Expectation.Complete("custom_id", Bounds.atLeast(0.5)),
                        new Expectation.Unique(List.of("x", "y")),
                        new Expectation.Distinct(List.of("x"), Bounds.atLeast(0.9)),
                        new Expectation.SingleValued(List.of("x")),
                        new Expectation.Compliance("x > 1", Bounds.atLeast(1)),
                        new Expectation.ContainedIn("x", List.of("p", "q"), Bounds.atLeast(0.9)),
                        new Expectation.Pattern("x", "^a+$", new Bounds(null, 0.1)),
                        new Expectation.Size(null),
                        new Expectation.Size(new Bounds(3.0, 5.0)),
                        new Expectation.Size(Bounds.exactly(7)),
                        new Expectation.RowsPerInputFile(),
                        new Statistic(Statistic.Measure.MIN, "x", 0, 0, Bounds.atLeast(-1.5)),
                        new Statistic(Statistic.Measure.MAX, "x", 0, 0, new Bounds(null, 9.0)),
                        new Statistic(Statistic.Measure.MEAN, "x", 0, 0, new Bounds(1.0, 2.0)),
                        new Statistic(Statistic.Measure.SUM, "x", 0, 0, Bounds.atLeast(1)),
                        new Expectation.Complete("x", Bounds.atLeast(1)),
                        new Expectation.Complete("x", Bounds.atLeast(1)),
                        new Drift(Drift.Figure.MEAN, "x", Drift.Strategy.RELATIVE_CHANGE, new Bounds(0.5, 2.0), 1),
                        new Drift(Drift.Figure.SHARE, "x > 1", Drift.Strategy.BATCH_NORMAL, Bounds.atLeast(-3), 9),
                        new Statistic(Statistic.Measure.QUANTILE, "x", 0.99, 0.001, new Bounds(null, 1.0)));
        assertThat(rules.get(5).where()).isEqualTo("y = 2");
        assertThat(rules.get(5).words()).isEqualTo("x > 1 in a share of at least 1, over the rows where y = 2");
        assertThat(rules.get(16).retry())
                .containsExactly(new TreeMap<>(Map.of("temperature", 0.7, "max-tokens", 96.0)));
        assertThat(rules.get(17).retry())
                .containsExactly(new TreeMap<>(), new TreeMap<>(Map.of("top-p", 0.5, "beams", 1.0)));
        assertThat(rules.get(20).retry()).isEmpty();
        assertThat(rules.get(20).line()).isEqualTo(23);
    }

    @Test
    void parse_manyProblems_reportsAllWithTheirLines() {
        assertThatThrownBy(() -> RulesFile.parse("bad.yaml", """
                version: 2
                rules:
                  - name: Bad Name
                    level: loud
                    complete: request_id
                  - name: two-kinds
                    level: warn
                    unique: a
                    complete: b
                  - name: typo
                    level: warn
                    compliance: {predicat: "x", at-least: 1.5}
                  - name: twin
                    level: warn
                    unique: a
                  - name: twin
                    level: warn
                    unique: b
                  - name: open
                    level: warn
                    mean: {column: x}
                  - name: crossed
                    level: warn
                    mean: {column: x, at-least: 2, at-most: 1}
                  - name: broken-regex
                    level: warn
                    pattern: {column: x, regex: '('}
                  - name: narrowed
                    level: warn
                    where: x > 1
                    single-valued: x
                  - just a text
                """))
                .isInstanceOf(AuditException.class)
                .hasMessageStartingWith("rules bad.yaml: 13 problem(s)\n")
                .hasMessageContaining("bad.yaml:1: version: expected 1, got \"2\"")
                .hasMessageContaining("bad.yaml:3: name: expected lower-case words joined by hyphens, got \"Bad Name\"")
                .hasMessageContaining("bad.yaml:4: rule Bad Name: level: expected one of warn, quarantine, fail-run,"
                        + " got \"loud\"")
                .hasMessageContaining("bad.yaml:6: rule two-kinds: expected exactly one of")
                .hasMessageContaining("bad.yaml:12: rule typo: compliance: unknown key predicat")
                .hasMessageContaining("bad.yaml:12: rule typo: compliance: predicate: missing")
                .hasMessageContaining("bad.yaml:12: rule typo: compliance: at-least: expected a number in [0, 1]")
                .hasMessageContaining("bad.yaml:16: rule twin: the name is taken by the rule in line 13")
                .hasMessageContaining("bad.yaml:21: rule open: mean: expected at-least, at-most or both")
                .hasMessageContaining("bad.yaml:24: rule crossed: mean: at-least 2 is above at-most 1")
                .hasMessageContaining("bad.yaml:27: rule broken-regex: pattern: regex: ")
                .hasMessageContaining("bad.yaml:30: rule narrowed: where: cannot narrow single-valued")
                .hasMessageContaining("bad.yaml:32: expected a rule");
    }

    @Test
    void parse_wrongRetriesAndDrifts_areSaidWithTheirLines() {
        assertThatThrownBy(() -> RulesFile.parse("bad.yaml", """
                version: 1
                rules:
                  - {name: a, level: warn, complete: x, retry: {temperature: 1}}
                  - {name: b, level: quarantine, complete: x, retry: {temperature: -1, max-tokens: 2.5, seed: 3}}
                  - {name: c, level: quarantine, complete: x, retry: []}
                  - {name: d, level: warn, drift: {mean: x, max: x, strategy: batch-normal, at-most: 3}}
                  - {name: e, level: warn, drift: {mean: x, strategy: guess, at-most: 3}}
                  - {name: f, level: warn, drift: {mean: x, strategy: batch-normal, at-least: 1}}
                """))
                .isInstanceOf(AuditException.class)
                .hasMessageStartingWith("rules bad.yaml: 8 problem(s)\n")
                .hasMessageContaining(
                        "bad.yaml:3: rule a: retry: only rows of level quarantine are retried, this is warn")
                .hasMessageContaining("bad.yaml:4: rule b: retry: temperature: expected a number from 0, got -1")
                .hasMessageContaining("bad.yaml:4: rule b: retry: max-tokens: expected a whole number, got 2.5")
                .hasMessageContaining("bad.yaml:4: rule b: retry: unknown key seed")
                .hasMessageContaining("bad.yaml:5: rule c: retry: expected at least one")
                .hasMessageContaining("bad.yaml:6: rule d: drift: expected exactly one of [max, mean, min, share, sum]")
                .hasMessageContaining("bad.yaml:7: rule e: drift: strategy: expected one of [absolute-change,")
                .hasMessageContaining("bad.yaml:8: rule f: drift: expected bounds with 0 standard deviations between");
    }

    @Test
    void parse_noYaml_saysWhere() {
        assertThatThrownBy(() -> RulesFile.parse("broken.yaml", "version: 1\nrules: [a, {b\n"))
                .isInstanceOf(AuditException.class)
                .hasMessageStartingWith("rules broken.yaml: no YAML: ")
                .hasMessageContaining("line");
    }

    @Test
    void parse_noRules_isAProblem() {
        assertThatThrownBy(() -> RulesFile.parse("none.yaml", "version: 1\nrules: []\n"))
                .hasMessageContaining("none.yaml:2: rules: expected a list of at least one rule");
        assertThatThrownBy(() -> RulesFile.parse("empty.yaml", ""))
                .hasMessageContaining("empty.yaml:1: the file: expected the keys [version, rules], got nothing");
    }

    @Test
    void read_missingFile_saysWhich() {
        assertThatThrownBy(() -> RulesFile.read(Path.of("no-such-rules.yaml")))
                .isInstanceOf(AuditException.class)
                .hasMessageContaining("no-such-rules.yaml");
    }
}
