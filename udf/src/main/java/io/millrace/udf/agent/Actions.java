package io.millrace.udf.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads what an agent wants done. What does not follow the form is an answer to the agent, no exception.
sealed interface Actions {

    /// In the order in which they are to be done, at least one.
    record Wanted(List<Action> actions) implements Actions {}

    /// @param reason as the agent is told
    /// @param found how many actions there were
    record Malformed(String reason, int found) implements Actions {}

    ObjectMapper JSON = new ObjectMapper();

    /// A block of mini-swe-agent's, by its older or newer name, or an edit.
    Pattern BLOCK = Pattern.compile(
            "```(?:(?<bash>mswea_bash_command|bash)[ \\t]*|edit[ \\t]+(?<path>\\S[^\\n]*))\\n(?<body>.*?)\\n```",
            Pattern.DOTALL);
    Pattern EDIT = Pattern.compile(
            "<<<<<<< SEARCH\\n(?<before>.*?)(?<=\\n)=======\\n(?<after>.*?)(?:(?<=\\n))>>>>>>> REPLACE\\s*",
            Pattern.DOTALL);

    /// The turn's actions.
    static Actions of(Turn turn, ActionForm form) {
        return switch (form) {
            case FENCED -> fenced(turn);
            case TOOLS -> called(turn);
        };
    }

    private static Actions fenced(Turn turn) {
        List<Action> actions = new ArrayList<>();
        Matcher block = BLOCK.matcher(turn.content());
        while (block.find()) {
            if (block.group("bash") != null) {
                actions.add(new Action.Command(block.group("body").strip(), null));
                continue;
            }
            Matcher edit = EDIT.matcher(block.group("body") + "\n");
            if (!edit.matches()) {
                return new Malformed(
                        "An edit needs the lines <<<<<<< SEARCH, ======= and >>>>>>> REPLACE, each once and in this order.",
                        1);
            }
            actions.add(new Action.Edit(block.group("path").strip(), edit.group("before"), edit.group("after"), null));
        }
        if (actions.size() != 1) {
            String hint = turn.finishReason().equals("length")
                    ? " The answer reached the limit of its tokens before it ended; say less."
                    : "";
            return new Malformed(
                    "Expected exactly one block of ```bash (or ```edit PATH), found " + actions.size() + "." + hint,
                    actions.size());
        }
        return new Wanted(actions);
    }

    private static Actions called(Turn turn) {
        if (turn.toolCalls().isEmpty()) {
            String hint = turn.finishReason().equals("length")
                    ? " The answer reached the limit of its tokens before it ended; say less."
                    : "";
            return new Malformed("Expected at least one call of a tool, found none." + hint, 0);
        }
        List<Action> actions = new ArrayList<>();
        for (Turn.ToolCall call : turn.toolCalls()) {
            JsonNode arguments = object(call.arguments());
            String command = arguments.path("command").textValue();
            String path = arguments.path("path").textValue();
            String before = arguments.path("old").asText("");
            String after = arguments.path("new").textValue();
            if (call.name().equals("bash") && command != null) {
                actions.add(new Action.Command(command, call.id()));
            } else if (call.name().equals("edit") && path != null && after != null) {
                actions.add(new Action.Edit(path, before, after, call.id()));
            } else {
                return new Malformed(
                        "Expected a call of bash with command, or of edit with path, old and new, found " + call.name()
                                + " with " + call.arguments() + ".",
                        actions.size());
            }
        }
        return new Wanted(actions);
    }

    private static JsonNode object(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException _) {
            return JSON.createObjectNode();
        }
    }

    /// The tools in OpenAI's form.
    static ArrayNode tools() {
        ArrayNode tools = JSON.createArrayNode();
        add(tools, "bash", "Runs a command of bash in the directory.", List.of("command"));
        add(
                tools,
                "edit",
                "Puts new in the place of old, which stands in the file exactly once; old is empty to make a file.",
                List.of("path", "old", "new"));
        return tools;
    }

    private static void add(ArrayNode tools, String name, String description, List<String> texts) {
        ObjectNode function = tools.addObject().put("type", "function").putObject("function");
        function.put("name", name).put("description", description);
        ObjectNode parameters = function.putObject("parameters").put("type", "object");
        ObjectNode properties = parameters.putObject("properties");
        texts.forEach(text -> properties.putObject(text).put("type", "string"));
        ArrayNode required = parameters.putArray("required");
        texts.forEach(required::add);
    }
}
