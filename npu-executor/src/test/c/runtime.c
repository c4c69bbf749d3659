// libascendcl.so of the software card: devices, contexts, streams, events, memory, faults and a trace.
//
// A device address points into a mapping without any access right, so that touching it from the host ends the
// process as it does on a machine with a card; its bytes lie at the same offset of another mapping.
#define _GNU_SOURCE
#include "card.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SPACE (1ULL << 36)
#define ALIGNMENT 512
#define MAGIC_CONTEXT 0xC0117E47u
#define MAGIC_STREAM 0x57AEA400u
#define MAX_DEVICES 64

typedef struct {
    uint64_t at, size;
    int device;
} block;

typedef struct context {
    uint32_t magic;
    int device;
    struct context *owner;
} context;

typedef struct job {
    struct job *next;
    const char *what;
    int (*run)(void *);
    void *task;
} job;

typedef struct {
    uint32_t magic;
    context *context;
    pthread_t worker;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    job *first, *last;
    bool busy, closing;
    int error;
} stream;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t recorded, reached;
} event;

typedef struct fault {
    struct fault *next;
    char kind[8], name[64];
    long nth, seen;
    int code, device;
} fault;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t faults_changed = PTHREAD_COND_INITIALIZER;
static bool initialised, finalised, computes = true;
static char *space, *bytes;
static block *blocks;
static int block_count, block_room;
static uint64_t used[MAX_DEVICES], memory_limit = 1ULL << 34;
static void **pinned;
static int pinned_count, pinned_room;
static long counts[KINDS];
static fault *faults;
static FILE *trace;
static int devices = -1;
static char soc[64] = "Ascend910B3";
static context primary[MAX_DEVICES];
static __thread context *current;
static __thread char *kept;
static __thread char *fresh;

// ---- configuration: SOFTCARD_DEVICES, SOFTCARD_SOC, SOFTCARD_FAULT, SOFTCARD_COMPUTE, SOFTCARD_TRACE and
// ASCEND_RT_VISIBLE_DEVICES, read once at the first call

// KIND:NAME:NTH[:CODE[:DEVICE]], separated by semicolons; of a device, calls for it count only. fail: the nth call returns CODE. lost: so do that call and all
// after it. async: the nth execution fails in its stream. hang: it never ends while the fault is set. wrong: its
// result is another. NAME may be * for all.
static void parse_faults(const char *specification) {
    char *copy = strdup(specification), *rest = NULL;
    for (char *one = strtok_r(copy, ";", &rest); one; one = strtok_r(NULL, ";", &rest)) {
        fault *f = calloc(1, sizeof *f);
        f->device = -1;
        if (sscanf(one, "%7[^:]:%63[^:]:%ld:%d:%d", f->kind, f->name, &f->nth, &f->code, &f->device) < 3) {
            fprintf(stderr, "softcard: not a fault: %s\n", one);
            abort();
        }
        f->next = faults;
        faults = f;
    }
    free(copy);
}

