package io.millrace.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ColumnsTest {

    /// Every field of the schema, nested ones too, in the order of the file; names are unique except for
    /// struct prefixes, so a flat list of names is enough to compare. Our resource writes one space after
    /// each colon.
    private static final Pattern FIELD_NAME = Pattern.compile("\"name\": \"([^\"]+)\"");

    @Test
    void completion_constantsAndSchemaNameTheSameColumns() throws IllegalAccessException {
        assertThat(constants(Columns.Completion.class)).containsExactlyInAnyOrderElementsOf(schemaNames());
    }

    @Test
    void completion_structsNameTheirOwnFields() throws IllegalAccessException {
        String json = TableSchema.completion().json();
        for (Class<?> struct : Columns.Completion.class.getDeclaredClasses()) {
            List<String> names = constants(struct);
            int start = json.indexOf("\"name\": \"" + names.getFirst() + "\"");
            int end = json.indexOf("\n    }", start);
            assertThat(start).as(struct.getSimpleName()).isPositive();
            List<String> inside = new ArrayList<>();
            Matcher matcher = FIELD_NAME.matcher(json.substring(start, end));
            while (matcher.find()) {
                inside.add(matcher.group(1));
            }
            assertThat(names).as(struct.getSimpleName()).isEqualTo(inside);
        }
    }

    @Test
    void readme_hasARowForEveryColumn() throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        for (String name : schemaNames()) {
            assertThat(readme).containsPattern("(?m)^\\| `([a-z_]+\\.)*" + Pattern.quote(name) + "` \\|");
        }
    }

    private static List<String> schemaNames() {
        List<String> names = new ArrayList<>();
        Matcher matcher = FIELD_NAME.matcher(TableSchema.completion().json());
        while (matcher.find()) {
            names.add(matcher.group(1));
        }
        assertThat(names).hasSizeGreaterThan(40);
        return names;
    }

    private static List<String> constants(Class<?> holder) throws IllegalAccessException {
        List<String> names = new ArrayList<>();
        for (Field field : holder.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers()) && field.getType() == String.class) {
                names.add((String) field.get(null));
            }
        }
        for (Class<?> nested : holder.getDeclaredClasses()) {
            names.addAll(constants(nested));
        }
        return names;
    }
}
