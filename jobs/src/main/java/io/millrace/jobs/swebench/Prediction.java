package io.millrace.jobs.swebench;

import org.jspecify.annotations.Nullable;

/// What a model answered to an instance.
///
/// @param model names what answered; `/` becomes `__` where it names a folder
/// @param patch null or "" if there is none
record Prediction(String instanceId, String model, @Nullable String patch) {

    boolean isEmpty() {
        return patch == null || patch.isEmpty();
    }

    String modelFolder() {
        return model.replace("/", "__");
    }
}
