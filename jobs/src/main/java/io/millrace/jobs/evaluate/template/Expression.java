package io.millrace.jobs.evaluate.template;

import io.millrace.jobs.evaluate.python.PythonText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An expression, parsed.
sealed interface Expression {

    /// Its value; may be an {@link Undefined}.
    @Nullable
    Object value(Scope scope);

    /// Its value, which has to be defined.
    default @Nullable Object defined(Scope scope) {
        return Undefined.refused(value(scope));
    }

    record Constant(@Nullable Object constant) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            return constant;
        }
    }

    record Name(String name) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            return scope.find(name);
        }
    }

    record Items(List<Expression> items) implements Expression {
        @Override
        public Object value(Scope scope) {
            List<@Nullable Object> values = new ArrayList<>();
            items.forEach(item -> values.add(item.defined(scope)));
            return values;
        }
    }

    record Entries(List<Expression> keys, List<Expression> values) implements Expression {
        @Override
        public Object value(Scope scope) {
            Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>();
            for (int index = 0; index < keys.size(); index++) {
                map.put(keys.get(index).defined(scope), values.get(index).defined(scope));
            }
            return map;
        }
    }

    record Attribute(Expression of, String name) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            Object owner = of.defined(scope);
            return owner instanceof Map<?, ?> map && map.containsKey(name) ? map.get(name) : new Undefined(name);
        }
    }

    record Subscript(Expression of, Expression index) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            Object owner = of.defined(scope);
            Object at = index.defined(scope);
            if (owner instanceof Map<?, ?> map) {
                return map.containsKey(at) ? map.get(at) : new Undefined(PythonText.str(at));
            }
            if (at instanceof Long place && owner instanceof List<?> list) {
                int position = position(place, list.size());
                return position < 0 ? new Undefined(PythonText.str(at)) : list.get(position);
            }
            if (at instanceof Long place && owner instanceof String text) {
                int[] points = text.codePoints().toArray();
                int position = position(place, points.length);
                return position < 0 ? new Undefined(PythonText.str(at)) : Character.toString(points[position]);
            }
            return new Undefined(PythonText.str(at));
        }

        private static int position(long place, int size) {
            long position = place < 0 ? place + size : place;
            return position >= 0 && position < size ? (int) position : -1;
        }
    }

    /// `of[from:to:step]`; null for what is left out.
    record Slice(
            Expression of,
            @Nullable Expression from,
            @Nullable Expression to,
            @Nullable Expression step) implements Expression {
        @Override
        public Object value(Scope scope) {
            Object owner = of.defined(scope);
            Long first = whole(from, scope);
            Long last = whole(to, scope);
            Long stride = whole(step, scope);
            if (owner instanceof List<?> list) {
                List<@Nullable Object> sliced = new ArrayList<>();
                indices(list.size(), first, last, stride).forEach(index -> sliced.add(list.get(index)));
                return sliced;
            }
            if (owner instanceof String text) {
                int[] points = text.codePoints().toArray();
                StringBuilder sliced = new StringBuilder();
                indices(points.length, first, last, stride).forEach(index -> sliced.appendCodePoint(points[index]));
                return sliced.toString();
            }
            throw new TemplateException("a slice: expected a list or a string, got " + PythonText.repr(owner));
        }

        private static @Nullable Long whole(@Nullable Expression expression, Scope scope) {
            Object value = expression == null ? null : expression.defined(scope);
            if (value == null || value instanceof Long) {
                return (Long) value;
            }
            throw new TemplateException("a slice: expected whole numbers, got " + PythonText.repr(value));
        }

        private static List<Integer> indices(int size, @Nullable Long from, @Nullable Long to, @Nullable Long step) {
            long stride = step == null ? 1 : step;
            if (stride == 0) {
                throw new TemplateException("a slice: expected a step, got 0");
            }
            long low = stride > 0 ? 0 : -1;
            long high = stride > 0 ? size : size - 1L;
            long first = bound(from, stride > 0 ? low : high, size, low, high);
            long last = bound(to, stride > 0 ? high : low, size, low, high);
            List<Integer> indices = new ArrayList<>();
            for (long index = first; stride > 0 ? index < last : index > last; index += stride) {
                indices.add((int) index);
            }
            return indices;
        }

        private static long bound(@Nullable Long given, long otherwise, int size, long low, long high) {
            return given == null ? otherwise : Math.clamp(given < 0 ? given + size : given, low, high);
        }
    }

    /// A method of a value, or a function.
    record Call(Expression function, Arguments arguments) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            if (function instanceof Attribute(Expression of, String name)) {
                return Methods.call(of.defined(scope), name, arguments.values(scope));
            }
            if (function instanceof Name(String name)) {
                return Methods.function(name, arguments.values(scope));
            }
            throw new TemplateException("expected a method or function to call");
        }
    }

    record Filtered(Expression of, String filter, Arguments arguments) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            return Filters.apply(filter, of.value(scope), arguments.values(scope), arguments.named(scope));
        }
    }

    record Test(Expression of, String test, Arguments arguments) implements Expression {
        @Override
        public Object value(Scope scope) {
            return Tests.holds(test, of.value(scope), arguments.values(scope));
        }
    }

    record Not(Expression of) implements Expression {
        @Override
        public Object value(Scope scope) {
            return !PythonText.isTrue(of.defined(scope));
        }
    }

    record And(Expression left, Expression right) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            Object first = left.defined(scope);
            return PythonText.isTrue(first) ? right.value(scope) : first;
        }
    }

    record Or(Expression left, Expression right) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            Object first = left.defined(scope);
            return PythonText.isTrue(first) ? first : right.value(scope);
        }
    }

    /// @param otherwise null for nothing
    record Either(
            Expression condition, Expression then, @Nullable Expression otherwise) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            if (PythonText.isTrue(condition.defined(scope))) {
                return then.value(scope);
            }
            return otherwise == null ? new Undefined("the inline if-expression without else") : otherwise.value(scope);
        }
    }

    record Operation(String operator, Expression left, Expression right) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            return Operators.apply(operator, left.defined(scope), right.defined(scope));
        }
    }

    record Negative(Expression of) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            return Operators.apply("-", 0L, of.defined(scope));
        }
    }

    /// Arguments of a call.
    record Arguments(List<Expression> positional, Map<String, Expression> byName) {
        static final Arguments NONE = new Arguments(List.of(), Map.of());

        List<@Nullable Object> values(Scope scope) {
            List<@Nullable Object> values = new ArrayList<>();
            positional.forEach(argument -> values.add(argument.defined(scope)));
            return values;
        }

        Map<String, @Nullable Object> named(Scope scope) {
            Map<String, @Nullable Object> named = new LinkedHashMap<>();
            byName.forEach((name, argument) -> named.put(name, argument.defined(scope)));
            return named;
        }
    }
}
