#!/bin/sh
# Compiles the native kernels: build.sh OUTPUT_DIRECTORY. One library per platform whose compiler is here:
# OUTPUT/linux-x86_64/libmillrace.so, OUTPUT/linux-aarch64/libmillrace.so. Without a compiler it says so and succeeds,
# since the Vector API ring computes everything too.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
output=$1
common="-std=c11 -O3 -Wall -Wextra -Wno-unused-parameter -Wno-unused-function -fPIC -fvisibility=hidden -ffp-contract=off"

# platform, compiler, then pairs of source and its options
compile() {
    platform=$1 cc=$2
    shift 2
    if ! command -v "$cc" > /dev/null; then
        echo "native kernels for $platform: not built, since there is no $cc; the Vector API ring computes instead"
        return
    fi
    target=$output/$platform
    work=$(mktemp -d)
    mkdir -p "$target"
    while [ $# -gt 0 ]; do
        # shellcheck disable=SC2086 # options are words
        "$cc" $common $2 -c "$here/$1" -o "$work/$1.o"
        shift 2
    done
    "$cc" -shared -s -o "$target/libmillrace.so" "$work"/*.o -lm
    rm -rf "$work"
}

avx512="-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mavx512vbmi -mfma -mf16c -mbmi2"
case $(uname -s)-$(uname -m) in
Linux-x86_64)
    compile linux-x86_64 "${CC:-cc}" dispatch.c "" ceiling.c "" avx512.c "$avx512" amx.c "$avx512 -mavx512bf16 -mamx-tile -mamx-bf16"
    ;;
*)
    echo "native kernels: not built on $(uname -s) $(uname -m); the Vector API ring computes instead"
    ;;
esac
