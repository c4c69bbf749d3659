// libnnopbase.so of the software card: descriptors of tensors and the two phases of an operator call.
#include "card.h"
#include <stdlib.h>
#include <string.h>

#define MAGIC_TENSOR 0x7E2502A1u
#define MAGIC_EXECUTOR 0xE8EC0702u

size_t card_type_bytes(int dtype) {
    switch (dtype) {
    case T_FLOAT:
    case T_INT32:
        return 4;
    case T_FLOAT16:
    case T_BF16:
        return 2;
    case T_INT64:
        return 8;
    case T_INT8:
    case T_BOOL:
        return 1;
    default:
        return 0;
    }
}

int64_t card_elements(const aclTensor *t) {
    int64_t n = 1;
    for (int i = 0; i < t->nd; i++) {
        n *= t->dims[i];
    }
    return n;
}

API aclTensor *aclCreateTensor(const int64_t *dims, uint64_t nd, int dtype, const int64_t *strides, int64_t offset,
                               int format, const int64_t *storage, uint64_t storage_nd, void *address) {
    if (card_enter(__func__) || nd > 8 || !card_type_bytes(dtype) || format != 2) {
        card_say("EZ1001: tensor: more than 8 dimensions, a data type or a format that this card does not have");
        return NULL;
    }
    aclTensor *t = calloc(1, sizeof *t);
    t->magic = MAGIC_TENSOR;
    t->dtype = dtype;
    t->format = format;
    t->nd = (int)nd;
    t->offset = offset;
    t->addr = address;
    t->storage = 1;
    for (uint64_t i = 0; i < storage_nd; i++) {
        t->storage *= storage[i];
    }
    int64_t last = offset, dense = 1;
    for (int i = t->nd - 1; i >= 0; i--) {
        t->dims[i] = dims[i];
        t->strides[i] = strides ? strides[i] : dense;
        dense *= dims[i];
        last += (dims[i] - 1) * t->strides[i];
        if (dims[i] < 1 || t->strides[i] < 0) {
            free(t);
            card_say("EZ1001: tensor: a dimension below one or a stride below zero");
            return NULL;
        }
    }
    if (last >= t->storage) {
        free(t);
        card_say("EZ1001: tensor: the view is larger than its storage");
        return NULL;
    }
    card_count(TENSORS, 1);
    return t;
}

API int aclDestroyTensor(const aclTensor *t) {
    if (t) {
        ((aclTensor *)t)->magic = 0;
        free((void *)t);
        card_count(TENSORS, -1);
    }
    return ACL_SUCCESS;
}

API aclTensorList *aclCreateTensorList(const aclTensor *const *value, uint64_t n) {
    aclTensorList *list = malloc(sizeof *list);
    list->n = n;
    list->at = malloc(n * sizeof *list->at);
    memcpy(list->at, value, n * sizeof *list->at);
    card_count(SCALARS, 1);
    return list;
}

// destroys the members too
API int aclDestroyTensorList(const aclTensorList *list) {
    if (list) {
        for (uint64_t i = 0; i < list->n; i++) {
            aclDestroyTensor(list->at[i]);
        }
        free(list->at);
        free((void *)list);
        card_count(SCALARS, -1);
    }
    return ACL_SUCCESS;
}

API aclIntArray *aclCreateIntArray(const int64_t *value, uint64_t n) {
    aclIntArray *array = malloc(sizeof *array);
    array->n = n;
    array->at = malloc((n ? n : 1) * sizeof *array->at);
    memcpy(array->at, value, n * sizeof *array->at);
    card_count(SCALARS, 1);
    return array;
}

API int aclDestroyIntArray(const aclIntArray *array) {
    if (array) {
        free(array->at);
        free((void *)array);
        card_count(SCALARS, -1);
    }
    return ACL_SUCCESS;
}

API aclScalar *aclCreateScalar(void *value, int dtype) {
    aclScalar *scalar = malloc(sizeof *scalar);
    scalar->value = dtype == T_FLOAT   ? *(float *)value
                    : dtype == T_INT32 ? *(int32_t *)value
                    : dtype == T_INT64 ? (double)*(int64_t *)value
                                       : *(double *)value;
    card_count(SCALARS, 1);
    return scalar;
}

