package io.millrace.engine.chat;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;

/// JSON text as Python's `json.dumps(value, ensure_ascii=False)` writes it, which is what the model has
/// seen: ", " and ": " as separators, members in the order they came, characters outside ASCII as they are,
/// floats as `repr` has them.
final class PythonJson {
    private PythonJson() {}

    static String write(JsonNode value) {
        StringBuilder json = new StringBuilder();
        append(value, json);
        return json.toString();
    }

    static String write(String text) {
        StringBuilder json = new StringBuilder(text.length() + 2);
        appendText(text, json);
        return json.toString();
    }

    private static void append(JsonNode value, StringBuilder json) {
        switch (value.getNodeType()) {
            case OBJECT -> appendObject(value, json);
            case ARRAY -> appendArray(value, json);
            case STRING -> appendText(value.textValue(), json);
            case NUMBER ->
                json.append(value.isIntegralNumber() ? value.bigIntegerValue().toString() : number(value));
            case BOOLEAN, NULL -> json.append(value.asText());
            default -> throw new IllegalArgumentException("not a JSON value: " + value.getNodeType());
        }
    }

    private static void appendObject(JsonNode object, StringBuilder json) {
        json.append('{');
        Iterator<Map.Entry<String, JsonNode>> members = object.properties().iterator();
        while (members.hasNext()) {
            Map.Entry<String, JsonNode> member = members.next();
            appendText(member.getKey(), json);
            json.append(": ");
            append(member.getValue(), json);
            json.append(members.hasNext() ? ", " : "");
        }
        json.append('}');
    }

    private static void appendArray(JsonNode array, StringBuilder json) {
        json.append('[');
        for (int at = 0; at < array.size(); at++) {
            json.append(at == 0 ? "" : ", ");
            append(array.get(at), json);
        }
        json.append(']');
    }

    private static void appendText(String text, StringBuilder json) {
        json.append('"');
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\n' -> json.append("\\n");
                case '\r' -> json.append("\\r");
                case '\t' -> json.append("\\t");
                case '\f' -> json.append("\\f");
                case '\b' -> json.append("\\b");
                default -> {
                    if (c < ' ') {
                        json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        json.append(c);
                    }
                }
            }
        }
        json.append('"');
    }

    private static String number(JsonNode value) {
        return number(value.doubleValue());
    }

    /// The shortest digits that give the same double again; plain between 1e-4 and 1e16, else with an
    /// exponent of at least two digits.
    static String number(double value) {
        if (Double.isNaN(value)) {
            return "NaN";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "Infinity" : "-Infinity";
        }
        String sign = Double.doubleToRawLongBits(value) < 0 ? "-" : "";
        BigDecimal decimal = shortest(Math.abs(value)).stripTrailingZeros();
        String digits = decimal.unscaledValue().toString();
        // the decimal exponent of the first digit
        int exponent = value == 0 ? 0 : digits.length() - 1 - decimal.scale();
        return sign + (exponent < -4 || exponent >= 16 ? scientific(digits, exponent) : plain(digits, exponent));
    }

    /// Java writes at least two digits, and of 5e-324 therefore the nearer 4.9e-324.
    private static BigDecimal shortest(double value) {
        BigDecimal oneDigit = new BigDecimal(value).round(new MathContext(1));
        return oneDigit.doubleValue() == value ? oneDigit : new BigDecimal(Double.toString(value));
    }

    private static String scientific(String digits, int exponent) {
        String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
        return digits.charAt(0)
                + fraction
                + String.format(Locale.ROOT, "e%s%02d", exponent < 0 ? "-" : "+", Math.abs(exponent));
    }

    private static String plain(String digits, int exponent) {
        if (exponent < 0) {
            return "0." + "0".repeat(-exponent - 1) + digits;
        }
        int whole = exponent + 1;
        if (digits.length() <= whole) {
            return digits + "0".repeat(whole - digits.length()) + ".0";
        }
        return digits.substring(0, whole) + "." + digits.substring(whole);
    }
}
