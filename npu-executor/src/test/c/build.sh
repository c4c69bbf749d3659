#!/bin/sh
# Compiles the software card: build.sh OUTPUT_DIRECTORY. OUTPUT/latest/ has libascendcl.so, libnnopbase.so and
# libopapi.so, OUTPUT/8.1/ the same without the operators that CANN 8.1 lacks.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
output=$1
cc=${CC:-cc}

is_new() {
    [ -f "$1" ] && [ -z "$(find "$here" -newer "$1")" ]
}

compile() {
    "$cc" -std=gnu11 -O2 -ftree-vectorize -Wall -Wextra -fPIC -shared -fvisibility=hidden -ffp-contract=off \
        -Wl,-z,noexecstack -Wl,-rpath,"\$ORIGIN" -L"$output/latest" -o "$@"
}

is_new "$output/8.1/libopapi.so" && exit
mkdir -p "$output/latest" "$output/8.1"
# names of their own, so that whoever asks the loader for CANN's does not get these because they are loaded
compile "$output/latest/libascendcl.so" -Wl,-soname,libsoftcard-ascendcl.so "$here/runtime.c" -lpthread
compile "$output/latest/libnnopbase.so" -Wl,-soname,libsoftcard-nnopbase.so "$here/base.c" -lascendcl
compile "$output/latest/libopapi.so" "$here/operators.c" -lnnopbase -lascendcl -lm
# one runtime for both: the loader would take the first one's for the other's all the same
ln -sf ../latest/libascendcl.so ../latest/libnnopbase.so "$output/8.1/"
for name in ascendcl nnopbase; do
    ln -sf "lib$name.so" "$output/latest/libsoftcard-$name.so"
    ln -sf "../latest/lib$name.so" "$output/8.1/libsoftcard-$name.so"
done
compile "$output/8.1/libopapi.so" -DCANN_8_1 "$here/operators.c" -lnnopbase -lascendcl -lm