API int aclDestroyScalar(const aclScalar *scalar) {
    if (scalar) {
        free((void *)scalar);
        card_count(SCALARS, -1);
    }
    return ACL_SUCCESS;
}

API int aclSetAclOpExecutorRepeatable(aclOpExecutor *executor) {
    int injected = card_enter(__func__);
    if (injected || !executor || executor->magic != MAGIC_EXECUTOR) {
        return injected ? injected : 561103;
    }
    executor->repeatable = true;
    return ACL_SUCCESS;
}

API int aclDestroyAclOpExecutor(aclOpExecutor *executor) {
    if (!executor || executor->magic != MAGIC_EXECUTOR) {
        return 561103;
    }
    executor->magic = 0;
    free(executor);
    card_count(EXECUTORS, -1);
    return ACL_SUCCESS;
}

static int move(aclOpExecutor *executor, aclTensor *tensor, void *address) {
    if (!executor || executor->magic != MAGIC_EXECUTOR || !tensor || tensor->magic != MAGIC_TENSOR) {
        return 561103;
    }
    for (int i = 0; i < executor->nt; i++) {
        if (executor->t[i] == tensor) {
            tensor->addr = address;
            return ACL_SUCCESS;
        }
    }
    card_say("EZ1001: the tensor is none of the executor's");
    return ACLNN_ERR_PARAM_INVALID;
}

API int aclSetInputTensorAddr(aclOpExecutor *executor, const size_t index, aclTensor *tensor, void *address) {
    (void)index;
    return move(executor, tensor, address);
}

API int aclSetOutputTensorAddr(aclOpExecutor *executor, const size_t index, aclTensor *tensor, void *address) {
    (void)index;
    return move(executor, tensor, address);
}

static int resolve(aclOpExecutor *call) {
    for (int k = 0; k < call->nt; k++) {
        aclTensor *t = &call->v[k];
        if (!call->t[k]) {
            continue;
        }
        size_t bytes = card_type_bytes(t->dtype);
        call->base[k] = card_real(t->addr, (size_t)t->storage * bytes);
        if (!call->base[k]) {
            return ACL_ERROR_RT_AICORE_EXCEPTION;
        }
        call->base[k] = (char *)call->base[k] + (size_t)t->offset * bytes;
    }
    // whatever else lies in the workspace is lost
    if (call->workspace) {
        void *real = card_real(call->ws, call->workspace);
        if (!real) {
            return ACL_ERROR_RT_AICORE_EXCEPTION;
        }
        memset(real, 0xFF, call->workspace);
    }
    return ACL_SUCCESS;
}

static int run(void *task) {
    aclOpExecutor *call = task;
    int status = resolve(call);
    if (!status && card_computes()) {
        status = call->run(call);
        if (!status && card_wrong(call->name)) {
            aclTensor *out = &call->v[call->nt - 1];
            memset(call->base[call->nt - 1], 0x3F, card_type_bytes(out->dtype));
        }
    }
    free(call);
    return status;
}

int card_phase2(const char *name, void *workspace, uint64_t size, aclOpExecutor *executor, void *stream) {
    int injected = card_enter(name);
    if (!executor || executor->magic != MAGIC_EXECUTOR || strcmp(executor->name, name) != 0) {
        card_say("EZ9999: %s: not an executor of this operator, or one used before", name);
        return ACLNN_ERR_INNER;
    }
    int status = injected;
    if (!status && size < executor->workspace) {
        card_say("EZ1001: %s: the workspace is smaller than phase 1 asked for", name);
        status = ACLNN_ERR_PARAM_INVALID;
    }
    if (!status) {
        aclOpExecutor *call = malloc(sizeof *call);
        *call = *executor;
        call->ws = workspace;
        for (int k = 0; k < call->nt; k++) {
            if (call->t[k]) {
                call->v[k] = *call->t[k];
            }
        }
        status = card_enqueue(stream, executor->name, run, call);
    }
    // the executor dies in this phase, also when it fails
    if (!executor->repeatable) {
        executor->magic = 0;
        free(executor);
        card_count(EXECUTORS, -1);
    }
    return status;
}
