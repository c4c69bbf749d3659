// Multiplies what it is told to on standard input and answers on standard output, in the machine's own numbers: so a
// test can ask the library of another platform under an emulator. Every buffer ends where a forbidden page begins.
//
// First it says which levels it has: an int32 for each of 1 to 7. A question is struct question, then w, its scales and
// x; the answer is the arithmetic, an int32, then y [rows][w rows].
#define _GNU_SOURCE
#include "millrace.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct question {
    int32_t level, rows, chunk, data_bytes, scale_bytes;
    int32_t shape[7]; // as millrace_product has it
};

static void stop(const char *why) {
    fprintf(stderr, "products: %s\n", why);
    exit(1);
}

// A buffer whose end is the end of what may be touched.
struct guarded {
    uint8_t *start, *pages;
    size_t length;
};

static struct guarded allocate(int64_t bytes) {
    size_t page = (size_t) sysconf(_SC_PAGESIZE), length = ((size_t) bytes + page - 1) / page * page;
    uint8_t *pages = mmap(NULL, length + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + length, page, PROT_NONE) != 0) {
        stop("expected memory, got none");
    }
    return (struct guarded) {pages + length - bytes, pages, length + page};
}

static void release(struct guarded buffer) { munmap(buffer.pages, buffer.length); }

static struct guarded receive(int64_t bytes) {
    struct guarded buffer = allocate(bytes);
    if (bytes > 0 && fread(buffer.start, (size_t) bytes, 1, stdin) != 1) {
        stop("expected more input, got its end");
    }
    return buffer;
}

static int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

static void answer(const struct question *q) {
    int32_t outputs = q->shape[1], cols = q->shape[2], arithmetic = millrace_arithmetic(q->level, q->shape[0]);
    struct guarded data = receive(q->data_bytes), scales = receive(q->scale_bytes),
                   x = receive(4 * (int64_t) q->rows * cols), y = allocate(4 * (int64_t) q->rows * outputs),
                   packed = allocate(aligned(millrace_packed_bytes(arithmetic, q->rows, cols))),
                   scratch = allocate(aligned(millrace_scratch_bytes(arithmetic, q->chunk, cols)));
    millrace_pack(q->level, arithmetic, (float *) x.start, cols, q->rows, cols, 0, (q->rows + 15) / 16, packed.start);
    for (int32_t first = 0; first < outputs; first += q->chunk) {
        int32_t count = outputs - first < q->chunk ? outputs - first : q->chunk;
        millrace_product(q->level, arithmetic, (float *) x.start, cols, packed.start, q->rows, data.start,
                         q->scale_bytes > 0 ? scales.start : NULL, q->shape, first, count, (float *) y.start + first,
                         outputs, scratch.start);
    }
    fwrite(&arithmetic, 4, 1, stdout);
    fwrite(y.start, 4, (size_t) q->rows * (size_t) outputs, stdout);
    fflush(stdout);
    struct guarded all[] = {data, scales, x, y, packed, scratch};
    for (int i = 0; i < 6; i++) {
        release(all[i]);
    }
}

int main(void) {
    for (int32_t level = 1; level <= 7; level++) {
        int32_t has = millrace_has(level);
        fwrite(&has, 4, 1, stdout);
    }
    fflush(stdout);
    struct question q;
    while (fread(&q, sizeof q, 1, stdin) == 1) {
        answer(&q);
    }
    return 0;
}
