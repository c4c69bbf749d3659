package io.millrace.npu.cards;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What the return codes of ACL and aclnn mean to us (CANN's `acl_base_rt.h`, `rt_error_codes.h`, aclnn
/// return codes).
public enum AclStatus {
    SUCCESS("success", null),
    INVALID_ARGUMENT("invalid argument", null, 100000, 107000, 161001, 161002),
    STUB_LIBRARY("a link-time stub: the loader's path leads to devlib", null, 100039),
    INVALID_DEVICE("no such device", CardFault.LOST, 107001),
    NO_CONTEXT("no current context on this thread", null, 107002),
    FOREIGN_STREAM("the stream belongs to another context", null, 107003),
    TIMED_OUT("timed out", CardFault.HANG, 107019, 107020, 507046),
    OUT_OF_MEMORY("out of memory", CardFault.OUT_OF_MEMORY, 200000, 207001, 207018),
    NO_DEVICE("no device", CardFault.LOST, 207004),
    UNSUPPORTED("not supported on this chip", null, 200001),
    DEVICE_LOST("device lost", CardFault.LOST, 507001, 507010, 507900, 507901),
    HANG("a task of the device hangs", CardFault.HANG, 507014, 507034),
    EXCEPTION("a task of the device failed", CardFault.EXCEPTION, 507015, 507018, 507035),
    ECC("memory error of the device", CardFault.ECC, 507053, 507054),
    LINK("link error of the device", CardFault.LOST, 507056, 507057),
    DRIVER("driver error: device nodes, permissions, driver version", CardFault.LOST, 507899),
    NO_KERNEL("no kernel package for this chip", null, 561003, 561107, 561112),
    RUNTIME("the operator library could not use the runtime", null, 361001),
    OTHER("internal error", null);

    private final String meaning;

    private final @Nullable CardFault fault;

    @SuppressWarnings("ImmutableEnumChecker") // never written
    private final int[] codes;

    AclStatus(String meaning, @Nullable CardFault fault, int... codes) {
        this.meaning = meaning;
        this.fault = fault;
        this.codes = codes;
    }

    public static AclStatus of(int code) {
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

    /// For a person.
    public String meaning() {
        return meaning;
    }

    /// What is wrong with the card; empty for success and for mistakes of the caller.
    public Optional<CardFault> fault() {
        return Optional.ofNullable(fault);
    }
}
