package io.millrace.npu;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.npu.Libraries.Library;

/// The functions of the runtime and of operator descriptors that we call. Signatures: `acl_rt.h`,
/// `acl_base_rt.h`, `acl_meta.h`, the same in CANN 8.1 and 9.
record Acl(
        NativeFunction init,
        NativeFunction recentErrMsg,
        NativeFunction socName,
        NativeFunction deviceCount,
        NativeFunction setDevice,
        NativeFunction resetDevice,
        NativeFunction createContext,
        NativeFunction destroyContext,
        NativeFunction setCurrentContext,
        NativeFunction createStream,
        NativeFunction destroyStreamForce,
        NativeFunction synchronizeStream,
        NativeFunction createEvent,
        NativeFunction destroyEvent,
        NativeFunction recordEvent,
        NativeFunction streamWaitEvent,
        NativeFunction synchronizeEvent,
        NativeFunction malloc,
        NativeFunction free,
        NativeFunction mallocHost,
        NativeFunction freeHost,
        NativeFunction memcpyAsync,
        NativeFunction memsetAsync,
        NativeFunction memInfo,
        NativeFunction createTensor,
        NativeFunction destroyTensor,
        NativeFunction createTensorList,
        NativeFunction destroyTensorList,
        NativeFunction createIntArray,
        NativeFunction destroyIntArray,
        NativeFunction createScalar,
        NativeFunction destroyScalar,
        NativeFunction setRepeatable,
        NativeFunction destroyExecutor,
        NativeFunction setInputAddress,
        NativeFunction setOutputAddress) {

    /// @throws EngineException BAD_CONFIGURATION naming the first function that is missing
    static Acl of(Libraries libraries) {
        Binder runtime = new Binder(libraries, Library.RUNTIME);
        Binder base = new Binder(libraries, Library.BASE);
        return new Acl(
                runtime.bind("aclInit"),
                runtime.bind("aclGetRecentErrMsg"),
                runtime.bind("aclrtGetSocName"),
                runtime.bind("aclrtGetDeviceCount"),
                runtime.bind("aclrtSetDevice"),
                runtime.bind("aclrtResetDevice"),
                runtime.bind("aclrtCreateContext"),
                runtime.bind("aclrtDestroyContext"),
                runtime.bind("aclrtSetCurrentContext"),
                runtime.bind("aclrtCreateStream"),
                runtime.bind("aclrtDestroyStreamForce"),
                runtime.bind("aclrtSynchronizeStreamWithTimeout"),
                runtime.bind("aclrtCreateEvent"),
                runtime.bind("aclrtDestroyEvent"),
                runtime.bind("aclrtRecordEvent"),
                runtime.bind("aclrtStreamWaitEvent"),
                runtime.bind("aclrtSynchronizeEvent"),
                runtime.bind("aclrtMalloc"),
                runtime.bind("aclrtFree"),
                runtime.bind("aclrtMallocHost"),
                runtime.bind("aclrtFreeHost"),
                runtime.bind("aclrtMemcpyAsync"),
                runtime.bind("aclrtMemsetAsync"),
                runtime.bind("aclrtGetMemInfo"),
                base.bind("aclCreateTensor"),
                base.bind("aclDestroyTensor"),
                base.bind("aclCreateTensorList"),
                base.bind("aclDestroyTensorList"),
                base.bind("aclCreateIntArray"),
                base.bind("aclDestroyIntArray"),
                base.bind("aclCreateScalar"),
                base.bind("aclDestroyScalar"),
                base.bind("aclSetAclOpExecutorRepeatable"),
                base.bind("aclDestroyAclOpExecutor"),
                base.bind("aclSetInputTensorAddr"),
                base.bind("aclSetOutputTensorAddr"));
    }

    private record Binder(Libraries libraries, Library library) {
        NativeFunction bind(String name) {
            if (!libraries.has(library)) {
                throw new EngineException(
                        ErrorCode.BAD_CONFIGURATION, "no Ascend runtime: " + libraries.reason(library));
            }
            return libraries
                    .find(library, name)
                    .orElseThrow(() -> new EngineException(
                            ErrorCode.BAD_CONFIGURATION,
                            libraries.place(library) + ": expected the function " + name + ", got none"));
        }
    }
}
