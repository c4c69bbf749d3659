package io.millrace.jobs.inspect;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.TokenIds;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `millrace logits`: what the model thinks comes next, at every position.
@Command(
        name = "logits",
        mixinStandardHelpOptions = true,
        description = {
            "Writes the next-token logits at every position of a token sequence.",
            "In double precision, which is slow on a large model; --ring vector for the kernels that jobs run on."
        })
public final class LogitsCommand implements Callable<Integer> {

    @Mixin
    private ModelOption model = new ModelOption();

    @Option(names = "--tokens", paramLabel = "FILE", required = true, description = "JSON array of token ids.")
    private Path tokens = Path.of("");

    @Option(
            names = "--output",
            paramLabel = "FILE",
            required = true,
            description = "JSON to write: an array of arrays of numbers, one per position.")
    private Path output = Path.of("");

    @Override
    public Integer call() throws IOException {
        TokenIds ids = JsonFiles.tokens(tokens);
        try (LocalEngine engine = model.openReference()) {
            write(engine.logits(ids.toArray()));
        }
        return 0;
    }

    /// Shortest decimal forms that read back as the same floats.
    private void write(float[][] logits) throws IOException {
        try (Writer writer = Files.newBufferedWriter(output);
                JsonGenerator json = new JsonFactory().createGenerator(writer)) {
            json.writeStartArray();
            for (float[] position : logits) {
                json.writeStartArray();
                for (float logit : position) {
                    json.writeNumber(logit);
                }
                json.writeEndArray();
            }
            json.writeEndArray();
        }
    }
}
