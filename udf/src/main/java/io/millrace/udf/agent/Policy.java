package io.millrace.udf.agent;

import io.millrace.engine.api.EngineException;

/// Who speaks for the agent. Thread-safe. The same conversation at the same step gets the same turn.
interface Policy {

    /// The agent's turn.
    ///
    /// @param step turns taken before
    /// @throws PolicyEndException if there is nothing to be said any more
    /// @throws RolloutException if this conversation cannot go on
    /// @throws EngineException if no conversation can, here
    Turn next(Conversation conversation, int step) throws InterruptedException;
}
