package io.millrace.npu;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.npu.cards.AclStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One card, held by one context with two streams: computing and copying.
///
/// 1. A context belongs to a thread until another takes its place: whoever enters from outside calls
///    {@link #use} first. Virtual threads must not enter, they change their carrier between calls.
/// 2. What was allocated is freed before the context is destroyed; what is not is named in the log.
/// 3. A stream runs in order, so memory given back is used again by later work of the compute stream
///    without waiting; the copy stream waits for the compute stream before it writes, and is waited for
///    before its result is read.
/// 4. Failures of the device arrive late, when the host waits: the message then names the last call made.
/// 5. The device is never reset: that would destroy the streams of everyone else in this process.
@SuppressWarnings("restricted") // text of the library is read where the library says that it is
final class Card implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Card.class.getName());
    private static final int REPEATED_INIT = 100002;
    private static final int HUGE_PAGES_FIRST = 0;
    private static final int HBM = 1;
    private static final ThreadLocal<@Nullable Card> CURRENT = new ThreadLocal<>();
    private static final ThreadLocal<String> SAID = ThreadLocal.withInitial(() -> "");

    /// Directions of a copy: `aclrtMemcpyKind`.
    enum Direction {
        TO_DEVICE(1),
        FROM_DEVICE(2),
        ON_DEVICE(3);

        private final int code;

        Direction(int code) {
            this.code = code;
        }
    }

    final Acl acl;
    final int id;
    private final String soc;
    private final Duration patience;
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment result = arena.allocate(2 * Long.BYTES, Long.BYTES);
    private final Set<DeviceMemory> live = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<Long> events = new ArrayList<>();
    private long context;
    private long computeStream;
    private long copyStream;
    private final Deque<Object> calls = new ArrayDeque<>();

    private Card(Acl acl, int id, String soc, Duration patience) {
        this.acl = acl;
        this.id = id;
        this.soc = soc;
        this.patience = patience;
    }

    /// @param id as `aclrtSetDevice` counts
    /// @param patience how long the host waits for the card before it gives it up
    /// @throws EngineException DEVICE_FAILED if the card cannot be had
    static Card open(Acl acl, int id, Duration patience) {
        int status = acl.init().call(0L);
        Card card = new Card(acl, id, text(acl.socName().get()), patience);
        try {
            if (status != REPEATED_INIT) {
                card.check("aclInit", status);
            }
            card.check("aclrtSetDevice", acl.setDevice().call(id));
            card.context = card.handle("aclrtCreateContext", acl.createContext().call(card.result.address(), id));
            CURRENT.set(card);
            card.computeStream =
                    card.handle("aclrtCreateStream", acl.createStream().call(card.result.address()));
            card.copyStream =
                    card.handle("aclrtCreateStream", acl.createStream().call(card.result.address()));
            return card;
        } catch (RuntimeException e) {
            card.close();
            throw e;
        }
    }

    private long handle(String call, int status) {
        check(call, status);
        return result.get(ValueLayout.JAVA_LONG, 0);
    }

    /// Makes this card the calling thread's.
    void use() {
        if (CURRENT.get() != this) {
            check("aclrtSetCurrentContext", acl.setCurrentContext().call(context));
            CURRENT.set(this);
        }
    }

    /// As `aclrtSetDevice` counts.
    int id() {
        return id;
    }

    /// Name of the chip.
    String soc() {
        return soc;
    }

    /// For messages.
    @Override
    public String toString() {
        return "npu " + id + " (" + soc + ")";
    }

    long computeStream() {
        return computeStream;
    }

    long copyStream() {
        return copyStream;
    }

    /// Remembers what is about to be called, for the message of a failure that arrives later.
    void calling(Object call) {
        if (calls.size() == 3) {
            calls.removeFirst();
        }
        calls.addLast(call);
    }

    void check(Object call, int status) {
        if (status != 0) {
            throw failure(call, status);
        }
    }

    EngineException failure(Object call, int status) {
        AclStatus known = AclStatus.of(status);
        String said = said();
        return new EngineException(
                ErrorCode.DEVICE_FAILED,
                call + " on " + this + ": expected status 0, got " + status + " (" + known.meaning() + ")"
                        + (said.isEmpty() ? "" : ": " + said));
    }

    /// The runtime's text keeps all that was ever said on the thread, the newest first.
    private String said() {
        String all = text(acl.recentErrMsg().get());
        String before = SAID.get();
        SAID.set(all);
        return all.endsWith(before)
                ? all.substring(0, all.length() - before.length()).strip()
                : all;
    }

    private static String text(long address) {
        return address == 0
                ? ""
                : MemorySegment.ofAddress(address).reinterpret(Long.MAX_VALUE).getString(0);
    }

    /// Bytes free and bytes in all.
    record MemoryInfo(long free, long total) {}

    MemoryInfo memory() {
        check("aclrtGetMemInfo", acl.memInfo().call(HBM, result.address(), result.address() + Long.BYTES));
        return new MemoryInfo(result.get(ValueLayout.JAVA_LONG, 0), result.get(ValueLayout.JAVA_LONG, Long.BYTES));
    }

    /// The card has no more memory; something may come back.
    static final class FullException extends Exception {
        private static final long serialVersionUID = 1L;

        /// As it is told to whoever cannot wait.
        final EngineException refusal;

        FullException(EngineException refusal) {
            super(refusal);
            this.refusal = refusal;
        }
    }

    /// Memory on the card, of undefined content.
    DeviceMemory malloc(long bytes) throws FullException {
        int status = acl.malloc().call(result.address(), bytes, HUGE_PAGES_FIRST);
        if (AclStatus.of(status) == AclStatus.OUT_OF_MEMORY) {
            throw new FullException(failure("aclrtMalloc of " + bytes + " bytes", status));
        }
        long address = handle("aclrtMalloc of " + bytes + " bytes", status);
        return keep(new DeviceMemory(this, DeviceMemory.Kind.DEVICE, address, bytes));
    }

    /// Memory of the host that the card reads and writes by itself.
    DeviceMemory mallocHost(long bytes) {
        long address = handle(
                "aclrtMallocHost of " + bytes + " bytes", acl.mallocHost().call(result.address(), bytes));
        return keep(new DeviceMemory(this, DeviceMemory.Kind.PINNED, address, bytes));
    }

    private DeviceMemory keep(DeviceMemory memory) {
        live.add(memory);
        return memory;
    }

    void free(DeviceMemory memory) {
        if (live.remove(memory)) {
            NativeFunction free = memory.kind == DeviceMemory.Kind.DEVICE ? acl.free() : acl.freeHost();
            release(free, free.call(memory.address));
        }
    }

    /// Allocations not yet closed.
    int liveCount() {
        return live.size();
    }

    void copy(Direction direction, long to, long from, long bytes, long stream) {
        calling(direction);
        int status = acl.memcpyAsync().call(to, bytes, from, bytes, direction.code, stream);
        if (status != 0) {
            throw failure("aclrtMemcpyAsync of " + bytes + " bytes " + direction, status);
        }
    }

    void zero(long address, long bytes) {
        int status = acl.memsetAsync().call(address, bytes, 0, bytes, computeStream);
        if (status != 0) {
            throw failure("aclrtMemsetAsync of " + bytes + " bytes", status);
        }
    }

    /// Waits until all that was asked of a stream is done.
    void synchronize(long stream) {
        int status = acl.synchronizeStream().call(stream, Math.toIntExact(patience.toMillis()));
        if (status != 0) {
            throw failure(
                    "waiting for the " + (stream == copyStream ? "copy" : "compute") + " stream after " + calls,
                    status);
        }
    }

    /// An event of this card, destroyed with it.
    long createEvent() {
        long event = handle("aclrtCreateEvent", acl.createEvent().call(result.address()));
        events.add(event);
        return event;
    }

    /// Later work of `waiting` begins when what `first` has been asked so far is done.
    void order(long first, long waiting, long event) {
        check("aclrtRecordEvent", acl.recordEvent().call(event, first));
        check("aclrtStreamWaitEvent", acl.streamWaitEvent().call(waiting, event));
    }

    /// What cannot be given back is lost with the process; the work that went before it is not.
    private void release(NativeFunction function, int status) {
        if (status != 0) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    failure(function.name(), status).getMessage());
        }
    }

    /// Ends all work, done or not: from then on memory may be freed.
    void stop() {
        release(acl.setCurrentContext(), acl.setCurrentContext().call(context));
        // this one first: the other may wait for what it will never do
        if (computeStream != 0) {
            release(acl.destroyStreamForce(), acl.destroyStreamForce().call(computeStream));
        }
        if (copyStream != 0) {
            release(acl.destroyStreamForce(), acl.destroyStreamForce().call(copyStream));
        }
        copyStream = 0;
        computeStream = 0;
    }

    /// Gives up the card; not to be called while another thread computes.
    @Override
    public void close() {
        if (context == 0) {
            return;
        }
        stop();
        if (!live.isEmpty()) {
            LOG.log(System.Logger.Level.WARNING, "{0}: never closed: {1}", this, live);
            List.copyOf(live).forEach(DeviceMemory::close);
        }
        events.forEach(event -> release(acl.destroyEvent(), acl.destroyEvent().call(event)));
        release(acl.destroyContext(), acl.destroyContext().call(context));
        CURRENT.remove();
        context = 0;
    }
}
