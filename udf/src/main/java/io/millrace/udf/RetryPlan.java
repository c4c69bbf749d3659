package io.millrace.udf;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What the rules of a gate give for retries of the rows that break them.
///
/// @param rules in the order of their file
/// @param limit how often a row is retried, over all starts of a run
public record RetryPlan(List<Rule> rules, int limit) implements Serializable {

    /// What one rule gives.
    ///
    /// @param retries parameters of the first retry, the second, and so on, the last also for all further
    ///     ones; empty if the rule gives none
    public record Rule(String name, List<SortedMap<String, Double>> retries) implements Serializable {
        public Rule {
            retries = List.copyOf(retries);
        }
    }

    public RetryPlan {
        rules = List.copyOf(rules);
    }

    /// The next retry of a row. Of a parameter that several of its rules give, the first rule's value counts.
    ///
    /// @param broken names of the rules that the row breaks
    /// @param attempts how often it was retried before
    /// @return null if none of the rules gives a retry, or the row has had all of them
    public @Nullable Retry next(Collection<String> broken, int attempts) {
        List<Rule> its =
                rules.stream().filter(rule -> broken.contains(rule.name())).toList();
        List<String> names = new ArrayList<>();
        NavigableMap<String, Double> parameters = new TreeMap<>();
        boolean given = false;
        for (Rule rule : its) {
            names.add(rule.name());
            if (!rule.retries().isEmpty()) {
                given = true;
                int step = Math.min(attempts, rule.retries().size() - 1);
                rule.retries().get(step).forEach(parameters::putIfAbsent);
            }
        }
        return given && attempts < limit ? new Retry(attempts + 1, names, parameters) : null;
    }
}
