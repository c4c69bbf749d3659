package io.millrace.npu.cards;

import org.jspecify.annotations.Nullable;

/// What the environment of a process says about cards. CANN reads it when it starts and never again.
///
/// @param visible `ASCEND_RT_VISIBLE_DEVICES`: logical ids that CANN shows to this process; null if not set
/// @param assigned `ASCEND_VISIBLE_DEVICES`: physical ids that the container was given, also by the
///     Kubernetes device plugin; null if not set
/// @param options `ASCEND_RUNTIME_OPTIONS`; null if not set
public record CardEnvironment(
        @Nullable String visible,
        @Nullable String assigned,
        @Nullable String options) {
    /// Nothing is set.
    public static final CardEnvironment NONE = new CardEnvironment(null, null, null);

    /// Of this process.
    public static CardEnvironment ofThisProcess() {
        return new CardEnvironment(
                System.getenv("ASCEND_RT_VISIBLE_DEVICES"),
                System.getenv("ASCEND_VISIBLE_DEVICES"),
                System.getenv("ASCEND_RUNTIME_OPTIONS"));
    }

    /// The number by which `aclrtSetDevice` knows a card in this process: where `ASCEND_RT_VISIBLE_DEVICES`
    /// hides some, ACL counts the others anew.
    ///
    /// @throws IllegalArgumentException if the card is hidden
    public int userId(int logicalId) {
        if (visible == null) {
            return logicalId;
        }
        int userId = DeviceIds.visible(visible, Integer.MAX_VALUE).indexOf(logicalId);
        if (userId < 0) {
            throw new IllegalArgumentException(
                    "npu " + logicalId + ": expected to be visible, got ASCEND_RT_VISIBLE_DEVICES=" + visible);
        }
        return userId;
    }

    /// Whether the ids of {@link #assigned} are those of slices of cards, which no table lists.
    boolean isVirtual() {
        return options != null && options.contains("VIRTUAL");
    }
}
