package io.millrace.udf.served;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.udf.EngineRecipe;
import io.millrace.udf.ServedRecipe;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A server that this executor runs as long as it runs itself, and starts again when it dies.
///
/// The command runs in a process group of its own under a small shell, whose standard input is a pipe from this
/// process. When that ends, because the server is closed or because this process is gone in whatever way
/// (SIGKILL included), the shell ends the group: first TERM, ten seconds later KILL. So no server outlives its
/// executor.
///
/// One at a time in a process: a server that replaces another would find its cards occupied.
final class StartedServer implements Server {
    private static final Logger log = LoggerFactory.getLogger(StartedServer.class);
    private static final Semaphore ONE_AT_A_TIME = new Semaphore(1);

    /// Needs `setsid` (util-linux).
    private static final String KEEPER = """
            exec 3<&0
            setsid "$@" < /dev/null 3<&- &
            server=$!
            { read -r _ <&3
              kill -TERM -$server
              tries=0
              while [ $tries -lt 100 ] && kill -0 -$server; do sleep 0.1; tries=$((tries + 1)); done
              kill -KILL -$server
            } > /dev/null 2>&1 &
            keeper=$!
            exec 3<&-
            wait $server
            code=$?
            kill -KILL -$server 2> /dev/null
            kill $keeper 2> /dev/null
            exit $code
            """;
    /// Longer than the shell needs to end the group.
    private static final Duration END = Duration.ofSeconds(15);
    private static final Duration FIRST_BACK_OFF = Duration.ofMillis(250);
    private static final Duration LONGEST_BACK_OFF = Duration.ofMinutes(1);
    private static final int LAST_WORDS = 2000;

    private final EngineRecipe engine;
    private final ServedRecipe recipe;
    private final List<String> cards;
    private final Health health;
    private final Path logFile;
    private final ReentrantLock starting = new ReentrantLock();

    private volatile boolean closed;
    /// Whether it has answered since it was started.
    private volatile boolean up;
    private volatile @Nullable Process process;
    private volatile URI address = URI.create("http://127.0.0.1/v1");
    /// Since the server last answered a request.
    private final AtomicInteger deaths = new AtomicInteger();

    StartedServer(EngineRecipe engine, ServedRecipe recipe, List<String> cards, Health health)
            throws InterruptedException {
        this.engine = engine;
        this.recipe = recipe;
        this.cards = List.copyOf(cards);
        this.health = health;
        this.logFile = Path.of(recipe.logDir())
                .resolve("millrace-server-" + ProcessHandle.current().pid() + ".log");
        while (!ONE_AT_A_TIME.tryAcquire(1, TimeUnit.SECONDS)) {
            log.info("Waiting for the server before to end");
        }
    }

    @Override
    public URI address() {
        return address;
    }

    @Override
    public void answered() {
        deaths.set(0);
    }

    private boolean isAlive() {
        Process running = process;
        return running != null && running.isAlive();
    }

    @Override
    public void awaitReady(boolean suspect) throws InterruptedException {
        if (!suspect && up && isAlive()) {
            return;
        }
        starting.lockInterruptibly();
        try {
            while (!isUp()) {
                startAgain();
            }
        } finally {
            starting.unlock();
        }
    }

    /// Whether it answers; one that does not is ended.
    private boolean isUp() throws InterruptedException {
        if (!isAlive()) {
            return false;
        }
        Duration patience = Duration.ofSeconds(recipe.startSeconds());
        Health.Look look = health.await(address, patience, () -> isAlive() && !closed);
        if (look instanceof Health.Ill ill && isAlive()) {
            if (ill.shut()) {
                throw new EngineException(ErrorCode.BAD_CONFIGURATION, "server " + ill.reason());
            }
            log.warn("Server does not answer and is ended: {}", ill.reason());
            end();
        }
        up = look instanceof Health.Well && isAlive();
        return up;
    }

    private void startAgain() throws InterruptedException {
        if (process != null) {
            String fate = fate();
            if (deaths.get() >= recipe.restarts()) {
                throw new EngineException(ErrorCode.DEVICE_FAILED, fate);
            }
            Duration backOff = FIRST_BACK_OFF.multipliedBy(1L << Math.min(deaths.getAndIncrement(), 20));
            log.warn("{}; started again, the {}. time since it last answered a request", fate, deaths);
            health.pause(backOff.compareTo(LONGEST_BACK_OFF) < 0 ? backOff : LONGEST_BACK_OFF);
        }
        if (closed) {
            throw new EngineException(ErrorCode.ENGINE_CLOSED, "the server was closed");
        }
        start();
    }

    /// How it ended, with its last words.
    private String fate() {
        Process ended = process;
        String exit = ended == null || ended.isAlive() ? "does not end" : "ended with exit code " + ended.exitValue();
        return "server " + name() + " " + exit + "; its log " + logFile + " ends with: " + lastWords();
    }

    private String name() {
        return Health.excerpt(String.join(" ", recipe.command()));
    }

    private String lastWords() {
        try {
            String words = Files.readString(logFile, java.nio.charset.StandardCharsets.ISO_8859_1);
            return words.substring(Math.max(0, words.length() - LAST_WORDS)).strip();
        } catch (IOException e) {
            return "(" + e + ")";
        }
    }

    private void start() {
        up = false;
        try {
            int port = freePort();
            address = URI.create("http://127.0.0.1:" + port + "/v1");
            List<String> command = new ArrayList<>(List.of("sh", "-c", KEEPER, "sh"));
            recipe.command().forEach(word -> command.add(filled(word, port)));
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile.toFile()));
            Map<String, String> environment = builder.environment();
            recipe.environment().forEach((name, value) -> environment.put(name, filled(value, port)));
            Files.createDirectories(logFile.toAbsolutePath().getParent());
            process = builder.start();
            log.info("Server {} starts on port {}, log {}", name(), port, logFile);
        } catch (IOException e) {
            throw new EngineException(ErrorCode.DEVICE_FAILED, "server " + name() + ": expected to start, got " + e, e);
        }
    }

    private String filled(String word, int port) {
        return word.replace("{port}", Integer.toString(port))
                .replace("{model}", engine.modelDir())
                .replace("{cards}", String.join(",", cards));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /// Ends it and waits for that.
    private void end() {
        Process running = process;
        if (running == null) {
            return;
        }
        try {
            running.getOutputStream().close();
            if (!running.waitFor(END.toSeconds(), TimeUnit.SECONDS)) {
                log.error("Server {} does not end", name());
            }
        } catch (IOException _) {
            // the shell is gone already, and so is what it kept
        } catch (InterruptedException _) {
            // the shell goes on alone
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            end();
            ONE_AT_A_TIME.release();
        }
    }
}
