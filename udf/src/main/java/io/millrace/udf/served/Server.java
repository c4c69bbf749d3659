package io.millrace.udf.served;

import io.millrace.engine.api.EngineException;
import java.net.URI;

/// Where requests go. Thread-safe.
interface Server extends AutoCloseable {

    /// The base address, up to `/v1`; may be another after the server was started again.
    URI address();

    /// Waits until the server answers.
    ///
    /// @param suspect whether there is reason to think it does not
    /// @throws EngineException DEVICE_FAILED if it does not come up
    void awaitReady(boolean suspect) throws InterruptedException;

    /// Says that the server has answered a request.
    void answered();

    @Override
    void close();
}
