package io.millrace.jobs.serve;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.LocalEngine;
import io.millrace.engine.api.GenerationResult;
import io.millrace.engine.chat.ThinkingMode;
import io.millrace.engine.tokenizer.TokenTextDecoder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/// The answer to one request: its choices under way in the engine. Confined to the request's thread.
final class Answer {
    private final String id;
    private final String model;
    private final long created;
    private final Form form;
    private final Wish wish;
    private final LocalEngine engine;
    private final int interval;
    private final BlockingQueue<Choice> news = new LinkedBlockingQueue<>();
    private final List<Choice> choices = new ArrayList<>();
    /// Of each prompt, where answers begin with it.
    private final List<Echo> echoed = new ArrayList<>();

    /// Hands the request to the engine.
    ///
    /// @param number of the request since the server started
    /// @param created seconds since the epoch
    /// @param interval tokens of a choice that a part of a stream waits for
    Answer(long number, String model, long created, Wish wish, LocalEngine engine, int interval) {
        this.form = wish.chat() == null ? Form.TEXT : Form.CHAT;
        this.id = form.prefix() + created + "-" + number;
        this.model = model;
        this.created = created;
        this.wish = wish;
        this.engine = engine;
        this.interval = interval;
        for (int index = 0; index < wish.choices(); index++) {
            choices.add(Choice.submit(index, engine, id, wish, news));
        }
        for (int prompt = 0; wish.echo() && prompt < wish.prompts().size(); prompt++) {
            echoed.add(Echo.of(id + "-echo-" + prompt, engine, wish.prompts().get(prompt), wish.logprobs()));
        }
    }

    /// Where the parts of a stream go.
    interface Sink {
        void send(ObjectNode part) throws IOException;
    }

    void cancel() {
        choices.forEach(Choice::cancel);
        echoed.forEach(Echo::cancel);
    }

    /// Waits for all of it.
    ///
    /// @throws ApiException if the engine failed
    ObjectNode whole() {
        ObjectNode answer = envelope(false);
        for (Choice choice : choices) {
            GenerationResult.Completed completed = choice.completed();
            Reply reply = Reply.of(wish, completed.text());
            ObjectNode written = form.whole(id, choice.index(), reply);
            List<Chosen> tokens = new ArrayList<>();
            if (wish.echo()) {
                written.put("text", engine.decode(wish.prompt(choice.index())) + reply.content());
                tokens.addAll(echoed.get(choice.index() / wish.samples()).tokens());
            }
            tokens.addAll(choice.tokensFrom(0));
            addLogprobs(written, tokens, 0);
            answer.withArray("choices").add(written.put("finish_reason", reply.finishReason(completed)));
        }
        answer.set("usage", usage());
        return answer;
    }

    /// Sends it as it grows.
    ///
    /// @throws ApiException if the engine failed
    void stream(Sink sink) throws IOException, InterruptedException {
        List<Draft> drafts = new ArrayList<>();
        for (Choice choice : choices) {
            drafts.add(new Draft(choice));
            ObjectNode first = form.first(choice.index());
            if (first != null) {
                sink.send(chunk(first));
            }
        }
        int open = drafts.size();
        while (open > 0) {
            Draft draft = drafts.get(news.take().index());
            if (!draft.ended) {
                draft.send(sink);
                open -= draft.ended ? 1 : 0;
            }
        }
        if (wish.streamUsage()) {
            ObjectNode last = envelope(true);
            last.set("usage", usage());
            sink.send(last);
        }
    }

    private ObjectNode envelope(boolean stream) {
        ObjectNode envelope = JsonNodeFactory.instance.objectNode();
        envelope.put("id", id)
                .put("object", form.object(stream))
                .put("created", created)
                .put("model", model);
        envelope.putArray("choices");
        return envelope;
    }

    private ObjectNode chunk(ObjectNode choice) {
        ObjectNode chunk = envelope(true);
        chunk.withArray("choices").add(choice);
        return wish.streamUsage() ? chunk.putNull("usage") : chunk;
    }

    private void addLogprobs(ObjectNode choice, List<Chosen> tokens, int textOffset) {
        if (wish.logprobs() < 0) {
            choice.putNull("logprobs");
        } else {
            choice.set("logprobs", form.logprobs(tokens, engine.tokenizer(), textOffset));
        }
    }

    /// Tokens of every prompt once, of every choice once.
    private ObjectNode usage() {
        int prompt = 0;
        int cached = 0;
        int completion = 0;
        int reasoning = 0;
        for (Choice choice : choices) {
            GenerationResult.Completed completed = choice.completed();
            if (choice.index() % wish.samples() == 0) {
                prompt += completed.usage().promptTokens();
                cached += completed.usage().cachedTokens();
            }
            completion += completed.usage().completionTokens();
            reasoning += reasoningTokens(completed);
        }
        ObjectNode usage = JsonNodeFactory.instance.objectNode();
        usage.put("prompt_tokens", prompt).put("completion_tokens", completion);
        usage.put("total_tokens", prompt + completion);
        usage.putObject("prompt_tokens_details").put("cached_tokens", cached);
        usage.putObject("completion_tokens_details").put("reasoning_tokens", reasoning);
        return usage;
    }

    /// Tokens up to the one that ends the reasoning, that one included.
    private int reasoningTokens(GenerationResult.Completed completed) {
        if (wish.chat() == null || wish.chat() == ThinkingMode.CHAT) {
            return 0;
        }
        OptionalInt end = engine.tokenizer().controlId(Reply.END_THINK);
        for (int at = 0; at < completed.tokens().size(); at++) {
            if (end.isPresent() && completed.tokens().get(at) == end.getAsInt()) {
                return at + 1;
            }
        }
        return completed.tokens().size();
    }

    /// What of a choice has been sent.
    private final class Draft {
        private final Choice choice;
        private final TokenTextDecoder decoder = new TokenTextDecoder(engine.tokenizer());
        private final StringBuilder text = new StringBuilder();
        private final List<Chosen> unsent = new ArrayList<>();
        private int read;
        private int reasoningSent;
        private int contentSent;
        private boolean ended;

        Draft(Choice choice) {
            this.choice = choice;
        }

        void send(Sink sink) throws IOException {
            // looked at before the tokens are: what is done has all of them
            ended = choice.isDone();
            for (Chosen token : choice.tokensFrom(read)) {
                read++;
                unsent.add(token);
                text.append(decoder.accept(token.token()));
            }
            if (ended) {
                end(sink);
                return;
            }
            if (unsent.size() < interval) {
                return;
            }
            Reply more = more(Reply.soFar(wish, text.toString()));
            if (!more.content().isEmpty() || !more.reasoning().isEmpty()) {
                sink.send(chunk(part(more).putNull("finish_reason")));
            }
        }

        private void end(Sink sink) throws IOException {
            GenerationResult.Completed completed = choice.completed();
            Reply reply = Reply.of(wish, completed.text());
            sink.send(chunk(part(more(reply)).put("finish_reason", reply.finishReason(completed))));
        }

        private Reply more(Reply reply) {
            Reply more = new Reply(
                    reply.reasoning().substring(reasoningSent), reply.content().substring(contentSent), reply.calls());
            reasoningSent = reply.reasoning().length();
            contentSent = reply.content().length();
            return more;
        }

        private ObjectNode part(Reply more) {
            ObjectNode part = form.part(id, choice.index(), more);
            addLogprobs(part, unsent, contentSent - more.content().length());
            unsent.clear();
            return part;
        }
    }
}
