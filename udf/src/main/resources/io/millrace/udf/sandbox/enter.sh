# First process of the sandbox, in namespaces of its own: builds the file system, shuts everything else out, runs the
# command without any privilege, and takes all that is left with it when it ends.
#
# enter.sh CONTROL TMP SPACE PROCESSES MEMORY CPU FILE DIRECTORY [MOUNT SOURCE TARGET LAYER]... -- NAME=VALUE... COMMAND...
#
# CONTROL holds `root`, an empty directory; `input`, what the command reads; and `status`, where this says how far it
# came. Nothing in the sandbox can reach any of it. TMP is a directory or `-`, SPACE the bytes of each file system in memory.
set -eu
umask 022
control=$1 tmp=$2 space=$3 processes=$4 memory=$5 cpu=$6 file=$7 directory=$8
shift 8
root=$control/root
exec 8< "$control/input" 9> "$control/status"
read -r init _ < /proc/self/stat
echo "init $init" >&9

# a place at $2 for what is at $1
place() {
    if [ -d "$1" ]; then
        mkdir -p "$2"
    else
        mkdir -p "${2%/*}"
        [ -e "$2" ] || : > "$2"
    fi
}

# every mount at or below $1 is read-only from now on
freeze() {
    while read -r _ _ _ _ point _; do
        case $point in
            *\\*) point=$(printf %b "$point") ;;
        esac
        case $point in
            "$1" | "$1"/*) mount -o remount,bind,ro "$point" ;;
        esac
    done < /proc/self/mountinfo
}

readonly_mount() {
    place "$1" "$2"
    mount --rbind "$1" "$2"
    freeze "$2"
}

mount -t tmpfs -o mode=0755,size=16m,nosuid,nodev tmpfs "$root"
mkdir "$root/proc" "$root/dev" "$root/dev/shm" "$root/dev/pts" "$root/etc" "$root/tmp"

# the system
for name in usr bin sbin lib lib32 lib64 libx32; do
    if [ -L "/$name" ]; then
        cp -P "/$name" "$root/$name"
    elif [ -d "/$name" ]; then
        readonly_mount "/$name" "$root/$name"
    fi
done
for name in alternatives ld.so.cache localtime services protocols mime.types maven /etc/java-*-openjdk /etc/python3*; do
    name=${name#/etc/}
    if [ -r "/etc/$name" ]; then
        cp -rP "/etc/$name" "$root/etc/$name"
    fi
done
if [ -d /etc/ssl/certs ]; then
    readonly_mount /etc/ssl/certs "$root/etc/ssl/certs"
fi
echo 'root:x:0:0:root:/tmp:/bin/sh' > "$root/etc/passwd"
echo 'root:x:0:' > "$root/etc/group"
echo '127.0.0.1 localhost' > "$root/etc/hosts"
printf '[safe]\n\tdirectory = *\n' > "$root/etc/gitconfig"

# devices
for name in null zero full random urandom; do
    : > "$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o "mode=1777,size=$space,nosuid,nodev" tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,nosuid,noexec devpts "$root/dev/pts"

# what the caller gives
if [ "$tmp" = - ]; then
    mount -t tmpfs -o "mode=1777,size=$space,nosuid,nodev" tmpfs "$root/tmp"
else
    mount --bind "$tmp" "$root/tmp"
fi
while [ "$1" != -- ]; do
    target=$root$3
    case $1 in
        read-only) readonly_mount "$2" "$target" ;;
        writable)
            place "$2" "$target"
            mount --rbind "$2" "$target"
            ;;
        overlay)
            mkdir -p "$4/upper" "$4/work"
            place "$2" "$target"
            mount -t overlay -o "userxattr,lowerdir=$2,upperdir=$4/upper,workdir=$4/work" overlay "$target"
            ;;
    esac
    shift 4
done
shift

# processes: none but its own are to be seen, and the kernel's switches are shut (files of uid 0 obey uid 0 otherwise)
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
echo 0 > "$root/proc/sys/user/max_user_namespaces"
read -r release < /proc/sys/kernel/osrelease
minor=${release#*.}
version=$((${release%%.*} * 1000 + ${minor%%[!0-9]*}))
# from 5.14 on the limit counts the processes of this user namespace; before, all of the user
count=
if [ $version -ge 5014 ]; then
    count=--nproc=$processes
fi
# from 6.14 on each PID namespace has a largest number of its own; after the first round numbers begin at 300
if [ $version -ge 6014 ]; then
    echo $((processes + 300)) > "$root/proc/sys/kernel/pid_max"
fi
for name in sys sysrq-trigger irq bus fs acpi scsi; do
    if [ -e "$root/proc/$name" ]; then
        mount --bind "$root/proc/$name" "$root/proc/$name"
        mount -o remount,bind,ro "$root/proc/$name"
    fi
done
for name in kcore keys timer_list latency_stats sched_debug; do
    if [ -e "$root/proc/$name" ]; then
        mount --bind /dev/null "$root/proc/$name"
    fi
done

# its own loopback, where there is a tool to raise it
if command -v ip > /dev/null; then
    ip link set lo up
fi

mkdir "$root/.outside"
cd "$root"
pivot_root . .outside
cd /
umount -l /.outside
rmdir /.outside
mount -o remount,bind,ro /
cd "$directory"

# what the shell has to say of a command that is killed is not the command's
exec 7>&2 2> /dev/null
echo ready >&9
code=0
cat <&8 9>&- | prlimit $count --data=$((2 * memory)) --cpu="$cpu":$((cpu + 1)) --fsize="$file" --core=0 --nofile=4096 \
    setpriv --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set=-all \
    env -i "$@" 2>&7 7>&- 8<&- 9>&- || code=$?
echo "exit $code" >&9
exit $code
