package io.millrace.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/// Ways to damage files: without knowing them, as text, as JSON.
public final class Mutations {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /// Numbers at the ends of types, sizes and counts.
    private static final long[] NUMBERS = {
        0, 1, 2, 3, -1, 7, 127, 128, 255, 256, 65_535, 1 << 20, 1 << 24, 1 << 30, Integer.MAX_VALUE, 1L << 31,
        0xFFFF_FFFFL, 1L << 32, 1L << 40, 1L << 53, Long.MAX_VALUE, Long.MIN_VALUE, Integer.MIN_VALUE
    };

    /// Words that JSON and YAML readers may stumble over.
    private static final String[] WORDS = {
        "null", "-1", "1e999", "{", "}", "[", "]", "\"", ",", ":", "99999999999999999999", "true", "\\u0000", "0.5",
        "[[[[[[", "\"a\":1,", "2147483648", "NaN", "..", "/", "F8_E4M3", "I64", "\\ud800", "\0", "\n", "\t", "#", "'",
        "&a [*a]", "*a", "!!int ", "<<: ", "- ", "? ", "|", "\u2028", "\uFEFF", "%", "---\n", "...\n"
    };

    private Mutations() {}

    /// Bits, runs, numbers, pieces of one region, and cuts.
    ///
    /// @param from first byte that may change
    /// @param to behind the last one; a cut may be anywhere before it
    public static Mutation bytes(int from, int to) {
        return (bytes, random) -> {
            int end = Math.min(to, bytes.length);
            if (end - from < 1) {
                return bytes;
            }
            int at = from + random.nextInt(end - from);
            int length = Math.min(1 + random.nextInt(16), end - at);
            byte[] damaged = bytes.clone();
            return switch (random.nextInt(8)) {
                case 0, 1 -> {
                    damaged[at] ^= (byte) (1 << random.nextInt(8));
                    yield damaged;
                }
                case 2 -> {
                    Arrays.fill(damaged, at, at + length, (byte) (random.nextBoolean() ? 0xFF : 0));
                    yield damaged;
                }
                case 3, 4 -> number(damaged, at, end, random);
                case 5 -> {
                    int source = from + random.nextInt(end - from);
                    int copied = Math.min(length, end - source);
                    System.arraycopy(bytes, source, damaged, at, copied);
                    yield damaged;
                }
                case 6 -> spliced(bytes, at, random.nextBoolean() ? at : at + length, chunk(bytes, random));
                default -> Arrays.copyOf(bytes, at);
            };
        };
    }

    private static byte[] number(byte[] damaged, int at, int end, RandomGenerator random) {
        int width = 1 << random.nextInt(4);
        if (at + width <= end) {
            long number = NUMBERS[random.nextInt(NUMBERS.length)] + random.nextInt(3) - 1;
            ByteBuffer little = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(number);
            System.arraycopy(little.array(), 0, damaged, at, width);
        }
        return damaged;
    }

