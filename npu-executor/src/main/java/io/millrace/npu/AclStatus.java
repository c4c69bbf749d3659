package io.millrace.npu;

/// What the return codes of ACL and aclnn mean to us (CANN's `acl_base_rt.h`, `acl_rt.h`, aclnn return
/// codes).
enum AclStatus {
    SUCCESS("success"),
    INVALID_ARGUMENT("invalid argument", 100000, 107000, 161001, 161002),
    STUB_LIBRARY("a link-time stub: the loader's path leads to devlib", 100039),
    INVALID_DEVICE("no such device", 107001),
    NO_CONTEXT("no current context on this thread", 107002),
    FOREIGN_STREAM("the stream belongs to another context", 107003),
    TIMED_OUT("timed out", 107019, 107020, 507046),
    OUT_OF_MEMORY("out of memory", 200000, 207001, 207018),
    NO_DEVICE("no device", 207004),
    UNSUPPORTED("not supported on this chip", 200001),
    DEVICE_LOST("device lost", 507001, 507010, 507900, 507901),
    HANG("a task of the device hangs", 507014, 507034),
    EXCEPTION("a task of the device failed", 507015, 507018, 507035),
    ECC("memory or link error of the device", 507053, 507054, 507056, 507057),
    DRIVER("driver error: device nodes, permissions, driver version", 507899),
    NO_KERNEL("no kernel package for this chip", 561003, 561107, 561112),
    RUNTIME("the operator library could not use the runtime", 361001),
    OTHER("internal error");

    final String meaning;

    @SuppressWarnings("ImmutableEnumChecker") // never written
    private final int[] codes;

    AclStatus(String meaning, int... codes) {
        this.meaning = meaning;
        this.codes = codes;
    }

    static AclStatus of(int code) {
        if (code == 0) {
            return SUCCESS;
        }
        for (AclStatus status : values()) {
            for (int known : status.codes) {
                if (known == code) {
                    return status;
                }
            }
        }
        return OTHER;
    }
}
