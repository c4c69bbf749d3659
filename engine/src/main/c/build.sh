#!/bin/sh
# Compiles the native kernels: build.sh OUTPUT_DIRECTORY. One library per platform whose compiler is here:
# OUTPUT/linux-x86_64/libmillrace.so, OUTPUT/linux-aarch64/libmillrace.so. Without a compiler it says so and succeeds,
# since the Vector API ring computes everything too.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
output=$1
common="-std=c11 -O3 -Wall -Wextra -Wno-unused-parameter -Wno-unused-function -fPIC -fvisibility=hidden
    -ffp-contract=off -fno-trapping-math"

# platform, compiler, then pairs of source and its options
compile() {
    platform=$1 cc=$2
    shift 2
    target=$output/$platform
    if [ -f "$target/libmillrace.so" ] && [ -z "$(find "$here" -newer "$target/libmillrace.so")" ]; then
        return
    fi
    rm -f "$target/libmillrace.so"
    # a cross compiler may come without its C library
    if ! echo '#include <string.h>' | "$cc" -fsyntax-only -x c - 2> /dev/null; then
        echo "native kernels for $platform: not built, since there is no working $cc; the Vector API ring computes there"
        return
    fi
    work=$(mktemp -d)
    mkdir -p "$target"
    while [ $# -gt 0 ]; do
        # shellcheck disable=SC2086 # options are words
        "$cc" $common $2 -c "$here/$1" -o "$work/$#.o"
        shift 2
    done
    "$cc" -shared -s -o "$target/libmillrace.so" "$work"/*.o -lm
    rm -rf "$work"
}

x86_64() {
    avx2="-mavx2 -mfma -mf16c"
    avx512="-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mavx512vbmi -mfma -mf16c -mbmi2"
    amx="$avx512 -mavx512bf16 -mamx-tile -mamx-bf16"
    compile linux-x86_64 "$1" dispatch.c "" ceiling.c "" avx2.c "$avx2" avx2.c "$avx2 -mavxvnni" \
        avx512_int8.c "$avx512" avx512_float.c "$avx512" amx.c "$amx" amx_attention.c "$amx" amx_index.c "$amx" \
        tables.c ""
}

aarch64() {
    compile linux-aarch64 "$1" dispatch.c "" ceiling.c "" neon.c "-march=armv8-a" neon.c "-march=armv8.2-a+dotprod" \
        neon.c "-march=armv8.2-a+dotprod+i8mm"
}

# the other platform's compiler has the name that Debian, Ubuntu and Fedora give it
case $(uname -s)-$(uname -m) in
Linux-x86_64)
    x86_64 "${CC:-cc}"
    aarch64 aarch64-linux-gnu-gcc
    ;;
Linux-aarch64)
    aarch64 "${CC:-cc}"
    x86_64 x86_64-linux-gnu-gcc
    ;;
*)
    echo "native kernels: not built on $(uname -s) $(uname -m); the Vector API ring computes instead"
    ;;
esac
