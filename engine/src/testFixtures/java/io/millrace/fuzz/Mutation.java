package io.millrace.fuzz;

import java.util.random.RandomGenerator;

/// A way to damage bytes.
public interface Mutation {

    /// Damaged bytes; `bytes` stay as they are. May, by chance, change nothing.
    byte[] apply(byte[] bytes, RandomGenerator random);

    /// One of several, each as likely as the others.
    static Mutation oneOf(Mutation... mutations) {
        return (bytes, random) -> mutations[random.nextInt(mutations.length)].apply(bytes, random);
    }

    /// One to three in a row.
    default Mutation aFewTimes() {
        return (bytes, random) -> {
            byte[] damaged = bytes;
            for (int times = random.nextInt(3); times >= 0; times--) {
                damaged = apply(damaged, random);
            }
            return damaged;
        };
    }
}
