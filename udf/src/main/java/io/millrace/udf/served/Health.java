package io.millrace.udf.served;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// Asks a server whether it is there: whoever lists his models answers.
///
/// @param alive told of every look, since who waits for a server that starts is not stuck
record Health(HttpClient client, ApiKey key, Runnable alive) {
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    /// What the server says of its models, or why it says nothing.
    sealed interface Look {}

    /// @param models the answer's text
    record Well(String models) implements Look {}

    /// @param shut whether it will say the same as long as we ask the same
    record Ill(String reason, boolean shut) implements Look {}

    Look look(URI address) throws InterruptedException {
        alive.run();
        URI models = URI.create(address + "/models");
        try {
            HttpResponse<String> response = client.send(
                    key.addTo(HttpRequest.newBuilder(models).timeout(PATIENCE)).build(),
                    HttpResponse.BodyHandlers.ofString());
            return switch (response.statusCode()) {
                case 200 -> new Well(response.body());
                case 401, 403, 404 -> new Ill(said(models, response), true);
                default -> new Ill(said(models, response), false);
            };
        } catch (IOException e) {
            return new Ill(models + ": " + e, false);
        }
    }

    private String said(URI address, HttpResponse<String> response) {
        return address + ": expected status 200, got " + response.statusCode() + " "
                + key.hiddenIn(excerpt(response.body()));
    }

    static String excerpt(String body) {
        String line = body.strip().replaceAll("\\s+", " ");
        return line.length() > 300 ? line.substring(0, 300) + "…" : line;
    }

    /// Looks again and again.
    ///
    /// @param mayCome whether it makes sense to look on
    Look await(URI address, Duration patience, BooleanSupplier mayCome) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            Look look = look(address);
            boolean over = System.nanoTime() > deadline || !mayCome.getAsBoolean();
            if (look instanceof Well || over || (look instanceof Ill ill && ill.shut())) {
                return look;
            }
            pause(LOOK_NANOS);
        }
    }

    /// Waits, with a sign of life now and then.
    void pause(Duration time) throws InterruptedException {
        long deadline = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); left > 0; left = deadline - System.nanoTime()) {
            alive.run();
            pause(Math.min(left, LOOK_NANOS));
        }
    }

    private static void pause(long nanos) throws InterruptedException {
        LockSupport.parkNanos(nanos);
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }
}
