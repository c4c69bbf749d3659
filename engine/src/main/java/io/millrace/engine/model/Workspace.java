package io.millrace.engine.model;

import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.tensor.Floats;
import java.util.EnumMap;
import java.util.Map;

/// The activations of a step, by name; they grow to the largest step seen and are used again. Contents are
/// undefined when taken.
final class Workspace {
    /// Who uses which activations; two that live at the same time have two names.
    enum Slot {
        STREAMS,
        COLLAPSED,
        POST,
        COMBINE,
        NORMED,
        SUBLAYER,
        Q_LORA,
        QUERY,
        KEY_VALUE,
        KEY,
        VALUE,
        ATTENDED,
        GROUPED,
        ANGLES,
        COMPRESS_ANGLES,
        ENTRY_ANGLES,
        POOL_VALUES,
        POOL_SCORES,
        ENTRIES,
        INDEX_QUERY,
        INDEX_WEIGHTS,
        ROUTER,
        HEAD_STREAMS,
        HEAD,
        LOGITS,
        MTP_EMBED,
        MTP_STREAMS,
        MTP_PROJECTED
    }

    private final Kernels kernels;
    private final Map<Slot, Floats> held = new EnumMap<>(Slot.class);

    Workspace(Kernels kernels) {
        this.kernels = kernels;
    }

    Floats take(Slot slot, long size) {
        int wanted = Math.toIntExact(size);
        Floats floats = held.get(slot);
        if (floats == null || floats.size() < wanted) {
            floats = kernels.allocate(wanted);
            held.put(slot, floats);
        }
        return floats;
    }
}
