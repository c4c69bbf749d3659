// The software card: what its three libraries share. It has the C interface of CANN's runtime and operators as
// their headers declare it, and executes on the CPU in a memory of its own.
#ifndef MILLRACE_SOFTCARD_H
#define MILLRACE_SOFTCARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define API __attribute__((visibility("default")))

// aclError and aclnnStatus; names as in CANN's headers
enum {
    ACL_SUCCESS = 0,
    ACL_ERROR_REPEAT_INITIALIZE = 100002,
    ACL_ERROR_REPEAT_FINALIZE = 100037,
    ACL_ERROR_RT_PARAM_INVALID = 107000,
    ACL_ERROR_RT_INVALID_DEVICEID = 107001,
    ACL_ERROR_RT_CONTEXT_NULL = 107002,
    ACL_ERROR_RT_STREAM_CONTEXT = 107003,
    ACL_ERROR_RT_STREAM_SYNC_TIMEOUT = 107020,
    ACL_ERROR_RT_NO_DEVICE = 207004,
    ACL_ERROR_RT_MEMORY_ALLOCATION = 207001,
    ACL_ERROR_RT_AICORE_EXCEPTION = 507015,
    ACLNN_ERR_PARAM_NULLPTR = 161001,
    ACLNN_ERR_PARAM_INVALID = 161002,
    ACLNN_ERR_INNER = 561000,
};

enum { T_FLOAT = 0, T_FLOAT16 = 1, T_INT8 = 2, T_INT32 = 3, T_INT64 = 9, T_BOOL = 12, T_BF16 = 27 };

// what is alive, counted so that tests see leaks
enum live { DEVICE_MEMORY, PINNED_MEMORY, CONTEXTS, STREAMS, EVENTS, TENSORS, SCALARS, EXECUTORS, KINDS };

typedef struct {
    uint32_t magic;
    int dtype, format, nd;
    int64_t dims[8], strides[8], offset, storage;
    void *addr;
} aclTensor;

typedef struct {
    uint64_t n;
    aclTensor **at;
} aclTensorList;

typedef struct {
    uint64_t n;
    int64_t *at;
} aclIntArray;

typedef struct {
    double value;
} aclScalar;

#define OPERANDS 40

// An operator call between its phases. Operands keep the places of the argument list, lists end to end.
typedef struct executor aclOpExecutor;
struct executor {
    uint32_t magic;
    const char *name;
    uint64_t workspace;
    bool repeatable, spent;
    int nt;
    aclTensor *t[OPERANDS];
    int64_t i[16];
    double d[8];
    int (*run)(aclOpExecutor *);
    // a queued call only: its operands as they were in phase 2, and where their bytes are
    aclTensor v[OPERANDS];
    void *base[OPERANDS];
    void *ws;
};

// libascendcl.so
API int card_enter(const char *call);
API void card_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
API void *card_real(const void *address, size_t bytes);
API bool card_is_device(const void *address);
API int card_enqueue(void *stream, const char *what, int (*run)(void *), void *task);
API void card_count(enum live what, int delta);
API bool card_wrong(const char *operator);
API bool card_computes(void);
API bool card_soc(const char *prefix);

// libnnopbase.so
API int card_phase2(const char *name, void *workspace, uint64_t size, aclOpExecutor *executor, void *stream);
API int64_t card_elements(const aclTensor *t);
API size_t card_type_bytes(int dtype);
#endif
