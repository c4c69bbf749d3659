// libopapi.so of the software card: the operators, with the checks that the documentation states for each, in
// FP32 with one order of additions for each element whatever the shape around it. Built with CANN_8_1 it lacks
// what that release lacks.
#include "card.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int bad(const char *operator, const char *condition) {
    card_say("EZ9999: %s: expected %s", operator, condition);
    return ACLNN_ERR_PARAM_INVALID;
}

static int finish(const aclOpExecutor *planned, uint64_t workspace, uint64_t *size, aclOpExecutor **out) {
    aclOpExecutor *executor = malloc(sizeof *executor);
    *executor = *planned;
    executor->magic = 0xE8EC0702u;
    executor->workspace = workspace;
    card_count(EXECUTORS, 1);
    *size = workspace;
    *out = executor;
    return ACL_SUCCESS;
}

#define BEGIN(operator, function)                                                                                      \
    static const char name_[] = #operator;                                                                             \
    int injected_ = card_enter(#operator "GetWorkspaceSize");                                                          \
    if (injected_) {                                                                                                   \
        return injected_;                                                                                              \
    }                                                                                                                  \
    if (!size || !executor) {                                                                                          \
        return ACLNN_ERR_PARAM_NULLPTR;                                                                                \
    }                                                                                                                  \
    aclOpExecutor e_ = {.name = name_, .run = function};
#define NEED(tensor)                                                                                                   \
    if (!(tensor)) {                                                                                                   \
        card_say("EZ1001: %s: %s is a null pointer", name_, #tensor);                                                  \
        return ACLNN_ERR_PARAM_NULLPTR;                                                                                \
    }                                                                                                                  \
    e_.t[e_.nt++] = (aclTensor *)(tensor);
#define MAY(tensor) e_.t[e_.nt++] = (aclTensor *)(tensor);
#define CHECK(condition)                                                                                               \
    if (!(condition)) {                                                                                                \
        return bad(name_, #condition);                                                                                 \
    }
#define END(workspace) return finish(&e_, workspace, size, executor);
#define REST uint64_t *size, aclOpExecutor **executor
#define PHASE2(operator)                                                                                               \
    API int operator(void *workspace, uint64_t size, aclOpExecutor *executor, void *stream) {                          \
        return card_phase2(#operator, workspace, size, executor, stream);                                              \
    }

// ---- elements

static float bf16_to_float(uint16_t code) {
    uint32_t bits = (uint32_t)code << 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static uint16_t float_to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    if (value != value) {
        return 0x7FC0;
    }
    return (uint16_t)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

static double get(const aclTensor *t, const void *base, int64_t at) {
    switch (t->dtype) {
    case T_FLOAT:
        return ((const float *)base)[at];
    case T_BF16:
        return bf16_to_float(((const uint16_t *)base)[at]);
    case T_INT32:
        return ((const int32_t *)base)[at];
    case T_INT64:
        return (double)((const int64_t *)base)[at];
    default:
        return ((const int8_t *)base)[at];
    }
}

static void put(const aclTensor *t, void *base, int64_t at, double value) {
    switch (t->dtype) {
    case T_FLOAT:
        ((float *)base)[at] = (float)value;
        break;
    case T_BF16:
        ((uint16_t *)base)[at] = float_to_bf16((float)value);
        break;
    case T_INT32:
        ((int32_t *)base)[at] = (int32_t)value;
        break;
    case T_INT64:
        ((int64_t *)base)[at] = (int64_t)value;
        break;
    default:
        ((int8_t *)base)[at] = (int8_t)value;
        break;
    }
}

static bool is_float(const aclTensor *t) {
    return t->dtype == T_FLOAT || t->dtype == T_BF16;
}

static bool dense(const aclTensor *t) {
    int64_t expected = 1;
    for (int i = t->nd - 1; i >= 0; i--) {
        if (t->dims[i] != 1 && t->strides[i] != expected) {
            return false;
        }
        expected *= t->dims[i];
    }
    return true;
}

static bool same_shape(const aclTensor *a, const aclTensor *b) {
    return a->nd == b->nd && memcmp(a->dims, b->dims, (size_t)a->nd * sizeof a->dims[0]) == 0;
}

static bool shape_is(const aclTensor *t, int nd, int64_t a, int64_t b, int64_t c, int64_t d) {
    int64_t wanted[4] = {a, b, c, d};
    return t->nd == nd && memcmp(t->dims, wanted, (size_t)nd * sizeof wanted[0]) == 0;
}

// whether `in` can be read in the shape of `out`
static bool broadcasts(const aclTensor *in, const aclTensor *out) {
    if (in->nd > out->nd) {
        return false;
    }
    for (int i = 1; i <= in->nd; i++) {
        int64_t d = in->dims[in->nd - i];
        if (d != 1 && d != out->dims[out->nd - i]) {
            return false;
        }
    }
    return true;
}

static const char *first_byte(const aclTensor *t) {
    return (const char *)t->addr + (size_t)t->offset * card_type_bytes(t->dtype);
}

// dense operands that share bytes: an operator that is not elementwise would read what it has written
static bool apart(const aclTensor *a, const aclTensor *b) {
    if (!a || !b || !dense(a) || !dense(b)) {
        return true;
    }
    const char *from = first_byte(a), *other = first_byte(b);
    return from + (size_t)card_elements(a) * card_type_bytes(a->dtype) <= other ||
           other + (size_t)card_elements(b) * card_type_bytes(b->dtype) <= from;
}

static bool apart_or_same(const aclTensor *a, const aclTensor *b) {
    return apart(a, b) || (first_byte(a) == first_byte(b) && same_shape(a, b) && a->dtype == b->dtype);
}

// strides of an operand in the shape of another
static void follow(const aclTensor *t, const aclTensor *shape, int64_t *strides) {
    for (int i = 0; i < shape->nd; i++) {
        int own = i - (shape->nd - t->nd);
        strides[i] = own >= 0 && t->dims[own] != 1 ? t->strides[own] : 0;
    }
}

typedef double (*function)(double a, double b, const aclOpExecutor *c);

// out = f(operand 0, operand 1), the last operand being the output; `inputs` 1 or 2
static int elementwise(aclOpExecutor *c, int inputs, function f) {
    const aclTensor *out = &c->v[c->nt - 1], *a = &c->v[0], *b = &c->v[inputs - 1];
    void *to = c->base[c->nt - 1], *from = c->base[0], *other = c->base[inputs - 1];
    int64_t sa[8], sb[8], at[8] = {0}, ia = 0, ib = 0, io = 0;
    follow(a, out, sa);
    follow(b, out, sb);
    int inner = out->nd - 1;
    int64_t length = out->nd ? out->dims[inner] : 1;
    for (int64_t n = card_elements(out) / length; n > 0; n--) {
        for (int64_t i = 0; i < length; i++) {
            put(out, to, io + i * (inner < 0 ? 0 : out->strides[inner]),
                f(get(a, from, ia + i * (inner < 0 ? 0 : sa[inner])), get(b, other, ib + i * (inner < 0 ? 0 : sb[inner])), c));
        }
        for (int d = inner - 1; d >= 0; d--) {
            at[d]++;
            ia += sa[d];
            ib += sb[d];
            io += out->strides[d];
            if (at[d] < out->dims[d]) {
                break;
            }
            ia -= at[d] * sa[d];
            ib -= at[d] * sb[d];
            io -= at[d] * out->strides[d];
            at[d] = 0;
        }
    }
    return 0;
}

// ---- elementwise operators. Documentation: aclnnMul, aclnnAdd, ... : operands broadcast, any strides.

#define UNARY(operator, formula)                                                                                       \
    static double f_##operator(double a, double b, const aclOpExecutor *c) {                                           \
        (void)b;                                                                                                       \
        (void)c;                                                                                                       \
        return formula;                                                                                                \
    }                                                                                                                  \
    static int run_##operator(aclOpExecutor *c) {                                                                      \
        return elementwise(c, 1, f_##operator);                                                                        \
    }                                                                                                                  \
    API int operator##GetWorkspaceSize(const aclTensor *self, aclTensor *out, REST) {                                  \
        BEGIN(operator, run_##operator)                                                                                \
        NEED(self) NEED(out) CHECK(is_float(self) && self->dtype == out->dtype) CHECK(same_shape(self, out))           \
        CHECK(apart_or_same(self, out)) END(0)                                                                         \
    }                                                                                                                  \
    PHASE2(operator)

UNARY(aclnnAbs, fabs(a))
UNARY(aclnnExp, exp(a))
UNARY(aclnnLog, log(a))
UNARY(aclnnSqrt, sqrt(a))
UNARY(aclnnSigmoid, 1 / (1 + exp(-a)))
UNARY(aclnnSilu, a / (1 + exp(-a)))

#define BINARY(operator, arguments, attributes, formula)                                                               \
    static double f_##operator(double a, double b, const aclOpExecutor *c) {                                           \
        (void)c;                                                                                                       \
        return formula;                                                                                                \
    }                                                                                                                  \
    static int run_##operator(aclOpExecutor *c) {                                                                      \
        return elementwise(c, 2, f_##operator);                                                                        \
    }                                                                                                                  \
    API int operator##GetWorkspaceSize arguments {                                                                     \
        BEGIN(operator, run_##operator)                                                                                \
        NEED(self) NEED(other) attributes NEED(out) CHECK(self->dtype == other->dtype && self->dtype == out->dtype)    \
        CHECK(broadcasts(self, out) && broadcasts(other, out)) CHECK(apart_or_same(self, out))                         \
        CHECK(apart_or_same(other, out)) END(0)                                                                        \
    }                                                                                                                  \
    PHASE2(operator)

#define PLAIN (const aclTensor *self, const aclTensor *other, aclTensor *out, REST)
#define WITH_ALPHA (const aclTensor *self, const aclTensor *other, const aclScalar *alpha, aclTensor *out, REST)
#define ALPHA                                                                                                          \
    if (!alpha) {                                                                                                      \
        return ACLNN_ERR_PARAM_NULLPTR;                                                                                \
    }                                                                                                                  \
    e_.d[0] = alpha->value;

BINARY(aclnnMul, PLAIN, , (float)a * (float)b)
BINARY(aclnnDiv, PLAIN, , (float)a / (float)b)
BINARY(aclnnAdd, WITH_ALPHA, ALPHA, (float)a + (float)((float)c->d[0] * (float)b))
BINARY(aclnnSub, WITH_ALPHA, ALPHA, (float)a - (float)((float)c->d[0] * (float)b))

static double f_muls(double a, double b, const aclOpExecutor *c) {
    (void)b;
    return (float)a * (float)c->d[0];
}

static int run_muls(aclOpExecutor *c) {
    return elementwise(c, 1, f_muls);
}

API int aclnnMulsGetWorkspaceSize(const aclTensor *self, const aclScalar *other, aclTensor *out, REST) {
    BEGIN(aclnnMuls, run_muls)
    NEED(self) NEED(out) CHECK(other) CHECK(same_shape(self, out) && self->dtype == out->dtype)
    CHECK(apart_or_same(self, out)) e_.d[0] = other->value;
    END(0)
}
PHASE2(aclnnMuls)

static double f_adds(double a, double b, const aclOpExecutor *c) {
    (void)b;
    // integers keep all bits in a double, and wrap like the card's
    return c->v[0].dtype == T_INT32 ? (double)(int32_t)(uint32_t)(int64_t)(a + c->d[0] * c->d[1])
                                    : (double)((float)a + (float)(c->d[0] * c->d[1]));
}

static int run_adds(aclOpExecutor *c) {
    return elementwise(c, 1, f_adds);
}

API int aclnnAddsGetWorkspaceSize(const aclTensor *self, const aclScalar *other, const aclScalar *alpha, aclTensor *out,
                                  REST) {
    BEGIN(aclnnAdds, run_adds)
    NEED(self) NEED(out) CHECK(other && alpha) CHECK(same_shape(self, out) && self->dtype == out->dtype)
    CHECK(apart_or_same(self, out)) e_.d[0] = other->value;
    e_.d[1] = alpha->value;
    END(0)
}
PHASE2(aclnnAdds)

static double f_and(double a, double b, const aclOpExecutor *c) {
    (void)b;
    return (int32_t)a & (int32_t)c->d[0];
}

static int run_and(aclOpExecutor *c) {
    return elementwise(c, 1, f_and);
}

API int aclnnBitwiseAndScalarGetWorkspaceSize(const aclTensor *self, const aclScalar *other, aclTensor *out, REST) {
    BEGIN(aclnnBitwiseAndScalar, run_and)
    NEED(self) NEED(out) CHECK(other) CHECK(self->dtype == T_INT32 && out->dtype == T_INT32)
    CHECK(same_shape(self, out)) CHECK(apart_or_same(self, out)) e_.d[0] = other->value;
    END(0)
}
PHASE2(aclnnBitwiseAndScalar)

static double f_clamp(double a, double b, const aclOpExecutor *c) {
    (void)b;
    double low = c->i[0] && a < c->d[0] ? c->d[0] : a;
    return c->i[1] && low > c->d[1] ? c->d[1] : low;
}

static int run_clamp(aclOpExecutor *c) {
    return elementwise(c, 1, f_clamp);
}

API int aclnnClampGetWorkspaceSize(const aclTensor *self, const aclScalar *min, const aclScalar *max, aclTensor *out,
                                   REST) {
    BEGIN(aclnnClamp, run_clamp)
    NEED(self) NEED(out) CHECK(min || max) CHECK(same_shape(self, out) && self->dtype == out->dtype)
    CHECK(apart_or_same(self, out)) e_.i[0] = min != NULL;
    e_.i[1] = max != NULL;
    e_.d[0] = min ? (float)min->value : 0;
    e_.d[1] = max ? (float)max->value : 0;
    END(0)
}
PHASE2(aclnnClamp)

static double f_softplus(double a, double b, const aclOpExecutor *c) {
    (void)b;
    return a * c->d[0] > c->d[1] ? a : log1p(exp(a * c->d[0])) / c->d[0];
}

static int run_softplus(aclOpExecutor *c) {
    return elementwise(c, 1, f_softplus);
}

API int aclnnSoftplusGetWorkspaceSize(const aclTensor *self, const aclScalar *beta, const aclScalar *threshold,
                                      aclTensor *out, REST) {
    BEGIN(aclnnSoftplus, run_softplus)
    NEED(self) NEED(out) CHECK(beta && threshold) CHECK(same_shape(self, out) && self->dtype == out->dtype)
    e_.d[0] = beta->value;
    e_.d[1] = threshold->value;
    END(0)
}
PHASE2(aclnnSoftplus)

static double f_copy(double a, double b, const aclOpExecutor *c) {
    (void)b;
    (void)c;
    return a;
}

static int run_cast(aclOpExecutor *c) {
    return elementwise(c, 1, f_copy);
}

API int aclnnCastGetWorkspaceSize(const aclTensor *self, int dtype, aclTensor *out, REST) {
    BEGIN(aclnnCast, run_cast)
    NEED(self) NEED(out) CHECK(dtype == out->dtype) CHECK(same_shape(self, out)) CHECK(apart(self, out)) END(0)
}
PHASE2(aclnnCast)

// operand 0 is read, operand 1 written: inplace operators name the written one first
static int run_inplace_copy(aclOpExecutor *c) {
    return elementwise(c, 1, f_copy);
}

API int aclnnInplaceCopyGetWorkspaceSize(aclTensor *selfRef, const aclTensor *src, REST) {
    BEGIN(aclnnInplaceCopy, run_inplace_copy)
    NEED(src) NEED(selfRef) CHECK(broadcasts(src, selfRef)) CHECK(apart(src, selfRef)) END(0)
}
PHASE2(aclnnInplaceCopy)

static double f_inplace_add(double a, double b, const aclOpExecutor *c) {
    return (float)b + (float)((float)c->d[0] * (float)a);
}

static int run_inplace_add(aclOpExecutor *c) {
    return elementwise(c, 2, f_inplace_add);
}

API int aclnnInplaceAddGetWorkspaceSize(aclTensor *selfRef, const aclTensor *other, const aclScalar *alpha, REST) {
    BEGIN(aclnnInplaceAdd, run_inplace_add)
    NEED(other) NEED(selfRef) CHECK(alpha) CHECK(other->dtype == selfRef->dtype) CHECK(broadcasts(other, selfRef))
    CHECK(apart_or_same(other, selfRef)) e_.d[0] = alpha->value;
    END(0)
}
PHASE2(aclnnInplaceAdd)

// ---- along one dimension

// positions of the elements of `t` outside of dimension `dim`, called with each
typedef void (*line)(aclOpExecutor *c, int64_t in, int64_t out, int64_t row);

static void lines(aclOpExecutor *c, const aclTensor *in, const aclTensor *out, int dim, line f) {
    int64_t count = card_elements(in) / in->dims[dim];
    for (int64_t n = 0; n < count; n++) {
        int64_t rest = n, at = 0, to = 0;
        for (int d = in->nd - 1; d >= 0; d--) {
            if (d != dim) {
                int64_t i = rest % in->dims[d];
                rest /= in->dims[d];
                at += i * in->strides[d];
                // reductions that drop the dimension have the others in the same order
                int own = out->nd == in->nd ? d : d < dim ? d : d - 1;
                to += i * out->strides[own];
            }
        }
        f(c, at, to, n);
    }
}

static int axis(int64_t dim, const aclTensor *t) {
    return (int)(dim < 0 ? dim + t->nd : dim);
}

static bool valid(int64_t dim, const aclTensor *t) {
    return axis(dim, t) >= 0 && axis(dim, t) < t->nd;
}

static bool reduced(const aclTensor *in, const aclTensor *out, int dim, bool keep) {
    if (out->nd != in->nd - (keep ? 0 : 1)) {
        return false;
    }
    for (int d = 0; d < in->nd; d++) {
        int own = keep || d < dim ? d : d - 1;
        if (d == dim ? keep && out->dims[own] != 1 : out->dims[own] != in->dims[d]) {
            return false;
        }
    }
    return true;
}

static void line_softmax(aclOpExecutor *c, int64_t in, int64_t out, int64_t row) {
    (void)row;
    const aclTensor *x = &c->v[0], *y = &c->v[1];
    int dim = (int)c->i[0];
    float max = -INFINITY, sum = 0;
    for (int64_t i = 0; i < x->dims[dim]; i++) {
        max = fmaxf(max, (float)get(x, c->base[0], in + i * x->strides[dim]));
    }
    for (int64_t i = 0; i < x->dims[dim]; i++) {
        sum += expf((float)get(x, c->base[0], in + i * x->strides[dim]) - max);
    }
    for (int64_t i = 0; i < x->dims[dim]; i++) {
        put(y, c->base[1], out + i * y->strides[dim],
            expf((float)get(x, c->base[0], in + i * x->strides[dim]) - max) / sum);
    }
}

static int run_softmax(aclOpExecutor *c) {
    lines(c, &c->v[0], &c->v[1], (int)c->i[0], line_softmax);
    return 0;
}

API int aclnnSoftmaxGetWorkspaceSize(const aclTensor *self, int64_t dim, aclTensor *out, REST) {
    BEGIN(aclnnSoftmax, run_softmax)
    NEED(self) NEED(out) CHECK(is_float(self) && self->dtype == out->dtype) CHECK(same_shape(self, out))
    CHECK(valid(dim, self)) CHECK(apart(self, out)) e_.i[0] = axis(dim, self);
    END(4096)
}
PHASE2(aclnnSoftmax)

static void line_sum(aclOpExecutor *c, int64_t in, int64_t out, int64_t row) {
    (void)row;
    const aclTensor *x = &c->v[0];
    int dim = (int)c->i[0];
    float sum = 0;
    for (int64_t i = 0; i < x->dims[dim]; i++) {
        sum += (float)get(x, c->base[0], in + i * x->strides[dim]);
    }
    put(&c->v[1], c->base[1], out, sum);
}

static int run_sum(aclOpExecutor *c) {
    lines(c, &c->v[0], &c->v[1], (int)c->i[0], line_sum);
    return 0;
}

API int aclnnReduceSumGetWorkspaceSize(const aclTensor *self, const aclIntArray *dims, bool keepDims, int dtype,
                                       aclTensor *out, REST) {
    BEGIN(aclnnReduceSum, run_sum)
    NEED(self) NEED(out) CHECK(dims && dims->n == 1 && valid(dims->at[0], self)) CHECK(dtype == out->dtype)
    CHECK(is_float(self)) CHECK(reduced(self, out, axis(dims->at[0], self), keepDims)) CHECK(apart(self, out))
    e_.i[0] = axis(dims->at[0], self);
    END(2048)
}
PHASE2(aclnnReduceSum)

static void line_max(aclOpExecutor *c, int64_t in, int64_t out, int64_t row) {
    (void)row;
    const aclTensor *x = &c->v[0];
    int dim = (int)c->i[0];
    double max = -INFINITY;
    for (int64_t i = 0; i < x->dims[dim]; i++) {
        double value = get(x, c->base[0], in + i * x->strides[dim]);
        max = value > max || value != value ? value : max;
    }
    put(&c->v[1], c->base[1], out, max);
}

static int run_max(aclOpExecutor *c) {
    lines(c, &c->v[0], &c->v[1], (int)c->i[0], line_max);
    return 0;
}

API int aclnnAmaxGetWorkspaceSize(const aclTensor *self, const aclIntArray *dim, bool keepDim, aclTensor *out, REST) {
    BEGIN(aclnnAmax, run_max)
    NEED(self) NEED(out) CHECK(dim && dim->n == 1 && valid(dim->at[0], self)) CHECK(self->dtype == out->dtype)
    CHECK(reduced(self, out, axis(dim->at[0], self), keepDim)) CHECK(apart(self, out)) e_.i[0] =
        axis(dim->at[0], self);
    END(2048)
}
PHASE2(aclnnAmax)

typedef struct {
    double value;
    int64_t place;
} ranked;

static int ascending(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    return x->value < y->value ? -1 : x->value > y->value ? 1 : x->place < y->place ? -1 : x->place > y->place;
}

static int descending(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    return x->value > y->value ? -1 : x->value < y->value ? 1 : x->place < y->place ? -1 : x->place > y->place;
}

static void line_sort(aclOpExecutor *c, int64_t in, int64_t out, int64_t row) {
    (void)row;
    const aclTensor *x = &c->v[0], *values = &c->v[2], *places = &c->v[1];
    int dim = (int)c->i[0];
    int64_t n = x->dims[dim];
    ranked *all = malloc((size_t)n * sizeof *all);
    for (int64_t i = 0; i < n; i++) {
        all[i] = (ranked){get(x, c->base[0], in + i * x->strides[dim]), i};
    }
    qsort(all, (size_t)n, sizeof *all, c->i[1] ? descending : ascending);
    for (int64_t i = 0; i < n; i++) {
        put(values, c->base[2], out + i * values->strides[dim], all[i].value);
        put(places, c->base[1], out + i * places->strides[dim], (double)all[i].place);
    }
    free(all);
}

static int run_sort(aclOpExecutor *c) {
    lines(c, &c->v[0], &c->v[2], (int)c->i[0], line_sort);
    return 0;
}

API int aclnnSortGetWorkspaceSize(const aclTensor *self, bool stable, int64_t dim, bool descend, aclTensor *values,
                                  aclTensor *indices, REST) {
    BEGIN(aclnnSort, run_sort)
    NEED(self) NEED(indices) NEED(values) CHECK(valid(dim, self)) CHECK(self->dtype == values->dtype)
    CHECK(indices->dtype == T_INT64) CHECK(same_shape(self, values) && same_shape(self, indices))
    CHECK(dense(values) && dense(indices)) CHECK(apart(self, values)) (void)stable;
    e_.i[0] = axis(dim, self);
    e_.i[1] = descend;
    END(8192)
}
PHASE2(aclnnSort)

// ---- by index

static int run_gather(aclOpExecutor *c) {
    const aclTensor *x = &c->v[0], *index = &c->v[1], *out = &c->v[2];
    int dim = (int)c->i[0];
    for (int64_t n = 0; n < card_elements(index); n++) {
        int64_t rest = n, from = 0, to = 0, where = 0;
        for (int d = index->nd - 1; d >= 0; d--) {
            int64_t i = rest % index->dims[d];
            rest /= index->dims[d];
            where += i * index->strides[d];
            to += i * out->strides[d];
            from += d == dim ? 0 : i * x->strides[d];
        }
        int64_t place = (int64_t)get(index, c->base[1], where);
        if (place < 0 || place >= x->dims[dim]) {
            return ACL_ERROR_RT_AICORE_EXCEPTION;
        }
        put(out, c->base[2], to, get(x, c->base[0], from + place * x->strides[dim]));
    }
    return 0;
}

API int aclnnGatherGetWorkspaceSize(const aclTensor *self, const int64_t dim, const aclTensor *index, aclTensor *out,
                                    REST) {
    BEGIN(aclnnGather, run_gather)
    NEED(self) NEED(index) NEED(out) CHECK(valid(dim, self)) CHECK(index->dtype == T_INT64 || index->dtype == T_INT32)
    CHECK(same_shape(index, out) && self->nd == index->nd && self->dtype == out->dtype) e_.i[0] = axis(dim, self);
    END(0)
}
PHASE2(aclnnGather)

static int run_rows(aclOpExecutor *c) {
    const aclTensor *x = &c->v[0], *index = &c->v[1];
    int64_t width = x->dims[1], bytes = (int64_t)card_type_bytes(x->dtype);
    for (int64_t n = 0; n < card_elements(index); n++) {
        int64_t place = (int64_t)get(index, c->base[1], n);
        if (place < 0 || place >= x->dims[0]) {
            return ACL_ERROR_RT_AICORE_EXCEPTION;
        }
        memcpy((char *)c->base[2] + n * width * bytes, (char *)c->base[0] + place * width * bytes,
               (size_t)(width * bytes));
    }
    return 0;
}

API int aclnnIndexSelectGetWorkspaceSize(const aclTensor *self, int64_t dim, const aclTensor *index, aclTensor *out,
                                         REST) {
    BEGIN(aclnnIndexSelect, run_rows)
    NEED(self) NEED(index) NEED(out) CHECK(dim == 0 && self->nd == 2 && index->nd == 1)
    CHECK(index->dtype == T_INT64 || index->dtype == T_INT32) CHECK(self->dtype == out->dtype)
    CHECK(shape_is(out, 2, index->dims[0], self->dims[1], 0, 0)) CHECK(dense(self) && dense(out))
    CHECK(apart(self, out)) END(0)
}
PHASE2(aclnnIndexSelect)

API int aclnnEmbeddingGetWorkspaceSize(const aclTensor *weight, const aclTensor *indices, aclTensor *out, REST) {
    BEGIN(aclnnEmbedding, run_rows)
    NEED(weight) NEED(indices) NEED(out) CHECK(weight->nd == 2 && indices->nd == 1)
    CHECK(indices->dtype == T_INT64 || indices->dtype == T_INT32) CHECK(weight->dtype == out->dtype)
    CHECK(shape_is(out, 2, indices->dims[0], weight->dims[1], 0, 0)) CHECK(dense(weight) && dense(out)) END(0)
}
PHASE2(aclnnEmbedding)

// ---- products

static float dot(const float *a, const float *b, int64_t n) {
    float lanes[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (int l = 0; l < 8; l++) {
            lanes[l] += a[i + l] * b[i + l];
        }
    }
    float sum = ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
    for (; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

typedef struct {
    const aclTensor *t;
    const void *base;
    int64_t at, outer, inner;
} plane;

static float *unpack(plane p, int64_t rows, int64_t cols) {
    float *values = malloc((size_t)(rows * cols) * sizeof *values);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t i = 0; i < cols; i++) {
            values[r * cols + i] = (float)get(p.t, p.base, p.at + r * p.outer + i * p.inner);
        }
    }
    return values;
}

// out[r, n] = Σ_k a[r, k] b[n, k] scaleN[n] scaleR[r], scales null for ones
static void multiply(plane a, plane b, int64_t rows, int64_t cols, int64_t k, const aclTensor *out, void *to,
                     int64_t at, int64_t out_row, int64_t out_col, plane column_scale, plane row_scale) {
    float *x = unpack(a, rows, k), *w = unpack(b, cols, k);
    for (int64_t n = 0; n < cols; n++) {
        for (int64_t r = 0; r < rows; r++) {
            float value = dot(x + r * k, w + n * k, k);
            value *= column_scale.t ? (float)get(column_scale.t, column_scale.base, column_scale.at + n * column_scale.inner) : 1;
            value *= row_scale.t ? (float)get(row_scale.t, row_scale.base, row_scale.at + r) : 1;
            put(out, to, at + r * out_row + n * out_col, value);
        }
    }
    free(x);
    free(w);
}

static const plane NONE;

static int run_matmul(aclOpExecutor *c) {
    const aclTensor *a = &c->v[0], *b = &c->v[1], *out = &c->v[2];
    int last = a->nd - 1, first = a->nd - 2;
    int64_t batches = a->nd == 3 ? a->dims[0] : 1;
    for (int64_t n = 0; n < batches; n++) {
        multiply((plane){a, c->base[0], a->nd == 3 ? n * a->strides[0] : 0, a->strides[first], a->strides[last]},
                 (plane){b, c->base[1], a->nd == 3 ? n * b->strides[0] : 0, b->strides[last], b->strides[first]},
                 a->dims[first], b->dims[last], a->dims[last], out, c->base[2],
                 a->nd == 3 ? n * out->strides[0] : 0, out->strides[first], out->strides[last], NONE, NONE);
    }
    return 0;
}

// Documentation of aclnnMm and aclnnBatchMatMul: equal types; cubeMathType 0 keeps them, and 910 and 310P refuse
// FP32 with it
API int aclnnMmGetWorkspaceSize(const aclTensor *self, const aclTensor *mat2, aclTensor *out, int8_t cubeMathType, REST) {
    BEGIN(aclnnMm, run_matmul)
    NEED(self) NEED(mat2) NEED(out) CHECK(cubeMathType >= 0 && cubeMathType <= 3)
    CHECK(self->nd == 2 && mat2->nd == 2 && self->dims[1] == mat2->dims[0])
    CHECK(shape_is(out, 2, self->dims[0], mat2->dims[1], 0, 0)) CHECK(is_float(self))
    CHECK(self->dtype == mat2->dtype && self->dtype == out->dtype)
    CHECK(self->dtype != T_FLOAT || cubeMathType != 0 || !card_soc("Ascend310P")) CHECK(apart(self, out)) END(16384)
}
PHASE2(aclnnMm)

API int aclnnBatchMatMulGetWorkspaceSize(const aclTensor *self, const aclTensor *mat2, aclTensor *out,
                                         int8_t cubeMathType, REST) {
    BEGIN(aclnnBatchMatMul, run_matmul)
    NEED(self) NEED(mat2) NEED(out) CHECK(cubeMathType >= 0 && cubeMathType <= 3)
    CHECK(self->nd == 3 && mat2->nd == 3 && self->dims[0] == mat2->dims[0] && self->dims[2] == mat2->dims[1])
    CHECK(shape_is(out, 3, self->dims[0], self->dims[1], mat2->dims[2], 0)) CHECK(is_float(self))
    CHECK(self->dtype == mat2->dtype && self->dtype == out->dtype) CHECK(apart(self, out)) CHECK(apart(mat2, out))
    END(16384)
}
PHASE2(aclnnBatchMatMul)

static int run_dynamic_quant(aclOpExecutor *c) {
    const aclTensor *x = &c->v[0], *scale = &c->v[1], *y = &c->v[2];
    for (int64_t r = 0; r < x->dims[0]; r++) {
        float max = 0;
        for (int64_t i = 0; i < x->dims[1]; i++) {
            max = fmaxf(max, fabsf((float)get(x, c->base[0], r * x->dims[1] + i)));
        }
        float s = max / 127;
        put(scale, c->base[1], r, s);
        for (int64_t i = 0; i < x->dims[1]; i++) {
            put(y, c->base[2], r * x->dims[1] + i, s == 0 ? 0 : rintf((float)get(x, c->base[0], r * x->dims[1] + i) / s));
        }
    }
    return 0;
}

// Documentation of aclnnDynamicQuant: x FLOAT16 or BFLOAT16, y INT8, scale FLOAT of x's shape without its last
API int aclnnDynamicQuantGetWorkspaceSize(const aclTensor *x, const aclTensor *smooth, const aclTensor *y,
                                          const aclTensor *scale, REST) {
    BEGIN(aclnnDynamicQuant, run_dynamic_quant)
    NEED(x) NEED(scale) NEED(y) CHECK(!smooth) CHECK(x->nd == 2 && x->dtype == T_BF16) CHECK(same_shape(x, y))
    CHECK(y->dtype == T_INT8 && scale->dtype == T_FLOAT) CHECK(shape_is(scale, 1, x->dims[0], 0, 0, 0))
    CHECK(dense(x) && dense(y)) END(0)
}
PHASE2(aclnnDynamicQuant)

static int run_quant_matmul(aclOpExecutor *c) {
    const aclTensor *a = &c->v[0], *b = &c->v[1], *out = &c->v[4];
    bool transposed = c->i[0];
    multiply((plane){a, c->base[0], 0, a->strides[0], a->strides[1]},
             (plane){b, c->base[1], 0, b->strides[transposed ? 0 : 1], b->strides[transposed ? 1 : 0]}, a->dims[0],
             out->dims[1], a->dims[1], out, c->base[4], 0, out->strides[0], out->strides[1],
             (plane){&c->v[2], c->base[2], 0, 0, 1}, (plane){&c->v[3], c->base[3], 0, 0, 1});
    return 0;
}

// Documentation of aclnnQuantMatmulV4: INT8 by INT8, scale FLOAT or BFLOAT16 of one or N, perTokenScale FLOAT of M,
// out BFLOAT16 then
API int aclnnQuantMatmulV4GetWorkspaceSize(const aclTensor *x1, const aclTensor *x2, const aclTensor *scale,
                                           const aclTensor *offset, const aclTensor *perToken, const aclTensor *bias,
                                           bool transposeX1, bool transposeX2, const aclTensor *out, REST) {
    BEGIN(aclnnQuantMatmulV4, run_quant_matmul)
    NEED(x1) NEED(x2) NEED(scale) NEED(perToken) NEED(out) CHECK(!offset && !bias && !transposeX1)
    CHECK(x1->dtype == T_INT8 && x2->dtype == T_INT8 && out->dtype == T_BF16) CHECK(x1->nd == 2 && x2->nd == 2)
    CHECK(x1->dims[1] == x2->dims[transposeX2 ? 1 : 0])
    CHECK(shape_is(out, 2, x1->dims[0], x2->dims[transposeX2 ? 0 : 1], 0, 0)) CHECK(is_float(scale))
    CHECK(shape_is(scale, 1, out->dims[1], 0, 0, 0)) CHECK(perToken->dtype == T_FLOAT)
    CHECK(shape_is(perToken, 1, x1->dims[0], 0, 0, 0)) e_.i[0] = transposeX2;
    END(16384)
}
PHASE2(aclnnQuantMatmulV4)

static int run_grouped(aclOpExecutor *c) {
    // x, weight, scale, perToken, groupList, out
    const aclTensor *x = &c->v[0], *w = &c->v[1], *groups = &c->v[4], *out = &c->v[5];
    int64_t row = 0, k = x->dims[1], n = w->dims[2];
    for (int64_t g = 0; g < w->dims[0]; g++) {
        int64_t value = (int64_t)get(groups, c->base[4], g);
        int64_t count = c->i[0] == 1 ? value : value - row;
        if (count < 0 || row + count > x->dims[0]) {
            return ACL_ERROR_RT_AICORE_EXCEPTION;
        }
        if (count > 0) {
            multiply((plane){x, c->base[0], row * k, k, 1},
                     (plane){w, c->base[1], g * w->strides[0], w->strides[2], w->strides[1]}, count, n, k, out,
                     c->base[5], row * n, n, 1, c->t[2] ? (plane){&c->v[2], c->base[2], g * n, 0, 1} : NONE,
                     c->t[3] ? (plane){&c->v[3], c->base[3], row, 0, 1} : NONE);
        }
        row += count;
    }
    return 0;
}

// Documentation of aclnnGroupedMatmulV4 for experts: one x, one weight [E, K, N], one out; groupType 0; FLOAT only
// with single tensors; INT8 with BFLOAT16 scales [E, N] and FLOAT scales of tokens gives BFLOAT16
API int aclnnGroupedMatmulV4GetWorkspaceSize(
    const aclTensorList *x, const aclTensorList *weight, const aclTensorList *bias, const aclTensorList *scale,
    const aclTensorList *offset, const aclTensorList *antiquantScale, const aclTensorList *antiquantOffset,
    const aclTensorList *perTokenScale, const aclTensor *groupList, const aclTensorList *activationInput,
    const aclTensorList *activationQuantScale, const aclTensorList *activationQuantOffset, int64_t splitItem,
    int64_t groupType, int64_t groupListType, int64_t actType, aclTensorList *out, aclTensorList *activationFeatureOut,
    aclTensorList *dynQuantScaleOut, REST) {
    BEGIN(aclnnGroupedMatmulV4, run_grouped)
    CHECK(x && weight && out && x->n == 1 && weight->n == 1 && out->n == 1)
    CHECK(!bias && !offset && !antiquantScale && !antiquantOffset && !activationInput && !activationQuantScale)
    CHECK(!activationQuantOffset && !activationFeatureOut && !dynQuantScaleOut) CHECK(!scale == !perTokenScale)
    CHECK(splitItem == 2 || splitItem == 3) CHECK(groupType == 0 && actType == 0)
    CHECK(groupListType == 0 || groupListType == 1)
    const aclTensor *a = x->at[0], *w = weight->at[0], *y = out->at[0];
    NEED(a) NEED(w) MAY(scale ? scale->at[0] : NULL) MAY(perTokenScale ? perTokenScale->at[0] : NULL) NEED(groupList)
    NEED(y) CHECK(a->nd == 2 && w->nd == 3 && a->dims[1] == w->dims[1])
    CHECK(shape_is(y, 2, a->dims[0], w->dims[2], 0, 0)) CHECK(dense(a) && dense(y)) CHECK(a->dtype == w->dtype)
    CHECK(a->dtype == T_INT8 ? scale && y->dtype == T_BF16 : is_float(a) && !scale && y->dtype == a->dtype)
    CHECK(!scale || (scale->at[0]->dtype == T_BF16 && shape_is(scale->at[0], 2, w->dims[0], w->dims[2], 0, 0)))
    CHECK(!scale || (perTokenScale->at[0]->dtype == T_FLOAT && shape_is(perTokenScale->at[0], 1, a->dims[0], 0, 0, 0)))
    CHECK(groupList->dtype == T_INT64 && shape_is(groupList, 1, w->dims[0], 0, 0, 0)) CHECK(apart(a, y)) e_.i[0] =
        groupListType;
    END(16384)
}
PHASE2(aclnnGroupedMatmulV4)

// ---- fused operators

static int run_rms_norm(aclOpExecutor *c) {
    const aclTensor *x = &c->v[0], *gamma = &c->v[1], *rstd = &c->v[2], *y = &c->v[3];
    int64_t dim = x->dims[x->nd - 1];
    for (int64_t r = 0; r < card_elements(x) / dim; r++) {
        float lanes[8] = {0};
        for (int64_t i = 0; i < dim; i++) {
            float value = (float)get(x, c->base[0], r * dim + i);
            lanes[i % 8] += value * value;
        }
        float sum = ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
        float factor = 1 / sqrtf(sum / (float)dim + (float)c->d[0]);
        put(rstd, c->base[2], r, factor);
        for (int64_t i = 0; i < dim; i++) {
            put(y, c->base[3], r * dim + i,
                (float)get(x, c->base[0], r * dim + i) * factor * (float)get(gamma, c->base[1], i));
        }
    }
    return 0;
}

// Documentation of aclnnRmsNorm: rstd is FLOAT, x's shape with the normed dimensions one, and not optional
API int aclnnRmsNormGetWorkspaceSize(const aclTensor *x, const aclTensor *gamma, double epsilon, const aclTensor *y,
                                     const aclTensor *rstd, REST) {
    BEGIN(aclnnRmsNorm, run_rms_norm)
    NEED(x) NEED(gamma) NEED(rstd) NEED(y) CHECK(is_float(x) && x->dtype == y->dtype) CHECK(same_shape(x, y))
    CHECK(is_float(gamma) && shape_is(gamma, 1, x->dims[x->nd - 1], 0, 0, 0))
    CHECK(rstd->dtype == T_FLOAT && reduced(x, rstd, x->nd - 1, true)) CHECK(dense(x) && dense(y)) CHECK(apart(x, y))
    e_.d[0] = epsilon;
    END(4096)
}
PHASE2(aclnnRmsNorm)

static int run_swiglu(aclOpExecutor *c) {
    const aclTensor *x = &c->v[0], *out = &c->v[1];
    int64_t half = out->dims[1];
    for (int64_t r = 0; r < out->dims[0]; r++) {
        for (int64_t i = 0; i < half; i++) {
            float gate = (float)get(x, c->base[0], r * 2 * half + i);
            float up = (float)get(x, c->base[0], r * 2 * half + half + i);
            put(out, c->base[1], r * half + i, gate / (1 + expf(-gate)) * up);
        }
    }
    return 0;
}

// Documentation of aclnnSwiGlu: contiguous, the halves of `dim`
API int aclnnSwiGluGetWorkspaceSize(const aclTensor *x, int64_t dim, const aclTensor *out, REST) {
    BEGIN(aclnnSwiGlu, run_swiglu)
    NEED(x) NEED(out) CHECK(x->nd == 2 && axis(dim, x) == 1) CHECK(is_float(x) && x->dtype == out->dtype)
    CHECK(shape_is(out, 2, x->dims[0], x->dims[1] / 2, 0, 0) && x->dims[1] % 2 == 0) CHECK(dense(x) && dense(out))
    CHECK(apart(x, out)) END(0)
}
PHASE2(aclnnSwiGlu)

static int run_init_routing(aclOpExecutor *c) {
    const aclTensor *x = &c->v[0], *expert = &c->v[1], *place = &c->v[2], *count = &c->v[3];
    int64_t slots = card_elements(expert), k = expert->dims[1], dim = x->dims[1], experts = count->dims[0];
    ranked *all = malloc((size_t)slots * sizeof *all);
    for (int64_t i = 0; i < slots; i++) {
        all[i] = (ranked){get(expert, c->base[1], i), i};
        if (all[i].value < 0 || all[i].value >= experts) {
            free(all);
            return ACL_ERROR_RT_AICORE_EXCEPTION;
        }
    }
    qsort(all, (size_t)slots, sizeof *all, ascending);
    for (int64_t e = 0; e < experts; e++) {
        put(count, c->base[3], e, 0);
    }
    size_t bytes = (size_t)dim * card_type_bytes(x->dtype);
    for (int64_t i = 0; i < slots; i++) {
        int64_t e = (int64_t)all[i].value;
        put(count, c->base[3], e, get(count, c->base[3], e) + 1);
        put(place, c->base[2], all[i].place, (double)i);
        memcpy((char *)c->base[4] + (size_t)i * bytes, (char *)c->base[0] + (size_t)(all[i].place / k) * bytes, bytes);
    }
    for (int64_t e = 1; e < experts && c->i[0] == 1; e++) {
        put(count, c->base[3], e, get(count, c->base[3], e) + get(count, c->base[3], e - 1));
    }
    free(all);
    return 0;
}

// Documentation of aclnnMoeInitRoutingV2: without dropping, counts (2) or their running sum (1) in INT32
API int aclnnMoeInitRoutingV2GetWorkspaceSize(const aclTensor *x, const aclTensor *expertIdx, int64_t activeNum,
                                              int64_t expertCapacity, int64_t expertNum, int64_t dropPadMode,
                                              int64_t countOrCumsum, bool beforeCapacity, const aclTensor *expandedX,
                                              const aclTensor *expandedRowIdx, const aclTensor *tokens,
                                              const aclTensor *tokensBefore, REST) {
    BEGIN(aclnnMoeInitRoutingV2, run_init_routing)
    NEED(x) NEED(expertIdx) NEED(expandedRowIdx) NEED(tokens) NEED(expandedX)
    CHECK(activeNum == 0 && expertCapacity == 0 && dropPadMode == 0 && !beforeCapacity && !tokensBefore)
    CHECK(countOrCumsum == 1 || countOrCumsum == 2)
    CHECK(x->nd == 2 && expertIdx->nd == 2 && x->dims[0] == expertIdx->dims[0])
    CHECK(expertIdx->dtype == T_INT32 && expandedRowIdx->dtype == T_INT32 && tokens->dtype == T_INT32)
    CHECK(shape_is(expandedX, 2, card_elements(expertIdx), x->dims[1], 0, 0) && x->dtype == expandedX->dtype)
    CHECK(shape_is(expandedRowIdx, 1, card_elements(expertIdx), 0, 0, 0))
    CHECK(shape_is(tokens, 1, expertNum, 0, 0, 0)) CHECK(dense(x) && dense(expertIdx) && dense(expandedX)) e_.i[0] =
        countOrCumsum;
    END(8192)
}
PHASE2(aclnnMoeInitRoutingV2)

static int run_finalize(aclOpExecutor *c) {
    const aclTensor *x = &c->v[0], *place = &c->v[1], *scales = &c->v[2], *out = &c->v[3];
    int64_t rows = out->dims[0], dim = out->dims[1], k = scales->dims[1];
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t i = 0; i < dim; i++) {
            float sum = 0;
            for (int64_t s = 0; s < k; s++) {
                int64_t at = (int64_t)get(place, c->base[1], c->i[0] == 2 ? r * k + s : r + s * rows);
                sum += (float)get(scales, c->base[2], r * k + s) * (float)get(x, c->base[0], at * dim + i);
            }
            put(out, c->base[3], r * dim + i, sum);
        }
    }
    return 0;
}

// Documentation of aclnnMoeFinalizeRoutingV2: dropPadMode 2 for the row order of MoeInitRoutingV2; without scales k
// is one
API int aclnnMoeFinalizeRoutingV2GetWorkspaceSize(const aclTensor *expandedX, const aclTensor *expandedRowIdx,
                                                  const aclTensor *x1, const aclTensor *x2, const aclTensor *bias,
                                                  const aclTensor *scales, const aclTensor *expertIdx,
                                                  int64_t dropPadMode, const aclTensor *out, REST) {
    BEGIN(aclnnMoeFinalizeRoutingV2, run_finalize)
    NEED(expandedX) NEED(expandedRowIdx) NEED(scales) NEED(out) CHECK(!x1 && !x2 && !bias && !expertIdx)
    CHECK(dropPadMode == 0 || dropPadMode == 2) CHECK(expandedX->nd == 2 && out->nd == 2 && scales->nd == 2)
    CHECK(expandedX->dims[0] == card_elements(scales) && expandedX->dims[1] == out->dims[1])
    CHECK(scales->dims[0] == out->dims[0]) CHECK(is_float(expandedX) && expandedX->dtype == out->dtype)
    CHECK(scales->dtype == expandedX->dtype || (expandedX->dtype == T_BF16 && scales->dtype == T_FLOAT))
    CHECK(expandedRowIdx->dtype == T_INT32) CHECK(dense(expandedX) && dense(out) && dense(scales)) e_.i[0] = dropPadMode;
    END(4096)
}
PHASE2(aclnnMoeFinalizeRoutingV2)

#ifndef CANN_8_1

static int run_partial_rotary(aclOpExecutor *c) {
    const aclTensor *cos = &c->v[0], *sin = &c->v[1], *x = &c->v[2];
    int64_t from = c->i[0], length = c->i[1] - c->i[0], dim = x->dims[3];
    int64_t sc[8], ss[8];
    follow(cos, x, sc);
    follow(sin, x, ss);
    for (int64_t v = 0; v < card_elements(x) / dim; v++) {
        int64_t place[3] = {v / (x->dims[1] * x->dims[2]), v / x->dims[2] % x->dims[1], v % x->dims[2]};
        int64_t ac = place[0] * sc[0] + place[1] * sc[1] + place[2] * sc[2];
        int64_t as = place[0] * ss[0] + place[1] * ss[1] + place[2] * ss[2];
        for (int64_t i = 0; i < length; i += 2) {
            int64_t at = v * dim + from + i;
            float a = (float)get(x, c->base[2], at), b = (float)get(x, c->base[2], at + 1);
            float c0 = (float)get(cos, c->base[0], ac + i * cos->strides[3]);
            float c1 = (float)get(cos, c->base[0], ac + (i + 1) * cos->strides[3]);
            float s0 = (float)get(sin, c->base[1], as + i * sin->strides[3]);
            float s1 = (float)get(sin, c->base[1], as + (i + 1) * sin->strides[3]);
            put(x, c->base[2], at, a * c0 - b * s0);
            put(x, c->base[2], at + 1, b * c1 + a * s1);
        }
    }
    return 0;
}

// Documentation of aclnnInplacePartialRotaryMul: x [B, S, N, D] contiguous, D up to 1024, interleaved pairs (1) only,
// the slice [start, end) of D; cos and sin alike, on A2 and A3 [B, S, 1, slice] or [B, 1, 1, slice]
API int aclnnInplacePartialRotaryMulGetWorkspaceSize(const aclTensor *xRef, const aclTensor *cos, const aclTensor *sin,
                                                     int64_t rotaryMode, const aclIntArray *partialSlice, REST) {
    BEGIN(aclnnInplacePartialRotaryMul, run_partial_rotary)
    NEED(cos) NEED(sin) NEED(xRef) CHECK(rotaryMode == 1) CHECK(partialSlice && partialSlice->n == 2)
    CHECK(xRef->nd == 4 && cos->nd == 4 && same_shape(cos, sin)) CHECK(cos->dtype == xRef->dtype && sin->dtype == xRef->dtype)
    int64_t start = partialSlice->at[0], end = partialSlice->at[1];
    CHECK(start >= 0 && start < end && end <= xRef->dims[3] && (end - start) % 2 == 0)
    CHECK(cos->dims[3] == end - start && xRef->dims[3] <= 1024) CHECK(cos->dims[0] == xRef->dims[0])
    CHECK(cos->dims[1] == xRef->dims[1] || cos->dims[1] == 1) CHECK(cos->dims[2] == 1)
    CHECK(is_float(xRef) && dense(xRef) && dense(cos) && dense(sin)) e_.i[0] = start;
    e_.i[1] = end;
    END(0)
}
PHASE2(aclnnInplacePartialRotaryMul)

static int run_gating(aclOpExecutor *c) {
    // x, bias, all scores, weights, experts
    const aclTensor *x = &c->v[0], *all = &c->v[2], *weights = &c->v[3], *chosen = &c->v[4];
    int64_t experts = x->dims[1], k = c->i[0];
    ranked *order = malloc((size_t)experts * sizeof *order);
    for (int64_t r = 0; r < x->dims[0]; r++) {
        for (int64_t e = 0; e < experts; e++) {
            double logit = get(x, c->base[0], r * experts + e);
            float score = (float)sqrt(logit > 20 ? logit : log1p(exp(logit)));
            put(all, c->base[2], r * experts + e, score);
            order[e] = (ranked){score + (c->t[1] ? (float)get(&c->v[1], c->base[1], e) : 0), e};
        }
        qsort(order, (size_t)experts, sizeof *order, descending);
        float sum = 0;
        for (int64_t s = 0; s < k; s++) {
            sum += (float)get(all, c->base[2], r * experts + order[s].place);
        }
        for (int64_t s = 0; s < k; s++) {
            put(chosen, c->base[4], r * k + s, (double)order[s].place);
            put(weights, c->base[3], r * k + s,
                (float)get(all, c->base[2], r * experts + order[s].place) / (sum + (float)c->d[1]) * (float)c->d[0]);
        }
    }
    free(order);
    return 0;
}

// Documentation of aclnnMoeGatingTopK: normType 2, the root of softplus, on Ascend 950 only; one group; the scores
// are an output that is not optional
API int aclnnMoeGatingTopKGetWorkspaceSize(const aclTensor *x, const aclTensor *bias, int64_t k, int64_t kGroup,
                                           int64_t groupCount, int64_t groupSelectMode, int64_t renorm,
                                           int64_t normType, bool outFlag, double routedScalingFactor, double eps,
                                           const aclTensor *y, const aclTensor *expertIdx, const aclTensor *out, REST) {
    BEGIN(aclnnMoeGatingTopK, run_gating)
    NEED(x) MAY(bias) NEED(out) NEED(y) NEED(expertIdx) CHECK(kGroup == 1 && groupCount == 1 && renorm == 0)
    CHECK(groupSelectMode == 0 || groupSelectMode == 1) CHECK(normType == 2 && card_soc("Ascend950")) (void)outFlag;
    CHECK(x->nd == 2 && k >= 1 && k <= x->dims[1] && x->dims[1] <= 2048) CHECK(is_float(x) && x->dtype == y->dtype)
    CHECK(!bias || (bias->dtype == x->dtype && shape_is(bias, 1, x->dims[1], 0, 0, 0)))
    CHECK(out->dtype == T_FLOAT && same_shape(out, x)) CHECK(expertIdx->dtype == T_INT32)
    CHECK(shape_is(y, 2, x->dims[0], k, 0, 0) && same_shape(y, expertIdx)) CHECK(dense(x) && dense(y)) e_.i[0] = k;
    e_.d[0] = routedScalingFactor;
    e_.d[1] = eps;
    END(4096)
}
PHASE2(aclnnMoeGatingTopK)

static void sinkhorn(float *a, int n, int64_t iterations, float eps) {
    for (int j = 0; j < n; j++) {
        float max = -INFINITY, sum = 0;
        for (int k = 0; k < n; k++) {
            max = fmaxf(max, a[j * n + k]);
        }
        for (int k = 0; k < n; k++) {
            sum += a[j * n + k] = expf(a[j * n + k] - max);
        }
        for (int k = 0; k < n; k++) {
            a[j * n + k] = a[j * n + k] / sum + eps;
        }
    }
    for (int64_t step = 1; step < 2 * iterations; step++) {
        bool columns = step % 2 == 1;
        for (int p = 0; p < n; p++) {
            float sum = 0;
            for (int q = 0; q < n; q++) {
                sum += a[columns ? q * n + p : p * n + q];
            }
            for (int q = 0; q < n; q++) {
                a[columns ? q * n + p : p * n + q] /= sum + eps;
            }
        }
    }
}

static int run_sinkhorn(aclOpExecutor *c) {
    const aclTensor *x = &c->v[0], *out = &c->v[1];
    int n = (int)x->dims[2];
    float a[64];
    for (int64_t t = 0; t < x->dims[0]; t++) {
        for (int i = 0; i < n * n; i++) {
            a[i] = (float)get(x, c->base[0], t * n * n + i);
        }
        sinkhorn(a, n, c->i[0], (float)c->d[0]);
        for (int i = 0; i < n * n; i++) {
            put(out, c->base[1], t * n * n + i, a[i]);
        }
    }
    return 0;
}

// Documentation of aclnnMhcSinkhorn: FLOAT [T, n, n], n of 4, 6, 8, 1 to 100 iterations, Ascend 950; eps is a float
API int aclnnMhcSinkhornGetWorkspaceSize(const aclTensor *x, float eps, int64_t numIters, aclTensor *output,
                                         aclTensor *normOut, aclTensor *sumOut, REST) {
    BEGIN(aclnnMhcSinkhorn, run_sinkhorn)
    NEED(x) NEED(output) CHECK(!normOut && !sumOut) CHECK(card_soc("Ascend950"))
    CHECK(x->nd == 3 && x->dims[1] == x->dims[2] && (x->dims[2] == 4 || x->dims[2] == 6 || x->dims[2] == 8))
    CHECK(numIters >= 1 && numIters <= 100) CHECK(x->dtype == T_FLOAT && output->dtype == T_FLOAT)
    CHECK(same_shape(x, output) && dense(x) && dense(output)) e_.i[0] = numIters;
    e_.d[0] = eps;
    END(0)
}
PHASE2(aclnnMhcSinkhorn)

static int run_pre_sinkhorn(aclOpExecutor *c) {
    // x, phi, alpha, bias, hPost, hRes, hin
    const aclTensor *x = &c->v[0], *phi = &c->v[1];
    int n = 4;
    int64_t dim = x->dims[3], width = n * dim;
    float *f = malloc((size_t)width * sizeof *f), m[24];
    for (int64_t t = 0; t < x->dims[0] * x->dims[1]; t++) {
        double square = 0;
        for (int64_t i = 0; i < width; i++) {
            f[i] = (float)get(x, c->base[0], t * width + i);
            square += (double)f[i] * f[i];
        }
        float factor = 1 / sqrtf((float)(square / (double)width) + (float)c->d[1]);
        for (int i = 0; i < 24; i++) {
            int part = i < n ? 0 : i < 2 * n ? 1 : 2;
            m[i] = dot(f, (const float *)c->base[1] + i * width, width) * factor *
                       (float)get(&c->v[2], c->base[2], part) + (float)get(&c->v[3], c->base[3], i);
        }
        (void)phi;
        for (int j = 0; j < n; j++) {
            m[j] = 1 / (1 + expf(-m[j])) + (float)c->d[0];
            put(&c->v[4], c->base[4], t * n + j, 2 / (1 + expf(-m[n + j])));
        }
        sinkhorn(m + 2 * n, n, 20, (float)c->d[0]);
        for (int i = 0; i < n * n; i++) {
            put(&c->v[5], c->base[5], t * n * n + i, m[2 * n + i]);
        }
        for (int64_t i = 0; i < dim; i++) {
            float sum = 0;
            for (int j = 0; j < n; j++) {
                sum += m[j] * f[j * dim + i];
            }
            put(&c->v[6], c->base[6], t * dim + i, sum);
        }
    }
    free(f);
    return 0;
}

// Documentation of aclnnMhcPreSinkhorn: x FLOAT16 or BFLOAT16 [B, S, 4, D], D a multiple of 128 up to 100000, 20
// iterations; the rest FLOAT; without gradients the last five outputs may be null
API int aclnnMhcPreSinkhornGetWorkspaceSize(const aclTensor *x, const aclTensor *phi, const aclTensor *alpha,
                                            const aclTensor *bias, int64_t hcMult, int64_t numIters, double hcEps,
                                            double normEps, bool needGrad, aclTensor *hin, aclTensor *hPost,
                                            aclTensor *hRes, aclTensor *hPre, aclTensor *hcBeforeNorm,
                                            aclTensor *invRms, aclTensor *sumOut, aclTensor *normOut, REST) {
    BEGIN(aclnnMhcPreSinkhorn, run_pre_sinkhorn)
    NEED(x) NEED(phi) NEED(alpha) NEED(bias) NEED(hPost) NEED(hRes) NEED(hin)
    CHECK(!needGrad && !hPre && !hcBeforeNorm && !invRms && !sumOut && !normOut) CHECK(hcMult == 4 && numIters == 20)
    CHECK(x->nd == 4 && x->dims[2] == 4 && x->dims[3] % 128 == 0 && x->dims[3] <= 100000)
    CHECK(x->dtype == T_BF16 && hin->dtype == T_BF16) CHECK(phi->dtype == T_FLOAT && shape_is(phi, 2, 24, 4 * x->dims[3], 0, 0))
    CHECK(alpha->dtype == T_FLOAT && shape_is(alpha, 1, 3, 0, 0, 0)) CHECK(bias->dtype == T_FLOAT && shape_is(bias, 1, 24, 0, 0, 0))
    CHECK(shape_is(hin, 3, x->dims[0], x->dims[1], x->dims[3], 0)) CHECK(shape_is(hPost, 3, x->dims[0], x->dims[1], 4, 0))
    CHECK(shape_is(hRes, 3, x->dims[0], x->dims[1], 16, 0)) CHECK(hPost->dtype == T_FLOAT && hRes->dtype == T_FLOAT)
    CHECK(dense(x) && dense(phi) && dense(hin)) e_.d[0] = hcEps;
    e_.d[1] = normEps;
    END(8192)
}
PHASE2(aclnnMhcPreSinkhorn)

static int run_post(aclOpExecutor *c) {
    // x, hRes, hOut, hPost, out: [T, n, D], [T, n, n], [T, D], [T, n]
    const aclTensor *x = &c->v[0];
    int n = (int)x->dims[1];
    int64_t dim = x->dims[2];
    for (int64_t t = 0; t < x->dims[0]; t++) {
        for (int k = 0; k < n; k++) {
            for (int64_t i = 0; i < dim; i++) {
                float sum = (float)get(&c->v[3], c->base[3], t * n + k) * (float)get(&c->v[2], c->base[2], t * dim + i);
                for (int j = 0; j < n; j++) {
                    sum += (float)get(&c->v[1], c->base[1], (t * n + j) * n + k) *
                           (float)get(x, c->base[0], (t * n + j) * dim + i);
                }
                put(&c->v[4], c->base[4], (t * n + k) * dim + i, sum);
            }
        }
    }
    return 0;
}

// Documentation of aclnnMhcPost: x, hOut, out FLOAT16 or BFLOAT16, hRes and hPost FLOAT; out = hResᵀ x + hPost hOut
API int aclnnMhcPostGetWorkspaceSize(const aclTensor *x, const aclTensor *hRes, const aclTensor *hOut,
                                     const aclTensor *hPost, aclTensor *out, REST) {
    BEGIN(aclnnMhcPost, run_post)
    NEED(x) NEED(hRes) NEED(hOut) NEED(hPost) NEED(out) CHECK(x->nd == 3 && x->dims[1] == 4)
    CHECK(x->dtype == T_BF16 && hOut->dtype == T_BF16 && out->dtype == T_BF16)
    CHECK(hRes->dtype == T_FLOAT && hPost->dtype == T_FLOAT) CHECK(same_shape(x, out))
    CHECK(shape_is(hRes, 3, x->dims[0], 4, 4, 0) && shape_is(hPost, 2, x->dims[0], 4, 0, 0))
    CHECK(shape_is(hOut, 2, x->dims[0], x->dims[2], 0, 0)) CHECK(dense(x) && dense(hOut) && dense(out))
    CHECK(apart(x, out)) END(0)
}
PHASE2(aclnnMhcPost)
#endif
