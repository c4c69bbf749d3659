package io.millrace.jobs.evaluate.template;

import io.millrace.jobs.evaluate.python.PythonText;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A template in Jinja's language, parsed: text, `{{ expression }}`, `{% if %}`, `{% for %}`, `{% set %}`,
/// `{% raw %}`, `{# comment #}`, with `-` taking away space beside a tag. A name that is not there is
/// an error, a newline at the end stays, and values print as Python prints them: what
/// lm-evaluation-harness asks of Jinja.
///
/// Not there, and so an error: macros, inheritance, imports, filters and methods beyond the common ones.
public final class Template {
    private final List<Node> nodes;

    private Template(List<Node> nodes) {
        this.nodes = List.copyOf(nodes);
    }

    /// @throws TemplateException if it is none
    public static Template parse(String source) {
        return new Template(new TemplateParser(source).template());
    }

    /// The text for a document.
    ///
    /// @throws TemplateException if the document lacks something that is used, or does not go with it
    public String render(Map<String, ? extends @Nullable Object> document) {
        StringBuilder out = new StringBuilder();
        render(nodes, Scope.of(document), out);
        return out.toString();
    }

    private static void render(List<Node> nodes, Scope scope, StringBuilder out) {
        nodes.forEach(node -> node.render(scope, out));
    }

    /// A part of a template.
    sealed interface Node {
        void render(Scope scope, StringBuilder out);
    }

    record Text(String text) implements Node {
        @Override
        public void render(Scope scope, StringBuilder out) {
            out.append(text);
        }
    }

    record Output(Expression expression) implements Node {
        @Override
        public void render(Scope scope, StringBuilder out) {
            out.append(PythonText.str(expression.defined(scope)));
        }
    }

    record Assignment(String name, Expression expression) implements Node {
        @Override
        public void render(Scope scope, StringBuilder out) {
            scope.set(name, expression.defined(scope));
        }
    }

    /// @param conditions one for each of the first branches
    /// @param branches one more than there are conditions if there is an `else`
    record Choice(List<Expression> conditions, List<List<Node>> branches) implements Node {
        @Override
        public void render(Scope scope, StringBuilder out) {
            for (int branch = 0; branch < branches.size(); branch++) {
                if (branch == conditions.size()
                        || PythonText.isTrue(conditions.get(branch).defined(scope))) {
                    Template.render(branches.get(branch), scope, out);
                    return;
                }
            }
        }
    }

    /// @param names one, or several among which each item is divided
    /// @param condition which items count; null for all
    record Loop(
            List<String> names, Expression over, @Nullable Expression condition, List<Node> body, List<Node> otherwise)
            implements Node {
        @Override
        public void render(Scope scope, StringBuilder out) {
            List<@Nullable Object> items = wanted(scope);
            for (int index = 0; index < items.size(); index++) {
                Scope inner = scope.inner();
                assign(inner, items.get(index));
                inner.set("loop", state(items, index));
                Template.render(body, inner, out);
            }
            if (items.isEmpty()) {
                Template.render(otherwise, scope, out);
            }
        }

        private List<@Nullable Object> wanted(Scope scope) {
            List<@Nullable Object> items = new ArrayList<>();
            for (Object item : Filters.items(over.defined(scope))) {
                Scope inner = scope.inner();
                assign(inner, item);
                if (condition == null || PythonText.isTrue(condition.defined(inner))) {
                    items.add(item);
                }
            }
            return items;
        }

        private void assign(Scope scope, @Nullable Object item) {
            if (names.size() == 1) {
                scope.set(names.getFirst(), item);
                return;
            }
            List<@Nullable Object> parts = Filters.items(item);
            if (parts.size() != names.size()) {
                throw new TemplateException("for: expected " + names.size() + " values, got " + PythonText.repr(item));
            }
            for (int index = 0; index < parts.size(); index++) {
                scope.set(names.get(index), parts.get(index));
            }
        }

        private static Object state(List<@Nullable Object> items, int index) {
            Map<Object, Object> state = new LinkedHashMap<>();
            state.put("index", index + 1L);
            state.put("index0", (long) index);
            state.put("first", index == 0);
            state.put("last", index == items.size() - 1);
            state.put("length", (long) items.size());
            return Collections.unmodifiableMap(state);
        }
    }
}