static void configure(void) {
    static bool done;
    if (done) {
        return;
    }
    done = true;
    const char *value = getenv("SOFTCARD_DEVICES");
    int real = value ? atoi(value) : 2;
    devices = real < 0 || real > MAX_DEVICES ? 0 : real;
    if ((value = getenv("SOFTCARD_SOC"))) {
        snprintf(soc, sizeof soc, "%s", value);
    }
    if ((value = getenv("SOFTCARD_FAULT"))) {
        parse_faults(value);
    }
    if ((value = getenv("SOFTCARD_COMPUTE"))) {
        computes = atoi(value) != 0;
    }
    if ((value = getenv("SOFTCARD_TRACE"))) {
        trace = fopen(value, "a");
    }
    if ((value = getenv("ASCEND_RT_VISIBLE_DEVICES"))) {
        int visible = 0, previous = -1;
        while (*value >= '0' && *value <= '9') {
            char *end;
            long id = strtol(value, &end, 10);
            if (id >= devices || (*end && *end != ',')) {
                break;
            }
            if (id <= previous) {
                visible = 0;
                break;
            }
            previous = (int)id;
            visible++;
            value = *end == ',' ? end + 1 : end;
        }
        devices = visible;
    }
    for (int i = 0; i < MAX_DEVICES; i++) {
        primary[i] = (context){MAGIC_CONTEXT, i, NULL};
    }
    space = mmap(NULL, SPACE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    bytes = mmap(NULL, SPACE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED || bytes == MAP_FAILED) {
        fprintf(stderr, "softcard: no address space\n");
        abort();
    }
}

// ---- errors, faults, trace, counts

void card_say(const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    free(fresh);
    fresh = strdup(text);
}

// new text comes in front of what was kept, which is never cleared
API const char *aclGetRecentErrMsg(void) {
    if (fresh) {
        char *joined = NULL;
        if (asprintf(&joined, "%s%s%s", fresh, kept ? "\n" : "", kept ? kept : "") < 0) {
            return kept;
        }
        free(kept);
        free(fresh);
        fresh = NULL;
        kept = joined;
    }
    return kept;
}

static int refuse(int code, const char *why) {
    card_say("EE1001: %s", why);
    return code;
}

static fault *hit(const char *kind, const char *name) {
    for (fault *f = faults; f; f = f->next) {
        bool here = f->device < 0 || (current && current->device == f->device);
        if (here && strcmp(f->kind, kind) == 0 && (strcmp(f->name, "*") == 0 || strcmp(f->name, name) == 0)) {
            f->seen++;
            if (f->seen == f->nth || (f->seen > f->nth && strcmp(kind, "lost") == 0)) {
                return f;
            }
        }
    }
    return NULL;
}

int card_enter(const char *call) {
    pthread_mutex_lock(&lock);
    configure();
    fault *found = hit("lost", call);
    if (!found) {
        found = hit("fail", call);
    }
    int code = found ? found->code : 0;
    if (trace) {
        fprintf(trace, "%ld %d %s %d\n", (long)syscall(SYS_gettid), current ? current->device : -1, call, code);
        fflush(trace);
    }
    pthread_mutex_unlock(&lock);
    if (code) {
        card_say("EE9999: injected fault in %s", call);
    }
    return code;
}

#define ENTER()                                                                                                        \
    do {                                                                                                               \
        int injected_ = card_enter(__func__);                                                                          \
        if (injected_) {                                                                                               \
            return injected_;                                                                                          \
        }                                                                                                              \
    } while (0)

// what is released is gone, whatever the call returns: so it is with a card that was lost
#define RELEASING() int injected_ = card_enter(__func__)
#define RELEASED() return injected_

#define NEED_CONTEXT()                                                                                                 \
    if (!current || current->magic != MAGIC_CONTEXT) {                                                                 \
        return refuse(ACL_ERROR_RT_CONTEXT_NULL, "no current context on this thread");                                 \
    }

bool card_wrong(const char *operator) {
    pthread_mutex_lock(&lock);
    bool wrong = hit("wrong", operator) != NULL;
    pthread_mutex_unlock(&lock);
    return wrong;
}

bool card_computes(void) {
    return computes;
}

bool card_soc(const char *prefix) {
    return strncmp(soc, prefix, strlen(prefix)) == 0;
}

void card_count(enum live what, int delta) {
    pthread_mutex_lock(&lock);
    counts[what] += delta;
    pthread_mutex_unlock(&lock);
}

// Replaces the faults; see parse_faults.
API void softcard_fault(const char *specification) {
    pthread_mutex_lock(&lock);
    configure();
    while (faults) {
        fault *next = faults->next;
        free(faults);
        faults = next;
    }
    parse_faults(specification);
    pthread_cond_broadcast(&faults_changed);
    pthread_mutex_unlock(&lock);
}

API void softcard_trace(const char *file) {
    pthread_mutex_lock(&lock);
    if (trace) {
        fclose(trace);
    }
    trace = *file ? fopen(file, "w") : NULL;
    pthread_mutex_unlock(&lock);
}

API long softcard_live(int what) {
    pthread_mutex_lock(&lock);
    long live = counts[what];
    pthread_mutex_unlock(&lock);
    return live;
}

// without computing, a call costs what the interface costs
API void softcard_compute(int on) {
    computes = on != 0;
}

API void softcard_soc(const char *name) {
    configure();
    snprintf(soc, sizeof soc, "%s", name);
}

API void softcard_memory(uint64_t limit) {
    memory_limit = limit;
}

// ---- process and devices

API int aclInit(const char *config) {
    (void)config;
    ENTER();
    if (initialised) {
        return ACL_ERROR_REPEAT_INITIALIZE;
    }
    initialised = true;
    return ACL_SUCCESS;
}

API int aclFinalize(void) {
    ENTER();
    if (finalised || !initialised) {
        return ACL_ERROR_REPEAT_FINALIZE;
    }
    finalised = true;
    return ACL_SUCCESS;
}

API const char *aclrtGetSocName(void) {
    configure();
    return soc;
}

API int aclrtGetVersion(int32_t *major, int32_t *minor, int32_t *patch) {
    *major = 1;
    *minor = 17;
    *patch = 0;
    return ACL_SUCCESS;
}

API int aclrtGetDeviceCount(uint32_t *count) {
    ENTER();
    *count = (uint32_t)devices;
    return devices ? ACL_SUCCESS : refuse(ACL_ERROR_RT_NO_DEVICE, "no device is visible");
}

static int known(int32_t id) {
    return id >= 0 && id < devices ? ACL_SUCCESS : refuse(ACL_ERROR_RT_INVALID_DEVICEID, "no such device");
}

API int aclrtSetDevice(int32_t id) {
    ENTER();
    int status = known(id);
    if (!status) {
        current = &primary[id];
    }
    return status;
}

API int aclrtGetDevice(int32_t *id) {
    ENTER();
    NEED_CONTEXT();
    *id = current->device;
    return ACL_SUCCESS;
}

API int aclrtResetDevice(int32_t id) {
    RELEASING();
    int status = known(id);
    if (!status && current == &primary[id]) {
        current = NULL;
    }
    return status ? status : injected_;
}

API int aclrtCreateContext(void **out, int32_t id) {
    ENTER();
    int status = known(id);
    if (status) {
        return status;
    }
    context *made = malloc(sizeof *made);
    *made = (context){MAGIC_CONTEXT, id, NULL};
    card_count(CONTEXTS, 1);
    current = made;
    *out = made;
    return ACL_SUCCESS;
}

API int aclrtDestroyContext(void *handle) {
    RELEASING();
    context *c = handle;
    if (!c || c->magic != MAGIC_CONTEXT) {
        return refuse(ACL_ERROR_RT_PARAM_INVALID, "not a context");
    }
    // the memory stays: other threads may still hold the handle, and must be told that it is none
    c->magic = 0;
    if (current == c) {
        current = NULL;
    }
    card_count(CONTEXTS, -1);
    RELEASED();
}

API int aclrtSetCurrentContext(void *handle) {
    ENTER();
    context *c = handle;
    if (!c || c->magic != MAGIC_CONTEXT) {
        return refuse(ACL_ERROR_RT_PARAM_INVALID, "not a context");
    }
    current = c;
    return ACL_SUCCESS;
}

API int aclrtGetCurrentContext(void **out) {
    ENTER();
    NEED_CONTEXT();
    *out = current;
    return ACL_SUCCESS;
}

API int aclrtGetMemInfo(int attribute, size_t *left, size_t *total) {
    (void)attribute;
    ENTER();
    NEED_CONTEXT();
    *total = memory_limit;
    *left = memory_limit - used[current->device];
    return ACL_SUCCESS;
}

// ---- memory

bool card_is_device(const void *address) {
    return (const char *)address >= space && (const char *)address < space + SPACE;
}

// index of the block that starts at or before `at`
static int before(uint64_t at) {
    int low = 0, high = block_count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (blocks[middle].at <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low - 1;
}

void *card_real(const void *address, size_t size) {
    if (!card_is_device(address)) {
        return NULL;
    }
    uint64_t at = (uint64_t)((const char *)address - space);
    pthread_mutex_lock(&lock);
    int found = before(at);
    bool inside = found >= 0 && at + size <= blocks[found].at + blocks[found].size;
    pthread_mutex_unlock(&lock);
    return inside ? bytes + at : NULL;
}

API int aclrtMalloc(void **out, size_t size, int policy) {
    (void)policy;
    ENTER();
    NEED_CONTEXT();
    if (!out || !size) {
        return refuse(ACL_ERROR_RT_PARAM_INVALID, "size must not be zero");
    }
    uint64_t wanted = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    pthread_mutex_lock(&lock);
    if (used[current->device] + wanted > memory_limit) {
        pthread_mutex_unlock(&lock);
        return refuse(ACL_ERROR_RT_MEMORY_ALLOCATION, "device memory is used up");
    }
    uint64_t at = ALIGNMENT;
    int place = 0;
    // a gap between blocks, so that running over the end of one meets nothing
    for (; place < block_count && at + wanted + ALIGNMENT > blocks[place].at; place++) {
        at = blocks[place].at + blocks[place].size + ALIGNMENT;
    }
    if (at + wanted > SPACE) {
        pthread_mutex_unlock(&lock);
        return refuse(ACL_ERROR_RT_MEMORY_ALLOCATION, "address space is used up");
    }
    if (block_count == block_room) {
        block_room = block_room ? 2 * block_room : 64;
        blocks = realloc(blocks, (size_t)block_room * sizeof *blocks);
    }
    memmove(blocks + place + 1, blocks + place, (size_t)(block_count - place) * sizeof *blocks);
    blocks[place] = (block){at, wanted, current->device};
    block_count++;
    used[current->device] += wanted;
    counts[DEVICE_MEMORY]++;
    pthread_mutex_unlock(&lock);
    // fresh memory holds anything but zeros: as floats, NaN
    memset(bytes + at, 0xFF, wanted < (1 << 24) ? wanted : 1 << 24);
    *out = space + at;
    return ACL_SUCCESS;
}

API int aclrtFree(void *address) {
    RELEASING();
    NEED_CONTEXT();
    pthread_mutex_lock(&lock);
    int found = card_is_device(address) ? before((uint64_t)((char *)address - space)) : -1;
    if (found < 0 || blocks[found].at != (uint64_t)((char *)address - space)) {
        pthread_mutex_unlock(&lock);
        return refuse(ACL_ERROR_RT_PARAM_INVALID, "not an allocated device address");
    }
    block freed = blocks[found];
    used[freed.device] -= freed.size;
    memmove(blocks + found, blocks + found + 1, (size_t)(block_count - found - 1) * sizeof *blocks);
    block_count--;
    counts[DEVICE_MEMORY]--;
    pthread_mutex_unlock(&lock);
    madvise(bytes + freed.at / 4096 * 4096 + 4096, freed.size > 8192 ? freed.size / 4096 * 4096 - 4096 : 0, MADV_DONTNEED);
    RELEASED();
}

API int aclrtMallocHost(void **out, size_t size) {
    ENTER();
    NEED_CONTEXT();
    if (!out || !size) {
        return refuse(ACL_ERROR_RT_PARAM_INVALID, "size must not be zero");
    }
    size_t *memory = malloc(size + 64);
    *memory = size;
    pthread_mutex_lock(&lock);
    if (pinned_count == pinned_room) {
        pinned_room = pinned_room ? 2 * pinned_room : 16;
        pinned = realloc(pinned, (size_t)pinned_room * sizeof *pinned);
    }
    *out = pinned[pinned_count++] = (char *)memory + 64;
    counts[PINNED_MEMORY]++;
    pthread_mutex_unlock(&lock);
    return ACL_SUCCESS;
}

API int aclrtFreeHost(void *address) {
    RELEASING();
    pthread_mutex_lock(&lock);
    for (int i = 0; i < pinned_count; i++) {
        if (pinned[i] == address) {
            pinned[i] = pinned[--pinned_count];
            counts[PINNED_MEMORY]--;
            pthread_mutex_unlock(&lock);
            free((char *)address - 64);
            RELEASED();
        }
    }
    pthread_mutex_unlock(&lock);
    return refuse(ACL_ERROR_RT_PARAM_INVALID, "not an address of aclrtMallocHost");
}

static bool is_pinned(const void *address, size_t size) {
    bool found = false;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < pinned_count && !found; i++) {
        const char *from = pinned[i];
        size_t whole = *(size_t *)(from - 64);
        found = (const char *)address >= from && (const char *)address + size <= from + whole;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

enum { HOST_TO_HOST, HOST_TO_DEVICE, DEVICE_TO_HOST, DEVICE_TO_DEVICE };

typedef struct {
    void *to;
    const void *from;
    size_t count;
    int value;
} transfer;

// resolves both ends of a copy, or says what is wrong with it
static int resolve(void *to, size_t room, const void *from, size_t count, int kind, bool async, transfer *out) {
    if (kind < HOST_TO_HOST || kind > DEVICE_TO_DEVICE || count > room || !count) {
        return refuse(ACL_ERROR_RT_PARAM_INVALID, "copy: kind or count out of range");
    }
    bool to_device = kind == HOST_TO_DEVICE || kind == DEVICE_TO_DEVICE;
    bool from_device = kind == DEVICE_TO_HOST || kind == DEVICE_TO_DEVICE;
    if (to_device != card_is_device(to) || from_device != card_is_device(from)) {
        return refuse(ACL_ERROR_RT_PARAM_INVALID, "copy: an address does not lie where the kind says");
    }
    out->to = to_device ? card_real(to, count) : to;
    out->from = from_device ? card_real(from, count) : from;
    out->count = count;
    if (!out->to || !out->from) {
        return refuse(ACL_ERROR_RT_PARAM_INVALID, "copy: beyond an allocation");
    }
    if (async && ((!to_device && !is_pinned(to, count)) || (!from_device && !is_pinned(from, count)))) {
        return refuse(ACL_ERROR_RT_PARAM_INVALID, "copy: asynchronous, but host memory is not pinned");
    }
    return ACL_SUCCESS;
}

static int run_transfer(void *task) {
    transfer *t = task;
    if (t->from) {
        memmove(t->to, t->from, t->count);
    } else {
        memset(t->to, t->value, t->count);
    }
    free(t);
    return 0;
}

API int aclrtMemcpy(void *to, size_t room, const void *from, size_t count, int kind) {
    ENTER();
    NEED_CONTEXT();
    transfer t = {0};
    int status = resolve(to, room, from, count, kind, false, &t);
    if (!status) {
        memmove(t.to, t.from, t.count);
    }
    return status;
}

API int aclrtMemcpyAsync(void *to, size_t room, const void *from, size_t count, int kind, void *s) {
    ENTER();
    NEED_CONTEXT();
    transfer t = {0};
    int status = resolve(to, room, from, count, kind, true, &t);
    if (status) {
        return status;
    }
    transfer *task = malloc(sizeof *task);
    *task = t;
    return card_enqueue(s, __func__, run_transfer, task);
}

API int aclrtMemsetAsync(void *to, size_t room, int32_t value, size_t count, void *s) {
    ENTER();
    NEED_CONTEXT();
    void *real = count && count <= room ? card_real(to, count) : NULL;
    if (!real) {
        return refuse(ACL_ERROR_RT_PARAM_INVALID, "memset: not device memory of that size");
    }
    transfer *task = malloc(sizeof *task);
    *task = (transfer){real, NULL, count, value};
    return card_enqueue(s, __func__, run_transfer, task);
}

// ---- streams and events

static void *work(void *argument) {
    stream *s = argument;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (!s->first && !s->closing) {
            pthread_cond_wait(&s->changed, &s->lock);
        }
        if (!s->first) {
            break;
        }
        job *j = s->first;
        s->first = j->next;
        s->last = s->first ? s->last : NULL;
        s->busy = true;
        bool dead = s->error != 0 || s->closing;
        pthread_mutex_unlock(&s->lock);

        pthread_mutex_lock(&lock);
        fault *failing = hit("async", j->what);
        int code = failing ? failing->code : 0;
        fault *hanging = dead ? NULL : hit("hang", j->what);
        while (hanging && faults && !s->closing) {
            pthread_cond_wait(&faults_changed, &lock);
        }
        pthread_mutex_unlock(&lock);
        // a job must always release its task; in a dead stream nothing depends on its result any more
        int status = j->run(j->task);
        free(j);

        pthread_mutex_lock(&s->lock);
        s->error = s->error ? s->error : code ? code : status;
        s->busy = false;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

API int aclrtCreateStream(void **out) {
    ENTER();
    NEED_CONTEXT();
    stream *s = calloc(1, sizeof *s);
    s->magic = MAGIC_STREAM;
    s->context = current;
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &clock);
    pthread_mutex_init(&s->lock, NULL);
    pthread_create(&s->worker, NULL, work, s);
    card_count(STREAMS, 1);
    *out = s;
    return ACL_SUCCESS;
}

static int check_stream(stream *s) {
    NEED_CONTEXT();
    if (!s || s->magic != MAGIC_STREAM) {
        return refuse(ACL_ERROR_RT_PARAM_INVALID, "not a stream");
    }
    return s->context == current ? ACL_SUCCESS
                                 : refuse(ACL_ERROR_RT_STREAM_CONTEXT, "the stream is not of the current context");
}

API int aclrtDestroyStreamForce(void *handle) {
    RELEASING();
    stream *s = handle;
    int status = check_stream(s);
    if (status) {
        return status;
    }
    pthread_mutex_lock(&s->lock);
    s->closing = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&faults_changed);
    pthread_mutex_unlock(&lock);
    pthread_join(s->worker, NULL);
    s->magic = 0;
    card_count(STREAMS, -1);
    RELEASED();
}

int card_enqueue(void *handle, const char *what, int (*run)(void *), void *task) {
    stream *s = handle;
    int status = check_stream(s);
    if (status) {
        run(task);
        return status;
    }
    job *j = calloc(1, sizeof *j);
    *j = (job){NULL, what, run, task};
    pthread_mutex_lock(&s->lock);
    if (s->last) {
        s->last->next = j;
    } else {
        s->first = j;
    }
    s->last = j;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return ACL_SUCCESS;
}

API int aclrtSynchronizeStreamWithTimeout(void *handle, int32_t milliseconds) {
    ENTER();
    stream *s = handle;
    int status = check_stream(s);
    if (status) {
        return status;
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += milliseconds % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&s->lock);
    int waited = 0;
    while ((s->first || s->busy) && !waited) {
        waited = milliseconds < 0 ? pthread_cond_wait(&s->changed, &s->lock)
                                  : pthread_cond_timedwait(&s->changed, &s->lock, &until);
    }
    int error = s->error;
    pthread_mutex_unlock(&s->lock);
    if (waited) {
        return refuse(ACL_ERROR_RT_STREAM_SYNC_TIMEOUT, "the stream did not finish in time");
    }
    return error ? refuse(error, "an earlier task of the stream failed") : ACL_SUCCESS;
}

API int aclrtSynchronizeStream(void *handle) {
    return aclrtSynchronizeStreamWithTimeout(handle, -1);
}

typedef struct {
    event *of;
    uint64_t generation;
} mark;

static int run_record(void *task) {
    mark *m = task;
    pthread_mutex_lock(&m->of->lock);
    m->of->reached = m->generation;
    pthread_cond_broadcast(&m->of->changed);
    pthread_mutex_unlock(&m->of->lock);
    free(m);
    return 0;
}

static int run_wait(void *task) {
    mark *m = task;
    pthread_mutex_lock(&m->of->lock);
    while (m->of->reached < m->generation) {
        pthread_cond_wait(&m->of->changed, &m->of->lock);
    }
    pthread_mutex_unlock(&m->of->lock);
    free(m);
    return 0;
}

API int aclrtCreateEvent(void **out) {
    ENTER();
    NEED_CONTEXT();
    event *e = calloc(1, sizeof *e);
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->changed, NULL);
    card_count(EVENTS, 1);
    *out = e;
    return ACL_SUCCESS;
}

API int aclrtDestroyEvent(void *handle) {
    RELEASING();
    card_count(EVENTS, -1);
    free(handle);
    RELEASED();
}

API int aclrtRecordEvent(void *handle, void *s) {
    ENTER();
    event *e = handle;
    mark *m = malloc(sizeof *m);
    *m = (mark){e, ++e->recorded};
    return card_enqueue(s, __func__, run_record, m);
}

API int aclrtStreamWaitEvent(void *s, void *handle) {
    ENTER();
    event *e = handle;
    mark *m = malloc(sizeof *m);
    *m = (mark){e, e->recorded};
    return card_enqueue(s, __func__, run_wait, m);
}

API int aclrtSynchronizeEvent(void *handle) {
    ENTER();
    event *e = handle;
    mark *m = malloc(sizeof *m);
    *m = (mark){e, e->recorded};
    return run_wait(m);
}
