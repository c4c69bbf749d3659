# Sourced, not run: finds a JDK for this project. POSIX sh.
#
# find_jdk MIN   prints the home of the first JDK of at least that feature version, or fails.
# jdk_places     prints the homes that were looked at, one a line.
#
# The version is read from the file `release` in each home, so looking starts no JVM.

jdk_places() {
    if [ -n "${JAVA_HOME:-}" ]; then printf '%s\n' "$JAVA_HOME"; fi
    jdk_on_path=$(command -v javac || true)
    if [ -n "$jdk_on_path" ]; then
        jdk_on_path=$(readlink -f "$jdk_on_path" 2>/dev/null || printf '%s' "$jdk_on_path")
        dirname "$(dirname "$jdk_on_path")"
    fi
    for jdk_place in /usr/lib/jvm/* /opt/* /opt/java/* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* \
        /usr/java/* /Library/Java/JavaVirtualMachines/*/Contents/Home; do
        if [ -x "$jdk_place/bin/java" ]; then printf '%s\n' "$jdk_place"; fi
    done
}

find_jdk() {
    # every place is read to the end: a pipe closed early would fail under pipefail
    jdk_found=$(jdk_places | while IFS= read -r jdk_home; do
        [ -x "$jdk_home/bin/javac" ] && [ -r "$jdk_home/release" ] || continue
        jdk_feature=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$jdk_home/release")
        if [ "${jdk_feature:-0}" -ge "$1" ]; then printf '%s\n' "$jdk_home"; fi
    done)
    if [ -z "$jdk_found" ]; then return 1; fi
    printf '%s\n' "${jdk_found%%
*}"
}
