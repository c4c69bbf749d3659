package io.millrace.engine.json;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What a JSON value may be.
sealed interface Shape {

    /// Any value.
    record Any() implements Shape {}

    /// One of some texts of JSON.
    record OneOf(List<String> texts) implements Shape {
        public OneOf {
            texts = List.copyOf(texts);
        }
    }

    /// A value of one of some shapes.
    record AnyOf(List<Shape> shapes) implements Shape {
        public AnyOf {
            shapes = List.copyOf(shapes);
        }
    }

    /// A number, written without fraction and exponent if it is an integer.
    record Numeric(boolean integer) implements Shape {}

    /// A string.
    ///
    /// @param least code points
    /// @param most code points
    record Text(int least, int most, Language language) implements Shape {}

    /// @param most items
    record Items(Shape each, int least, int most) implements Shape {}

    /// @param others shape of the members that are not named; null if there may be none
    record Members(
            Map<String, Shape> named,
            Set<String> required,
            @Nullable Shape others) implements Shape {
        public Members {
            required = Set.copyOf(required);
        }
    }

    /// A shape that has a name, so that it can hold itself. The same as another of that name.
    record Named(String name, Supplier<Shape> shape) implements Shape {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Named that && name.equals(that.name);
        }

        @Override
        public int hashCode() {
            return Objects.hashCode(name);
        }
    }
}
