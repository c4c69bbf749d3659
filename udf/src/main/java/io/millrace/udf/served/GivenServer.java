package io.millrace.udf.served;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import java.net.URI;
import java.time.Duration;

/// A server that somebody else runs. If it goes away, its coming back is waited for.
final class GivenServer implements Server {
    private final URI address;
    private final Health health;
    private final Duration patience;

    /// @param patience how long it may be away
    GivenServer(URI address, Health health, Duration patience) {
        this.address = address;
        this.health = health;
        this.patience = patience;
    }

    @Override
    public URI address() {
        return address;
    }

    @Override
    public void awaitReady(boolean suspect) throws InterruptedException {
        if (suspect && health.await(address, patience, () -> true) instanceof Health.Ill ill) {
            throw new EngineException(
                    ill.shut() ? ErrorCode.BAD_CONFIGURATION : ErrorCode.DEVICE_FAILED,
                    "server " + ill.reason()
                            + (ill.shut() ? "" : " for " + patience.toSeconds() + " s (served.start-seconds)"));
        }
    }

    @Override
    public void answered() {}

    @Override
    public void close() {}
}