    private static byte[] chunk(byte[] bytes, RandomGenerator random) {
        int from = random.nextInt(bytes.length);
        return Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + 1 + random.nextInt(60)));
    }

    private static byte[] spliced(byte[] bytes, int from, int to, byte[] between) {
        byte[] spliced = new byte[from + between.length + bytes.length - to];
        System.arraycopy(bytes, 0, spliced, 0, from);
        System.arraycopy(between, 0, spliced, from, between.length);
        System.arraycopy(bytes, to, spliced, from + between.length, bytes.length - to);
        return spliced;
    }

    /// Words in or in place of others, digits, lines twice, gone or moved to the right, and cuts.
    public static Mutation text() {
        return (bytes, random) -> {
            if (bytes.length == 0) {
                return bytes;
            }
            int at = random.nextInt(bytes.length);
            int length = Math.min(1 + random.nextInt(8), bytes.length - at);
            byte[] word = WORDS[random.nextInt(WORDS.length)].getBytes(StandardCharsets.UTF_8);
            return switch (random.nextInt(9)) {
                case 0 -> spliced(bytes, at, at + length, new byte[0]);
                case 1, 2 -> spliced(bytes, at, at, word);
                case 3 -> spliced(bytes, at, at + length, word);
                case 4 -> digit(bytes, at, random);
                case 5 -> spliced(bytes, at, at, chunk(bytes, random));
                case 6, 7 -> line(bytes, at, random);
                default -> Arrays.copyOf(bytes, at);
            };
        };
    }

    private static byte[] digit(byte[] bytes, int at, RandomGenerator random) {
        int number = at;
        while (number < bytes.length - 1 && !Character.isDigit(bytes[number])) {
            number++;
        }
        return spliced(bytes, number, number + 1, new byte[] {(byte) ('0' + random.nextInt(10))});
    }

    private static byte[] line(byte[] bytes, int at, RandomGenerator random) {
        int start = at;
        while (start > 0 && bytes[start - 1] != '\n') {
            start--;
        }
        int end = at;
        while (end < bytes.length && bytes[end] != '\n') {
            end++;
        }
        end = Math.min(end + 1, bytes.length);
        return switch (random.nextInt(3)) {
            case 0 -> spliced(bytes, start, end, new byte[0]);
            case 1 -> spliced(bytes, end, end, Arrays.copyOfRange(bytes, start, end));
            default -> spliced(bytes, start, start, new byte[] {' ', ' '});
        };
    }

    /// One value of a JSON text becomes another, goes, comes twice, or changes its name; the text stays JSON.
    /// Bytes that are no JSON are damaged as text.
    public static Mutation json() {
        return (bytes, random) -> {
            try {
                JsonNode root = JSON.readTree(bytes);
                List<JsonNode> containers = new ArrayList<>();
                collect(root, containers);
                if (containers.isEmpty()) {
                    return text().apply(bytes, random);
                }
                JsonNode container = containers.get(random.nextInt(containers.size()));
                if (container instanceof ObjectNode object) {
                    damage(object, random);
                } else {
                    damage((ArrayNode) container, random);
                }
                return JSON.writeValueAsBytes(root);
            } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
                return text().apply(bytes, random);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
    }

    private static void collect(JsonNode node, List<JsonNode> containers) {
        if (node != null && node.isContainerNode() && !node.isEmpty()) {
            containers.add(node);
            node.forEach(child -> collect(child, containers));
        }
    }

    private static void damage(ObjectNode object, RandomGenerator random) {
        List<Map.Entry<String, JsonNode>> fields = new ArrayList<>(object.properties());
        Map.Entry<String, JsonNode> field = fields.get(random.nextInt(fields.size()));
        JsonNode other = fields.get(random.nextInt(fields.size())).getValue();
        switch (random.nextInt(6)) {
            case 0 -> object.remove(field.getKey());
            case 1 -> object.set(field.getKey() + "x", object.remove(field.getKey()));
            case 2 -> object.set(field.getKey(), other);
            default -> object.set(field.getKey(), value(field.getValue(), random));
        }
    }

    private static void damage(ArrayNode array, RandomGenerator random) {
        int at = random.nextInt(array.size());
        switch (random.nextInt(5)) {
            case 0 -> array.remove(at);
            case 1 -> array.insert(at, array.get(at));
            case 2 -> array.set(at, array.get(random.nextInt(array.size())));
            default -> array.set(at, value(array.get(at), random));
        }
    }

    private static JsonNode value(JsonNode old, RandomGenerator random) {
        return switch (random.nextInt(12)) {
            case 0 -> NODES.nullNode();
            case 1 -> NODES.booleanNode(random.nextBoolean());
            case 2 -> NODES.textNode(WORDS[random.nextInt(WORDS.length)]);
            case 3 -> NODES.textNode("");
            case 4 -> NODES.objectNode().set("x", old);
            case 5 -> NODES.arrayNode().add(old).add(old);
            case 6 -> NODES.numberNode(random.nextGaussian() * Math.pow(10, random.nextInt(-30, 30)));
            case 7 -> NODES.arrayNode();
            case 8 -> NODES.numberNode(old.asLong() + random.nextInt(5) - 2);
            case 9 -> NODES.numberNode(old.asLong() << random.nextInt(8));
            default -> NODES.numberNode(NUMBERS[random.nextInt(NUMBERS.length)]);
        };
    }
}
