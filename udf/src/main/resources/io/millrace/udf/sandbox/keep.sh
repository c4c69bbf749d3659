# Outside the sandbox: keeps it as long as standard input, a pipe from the JVM, stays open. When that ends, because a
# limit was reached or because the JVM is gone in whatever way, `unshare` is killed and everything in the sandbox with it.
exec 3<&0
setsid unshare --user --map-root-user --mount --pid --net --ipc --uts --fork --kill-child \
    sh "$@" < /dev/null 3<&- &
sandbox=$!
{ read -r _ <&3; kill -KILL $sandbox; } > /dev/null 2>&1 &
keeper=$!
exec 3<&- 2> /dev/null
wait $sandbox
code=$?
kill $keeper
exit $code
