package io.millrace.npu.cards;

import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.Properties;

/// The process that holds a card.
///
/// @param pid of the process
/// @param started when the process was started: a number is given again, a number and a start are not
/// @param since when it took the card
/// @param run the run it works for
/// @param holder what it is in that run, for a person
public record CardOwner(long pid, Instant started, Instant since, String run, String holder) {
    /// The system tells a start in ticks since it was booted, and the clock may be set meanwhile.
    private static final Duration SAME_START = Duration.ofSeconds(2);

    static CardOwner ofThisProcess(String run, String holder) {
        ProcessHandle self = ProcessHandle.current();
        return new CardOwner(self.pid(), self.info().startInstant().orElse(Instant.EPOCH), Instant.now(), run, holder);
    }

    /// Whether the process is there and is still the one that took the card.
    boolean isAlive() {
        return ProcessHandle.of(pid)
                .filter(ProcessHandle::isAlive)
                .filter(process -> isSame(process.info().startInstant()))
                .isPresent();
    }

    boolean isThisProcess() {
        ProcessHandle self = ProcessHandle.current();
        return self.pid() == pid && isSame(self.info().startInstant());
    }

    /// A start that the system does not tell cannot tell two processes apart.
    private boolean isSame(Optional<Instant> start) {
        return started.equals(Instant.EPOCH)
                || start.map(now -> Duration.between(started, now).abs().compareTo(SAME_START) <= 0)
                        .orElse(true);
    }

    Properties properties() {
        Properties properties = new Properties();
        properties.setProperty("pid", Long.toString(pid));
        properties.setProperty("started", started.toString());
        properties.setProperty("since", since.toString());
        properties.setProperty("run", run);
        properties.setProperty("holder", holder);
        return properties;
    }

    /// @throws IllegalArgumentException if something is missing or no number or time
    static CardOwner of(Properties properties) {
        try {
            return new CardOwner(
                    Long.parseLong(properties.getProperty("pid", "")),
                    Instant.parse(properties.getProperty("started", "")),
                    Instant.parse(properties.getProperty("since", "")),
                    properties.getProperty("run", ""),
                    properties.getProperty("holder", ""));
        } catch (DateTimeParseException e) {
            throw new IllegalArgumentException("owner of a card: expected times, got " + properties, e);
        }
    }
}
