package io.millrace.jobs.cards;

import java.util.List;

/// What Spark calls Ascend cards. On Kubernetes the name is half of the pod's resource, which Huawei's
/// device plugin gives by chip; `npu` is the one to use elsewhere.
public final class NpuResource {
    public static final String NAME = "npu";

    /// All names that are answered to.
    public static final List<String> NAMES = List.of(NAME, "Ascend910", "Ascend310P", "Ascend310");

    private NpuResource() {}
}
