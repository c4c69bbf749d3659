package io.millrace.jobs.inspect;

import io.millrace.engine.api.TokenIds;
import io.millrace.engine.chat.ChatMessages;
import io.millrace.engine.chat.DeepSeekV4Chat;
import io.millrace.engine.chat.PromptText;
import io.millrace.engine.chat.ThinkingMode;
import io.millrace.engine.tokenizer.BpeTokenizer;
import io.millrace.engine.tokenizer.Tokenizer;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `millrace tokenize`: text to ids and back, with the model's own tokenizer and chat format. Opens no
/// weights.
@Command(
        name = "tokenize",
        mixinStandardHelpOptions = true,
        description = "Prints the token ids of a text or a conversation as a JSON array, or the text of ids.")
public final class TokenizeCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = "--model",
            paramLabel = "DIR",
            required = true,
            description = "Model folder, of which tokenizer.json is read.")
    private Path model = Path.of("");

    @ArgGroup(multiplicity = "1")
    private Source source = new Source();

    @Option(
            names = "--thinking",
            paramLabel = "MODE",
            defaultValue = "chat",
            description = "With --chat: chat, thinking or thinking_max. Default: ${DEFAULT-VALUE}.")
    private ThinkingMode thinking = ThinkingMode.CHAT;

    @Option(names = "--control", description = "With --text: spellings of control tokens become control tokens.")
    private boolean control;

    @Option(names = "--pieces", description = "Print one line per token: id, tab, its text.")
    private boolean pieces;

    /// What to tokenize.
    static final class Source {

        @Option(names = "--text", paramLabel = "TEXT", description = "Text to encode.")
        private @Nullable String text;

        @Option(names = "--file", paramLabel = "FILE", description = "File of text to encode.")
        private @Nullable Path file;

        @Option(names = "--chat", paramLabel = "FILE", description = "Messages in OpenAI's JSON form to encode.")
        private @Nullable Path chat;

        @Option(names = "--decode", paramLabel = "FILE", description = "JSON array of token ids to decode.")
        private @Nullable Path decode;
    }

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls the command");
        }
        PrintWriter out = spec.commandLine().getOut();
        Tokenizer tokenizer = BpeTokenizer.read(model.resolve("tokenizer.json"));
        if (source.decode != null) {
            TokenIds ids = JsonFiles.tokens(source.decode);
            print(out, tokenizer, ids.toArray(), tokenizer.decode(ids.toArray()));
        } else {
            int[] ids = encode(tokenizer);
            print(out, tokenizer, ids, Arrays.toString(ids));
        }
        out.flush();
        return 0;
    }

    private int[] encode(Tokenizer tokenizer) {
        if (source.chat != null) {
            PromptText prompt = DeepSeekV4Chat.encode(ChatMessages.parse(JsonFiles.text(source.chat)), thinking);
            return prompt.encodeIds(tokenizer);
        }
        String text = source.file != null ? JsonFiles.text(source.file) : String.valueOf(source.text);
        return control ? tokenizer.encodeWithControlTokens(text) : tokenizer.encodeText(text);
    }

    private void print(PrintWriter out, Tokenizer tokenizer, int[] ids, String otherwise) {
        if (pieces) {
            for (int id : ids) {
                out.println(id + "\t" + tokenizer.decode(new int[] {id}).replace("\n", "\\n"));
            }
        } else {
            out.println(otherwise);
        }
    }
}
