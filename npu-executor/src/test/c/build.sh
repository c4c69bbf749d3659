#!/bin/sh
# Compiles the software card: build.sh OUTPUT_DIRECTORY. OUTPUT/latest/ has libascendcl.so, libnnopbase.so and
# libopapi.so, OUTPUT/8.1/ the same without the operators that CANN 8.1 lacks.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
output=$1
cc=${CC:-cc}

compile() {
    target=$output/$1
    if [ -f "$target/libopapi.so" ] && [ -z "$(find "$here" -newer "$target/libopapi.so")" ]; then
        return
    fi
    mkdir -p "$target"
    common="-std=gnu11 -O2 -ftree-vectorize -Wall -Wextra -fPIC -shared -fvisibility=hidden -ffp-contract=off
        -Wl,-z,noexecstack -Wl,-rpath,\$ORIGIN -L$target $2"
    # shellcheck disable=SC2086 # options are words
    {
        "$cc" $common -o "$target/libascendcl.so" "$here/runtime.c" -lpthread
        "$cc" $common -o "$target/libnnopbase.so" "$here/base.c" -lascendcl
        "$cc" $common -o "$target/libopapi.so" "$here/operators.c" -lnnopbase -lascendcl -lm
    }
}

compile latest ""
compile 8.1 -DCANN_8_1
