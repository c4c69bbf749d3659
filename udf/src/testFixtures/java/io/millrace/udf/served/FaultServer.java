package io.millrace.udf.served;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A server of OpenAI's shape without a model, whose answer to `text` is `echo text`. Words in the text make it
/// misbehave, those with `-ONCE` only the first time it sees the text, or an earlier process in its place did: `BUSY` (429 with Retry-After), `RESET` (in the
/// middle of the stream), `CUT` (the stream ends early), `GARBLE` (an event is cut off), `ERROR` (500), `HANG` (never
/// goes on), `REFUSE` (400), `TOO-LONG` (400, as vLLM says it), `NO-USAGE`. `DIE=/a/file` and `FREEZE=/a/file` end or
/// stop the whole server unless the file is there, and make it; `KILL` ends it always.
public final class FaultServer implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern MARK = Pattern.compile("(DIE|FREEZE)=(\\S+)");
    /// Environment variable with the key that is asked for; none is if it is not there.
    public static final String KEY = "MILLRACE_TEST_KEY";

    private final ServerSocket socket;
    private final @Nullable String key;
    private final Map<String, AtomicInteger> asked = new ConcurrentHashMap<>();
    private final List<JsonNode> bodies = new ArrayList<>();
    private final CountDownLatch frozen = new CountDownLatch(1);
    private volatile boolean isFrozen;
    private volatile @Nullable Path memory;

    private FaultServer(ServerSocket socket, @Nullable String key) {
        this.socket = socket;
        this.key = key;
    }

    /// @param port 0 for any
    static FaultServer start(int port, @Nullable String key) throws IOException {
        FaultServer server = new FaultServer(new ServerSocket(port, 500, InetAddress.getLoopbackAddress()), key);
        Thread.ofPlatform().name("fault-server").daemon().start(server::accept);
        return server;
    }

    /// A process of its own: `PORT PID-FILE MILLISECONDS`, the last to wait before it listens.
    public static void main(String[] args) throws IOException, InterruptedException {
        Files.writeString(Path.of(args[1]), Long.toString(ProcessHandle.current().pid()));
        LockSupport.parkNanos(Long.parseLong(args[2]) * 1_000_000);
        try (FaultServer server = start(Integer.parseInt(args[0]), System.getenv(KEY))) {
            server.remember(Path.of(args[1] + ".asked"));
            new CountDownLatch(1).await();
        }
    }

    /// Texts that were asked for before this process, and a place for those of later ones.
    private void remember(Path file) throws IOException {
        if (Files.exists(file)) {
            Files.readAllLines(file).forEach(text -> asked.put(text, new AtomicInteger(1)));
        }
        memory = file;
    }

    /// Whether a text is asked for the first time.
    private boolean isFirst(String text) {
        if (asked.computeIfAbsent(text, _ -> new AtomicInteger()).incrementAndGet() > 1) {
            return false;
        }
        Path file = memory;
        if (file != null) {
            try {
                Files.writeString(file, text + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return true;
    }

    String address() {
        return "http://127.0.0.1:" + socket.getLocalPort() + "/v1";
    }

    /// How often a text was asked for.
    int asked(String text) {
        return asked.getOrDefault(text, new AtomicInteger()).get();
    }

    /// The requests so far.
    List<JsonNode> bodies() {
        synchronized (bodies) {
            return List.copyOf(bodies);
        }
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                Socket connection = socket.accept();
                Thread.ofVirtual().start(() -> answer(connection));
            } catch (SocketException _) {
                // closed
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void answer(Socket connection) {
        try (connection) {
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(connection.getInputStream(), StandardCharsets.ISO_8859_1));
            String request = Optional.ofNullable(in.readLine()).orElse("");
            int length = 0;
            String authorization = "";
            for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
                String value = line.substring(line.indexOf(':') + 1).strip();
                if (line.regionMatches(true, 0, "Content-Length:", 0, 15)) {
                    length = Integer.parseInt(value);
                } else if (line.regionMatches(true, 0, "Authorization:", 0, 14)) {
                    authorization = value;
                }
            }
            char[] body = new char[length];
            for (int read = 0; read < length; ) {
                read += in.read(body, read, length - read);
            }
            if (isFrozen) {
                frozen.await();
            }
            OutputStream out = connection.getOutputStream();
            if (key != null && !authorization.equals("Bearer " + key)) {
                send(out, 401, "", "{\"error\": {\"message\": \"no such key: " + authorization + "\"}}");
            } else if (request.startsWith("GET")) {
                send(out, 200, "", "{\"data\": [{\"id\": \"echo\", \"max_model_len\": 100000}]}");
            } else {
                complete(connection, out, JSON.readTree(text(body)));
            }
        } catch (IOException _) {
            // the client went away, or was sent away
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String text(char[] latin1) {
        return new String(new String(latin1).getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }

    private static void send(OutputStream out, int status, String header, String body) throws IOException {
        out.write(("HTTP/1.1 " + status + " x\r\n" + header + "Content-Type: application/json\r\nConnection: close\r\n\r\n"
                        + body)
                .getBytes(StandardCharsets.UTF_8));
    }

    private void complete(Socket connection, OutputStream out, JsonNode body)
            throws IOException, InterruptedException {
        synchronized (bodies) {
            bodies.add(body);
        }
        JsonNode messages = body.path("messages");
        JsonNode content = messages.path(messages.size() - 1).path("content");
        String text = content.isTextual() ? content.textValue() : content.toString();
        boolean first = isFirst(text);
        obeyMark(text);
        if (text.contains("KILL")) {
            Runtime.getRuntime().halt(3);
        } else if (is("BUSY", text, first)) {
            send(out, 429, "Retry-After: 1\r\n", "{\"error\": {\"message\": \"too many\"}}");
        } else if (is("ERROR", text, first)) {
            send(out, 500, "", "{\"error\": {\"message\": \"a fault\"}}");
        } else if (text.contains("REFUSE")) {
            send(out, 400, "", "{\"error\": {\"message\": \"not this\"}}");
        } else if (text.contains("TOO-LONG")) {
            send(out, 400, "", "{\"message\": \"This model's maximum context length is 8 tokens.\"}");
        } else {
            stream(connection, out, text, first);
        }
    }

    private void obeyMark(String text) throws IOException, InterruptedException {
        Matcher mark = MARK.matcher(text);
        if (mark.find() && create(Path.of(mark.group(2)))) {
            if (mark.group(1).equals("DIE")) {
                Runtime.getRuntime().halt(3);
            }
            isFrozen = true;
            frozen.await();
        }
    }

    private static boolean create(Path file) throws IOException {
        try {
            Files.createFile(file);
            return true;
        } catch (FileAlreadyExistsException _) {
            return false;
        }
    }

    private static boolean is(String word, String text, boolean first) {
        return text.contains(word) && (first || !text.contains(word + "-ONCE"));
    }

    private void stream(Socket connection, OutputStream out, String text, boolean first)
            throws IOException, InterruptedException {
        out.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n: a comment\n\n"
                .getBytes(StandardCharsets.UTF_8));
        event(out, delta("echo "));
        if (is("RESET", text, first)) {
            connection.setSoLinger(true, 0);
        } else if (is("GARBLE", text, first)) {
            out.write("data: {\"choices\": [{\"delta\": {\"cont\n\n".getBytes(StandardCharsets.UTF_8));
        } else if (is("HANG", text, first)) {
            new CountDownLatch(1).await();
        } else if (!is("CUT", text, first)) {
            event(out, delta(text));
            ObjectNode last = JSON.createObjectNode();
            last.putArray("choices").addObject().put("finish_reason", "stop").putObject("delta");
            if (!text.contains("NO-USAGE")) {
                last.putObject("usage").put("prompt_tokens", text.length()).put("completion_tokens", 5);
            }
            event(out, last);
            out.write("data: [DONE]\n\n".getBytes(StandardCharsets.UTF_8));
        }
    }

    private static ObjectNode delta(String content) {
        ObjectNode event = JSON.createObjectNode();
        event.putArray("choices").addObject().putObject("delta").put("content", content);
        return event;
    }

    private static void event(OutputStream out, ObjectNode event) throws IOException {
        out.write(("data: " + event + "\n\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
