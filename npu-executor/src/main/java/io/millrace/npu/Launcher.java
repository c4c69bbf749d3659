package io.millrace.npu;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.npu.Libraries.Library;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/// Calls operators in two phases: the first checks the arguments, plans and tells how much workspace is
/// needed, the second queues the work (documentation: "two-phase API").
///
/// A plan depends on types, shapes, strides and attributes, not on where tensors lie. Decoding repeats the
/// same few hundred of them, so a plan whose executor may be repeated (`aclSetAclOpExecutorRepeatable`; some
/// operators refuse) is kept with its descriptors, and a later call only moves the addresses. The others'
/// executors die in phase 2, even when it fails.
@SuppressWarnings({"restricted", "EnumOrdinal"}) // numbers of constants mean nothing outside a process
final class Launcher implements AutoCloseable {
    private static final int FORMAT_ND = 2;
    private static final int KEPT_PLANS = 8192;

    /// A number that an operator takes as `aclScalar`.
    record Scalar(double value, AclType type) {}

    /// One tensor where an operator takes a list.
    record Single(Tensor tensor) {}

    /// Phase 1 by its arguments, and phase 2.
    private record Bound(MethodHandle plan, NativeFunction run) {}

    /// An executor with the descriptors it was planned for.
    ///
    /// @param tensors in the order of the arguments, 0 for none
    /// @param addresses where the tensors lie now
    @SuppressWarnings("ArrayRecordComponent") // written to when tensors move
    private record Plan(
            long executor,
            long workspace,
            boolean repeatable,
            long[] tensors,
            long[] addresses,
            List<Runnable> others) {}

    /// What a plan depends on.
    private static final class Key {
        private final long[] words;
        private final int hash;

        Key(long[] words) {
            this.words = words;
            this.hash = Arrays.hashCode(words);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key key && Arrays.equals(words, key.words);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    private final Card card;
    private final Acl acl;
    private final MemoryPool pool;
    private final Map<Operator, Bound> bound = new EnumMap<>(Operator.class);
    private final Map<Key, Plan> plans = new LinkedHashMap<>(256, 0.75f, true);
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment results = arena.allocate(2 * Long.BYTES, Long.BYTES);
    private final MemorySegment numbers = arena.allocate(64 * Long.BYTES, Long.BYTES);
    private long[] words = new long[256];
    private long workspace;
    private long workspaceBytes;
    private long launches;
    private long planned;

    Launcher(Card card, Libraries libraries, MemoryPool pool) {
        this.card = card;
        this.acl = card.acl;
        this.pool = pool;
        for (Operator operator : Operator.values()) {
            libraries
                    .find(Library.OPERATORS, operator.symbol + "GetWorkspaceSize")
                    .flatMap(plan -> libraries
                            .find(Library.OPERATORS, operator.symbol)
                            .map(run -> new Bound(handle(operator, plan), run)))
                    .ifPresent(both -> bound.put(operator, both));
        }
    }

    private static MethodHandle handle(Operator operator, NativeFunction plan) {
        List<MemoryLayout> layouts = new ArrayList<>();
        operator.arguments.chars().forEach(kind -> layouts.add(layout((char) kind)));
        layouts.add(ValueLayout.JAVA_LONG);
        layouts.add(ValueLayout.JAVA_LONG);
        FunctionDescriptor descriptor =
                FunctionDescriptor.of(ValueLayout.JAVA_INT, layouts.toArray(MemoryLayout[]::new));
        return Linker.nativeLinker()
                .downcallHandle(plan.address(), descriptor)
                .asSpreader(Object[].class, layouts.size())
                .asType(MethodType.methodType(int.class, Object[].class));
    }

    private static MemoryLayout layout(char kind) {
        return switch (kind) {
            case 'd' -> ValueLayout.JAVA_DOUBLE;
            case 'f' -> ValueLayout.JAVA_FLOAT;
            case 'b' -> ValueLayout.JAVA_BOOLEAN;
            case 'y' -> ValueLayout.JAVA_BYTE;
            case 'n' -> ValueLayout.JAVA_INT;
            default -> ValueLayout.JAVA_LONG;
        };
    }

    /// Whether this CANN exports the operator.
    boolean has(Operator operator) {
        return bound.containsKey(operator);
    }

    /// Operators of ours that this CANN lacks.
    List<Operator> missing() {
        return Arrays.stream(Operator.values())
                .filter(operator -> !bound.containsKey(operator))
                .toList();
    }

    /// Operators called, and how many of the calls had to be planned.
    record Counts(long launches, long planned) {}

    Counts counts() {
        return new Counts(launches, planned);
    }

    /// Queues an operator on the compute stream.
    ///
    /// @param arguments of phase 1, in its order: tensors, {@link Single}, {@link Scalar}, arrays of longs,
    ///     boxed numbers; null for what is left out
    /// @throws EngineException DEVICE_FAILED with the call, its shapes, the card and the code
    void run(Operator operator, @Nullable Object... arguments) {
        Bound functions = bound.get(operator);
        if (functions == null) {
            throw new EngineException(
                    ErrorCode.DEVICE_FAILED, operator.symbol + " on " + card + ": not in this release of CANN");
        }
        launches++;
        Call call = new Call(operator, arguments);
        card.calling(call);
        Key key = key(operator, arguments);
        Plan plan = plans.get(key);
        if (plan == null) {
            plan = plan(functions, call);
            if (plan.repeatable()) {
                plans.put(key, plan);
                evict();
            }
        } else {
            move(plan, call);
        }
        long memory = workspace(plan);
        int status = functions.run().call(memory, plan.workspace(), plan.executor(), card.computeStream());
        if (!plan.repeatable()) {
            release(plan);
        }
        card.check(call, status);
    }

    /// An operator and its arguments, written out only when something goes wrong.
    @SuppressWarnings("ArrayRecordComponent")
    private record Call(Operator operator, @Nullable Object[] arguments) {
        @Override
        public String toString() {
            StringJoiner text = new StringJoiner(", ", operator.symbol + "(", ")");
            for (Object argument : arguments) {
                text.add(
                        switch (argument) {
                            case null -> "none";
                            case Single(Tensor tensor) -> "[" + tensor + "]";
                            case Scalar(double value, AclType _) -> String.valueOf(value);
                            case long[] numbers -> Arrays.toString(numbers);
                            default -> argument.toString();
                        });
            }
            return text.toString();
        }
    }

    private Key key(Operator operator, @Nullable Object[] arguments) {
        int at = 0;
        words[at++] = operator.ordinal();
        for (Object argument : arguments) {
            if (at + 32 > words.length) {
                words = Arrays.copyOf(words, 2 * words.length);
            }
            at = switch (argument) {
                case null -> word(at, -1);
                case Tensor tensor -> words(at, tensor);
                case Single(Tensor tensor) -> words(at, tensor);
                case Scalar(double value, AclType type) ->
                    word(word(at, type.ordinal()), Double.doubleToRawLongBits(value));
                case AclType type -> word(at, type.ordinal());
                case Boolean flag -> word(at, flag ? 1 : 0);
                case Double value -> word(at, Double.doubleToRawLongBits(value));
                case Float value -> word(at, Float.floatToRawIntBits(value));
                case Number number -> word(at, number.longValue());
                case long[] numbers -> words(at, numbers);
                default -> throw new IllegalArgumentException("argument of " + argument.getClass());
            };
        }
        return new Key(Arrays.copyOf(words, at));
    }

    private int word(int at, long value) {
        words[at] = value;
        return at + 1;
    }

    private int words(int at, long[] numbers) {
        words[at] = numbers.length;
        System.arraycopy(numbers, 0, words, at + 1, numbers.length);
        return at + 1 + numbers.length;
    }

    private int words(int at, Tensor tensor) {
        words[at] = tensor.type().ordinal();
        words[at + 1] = tensor.offset();
        words[at + 2] = tensor.storage();
        return words(words(at + 3, tensor.dims()), tensor.strides());
    }

    private Plan plan(Bound functions, Call call) {
        planned++;
        String kinds = call.operator().arguments;
        long[] tensors = new long[kinds.length()];
        long[] addresses = new long[kinds.length()];
        List<Runnable> others = new ArrayList<>();
        @Nullable Object[] values = new Object[kinds.length() + 2];
        boolean lists = false;
        try {
            for (int i = 0; i < kinds.length(); i++) {
                Object argument = i < call.arguments().length ? call.arguments()[i] : null;
                values[i] = switch (kinds.charAt(i)) {
                    case 't', 'T', 'R' -> {
                        Tensor tensor = (Tensor) argument;
                        tensors[i] = tensor == null ? 0 : create(call, tensor);
                        addresses[i] = tensor == null ? 0 : tensor.address();
                        yield tensors[i];
                    }
                    case 'l', 'L' -> {
                        lists = true;
                        yield argument == null ? 0L : list(call, ((Single) argument).tensor(), others);
                    }
                    case 's' -> argument == null ? 0L : scalar((Scalar) argument, others);
                    case 'a' -> array(argument == null ? new long[0] : (long[]) argument, others);
                    case 'n' -> ((AclType) required(argument)).code;
                    default -> required(argument);
                };
            }
            values[kinds.length()] = results.address();
            values[kinds.length() + 1] = results.address() + Long.BYTES;
            card.check(call, (int) functions.plan().invokeExact(values));
        } catch (RuntimeException | Error e) {
            release(new Plan(0, 0, false, tensors, addresses, others));
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(call + ": the call itself failed", e);
        }
        long executor = results.get(ValueLayout.JAVA_LONG, Long.BYTES);
        // a list's members are moved by another function, and lists change with every step
        boolean repeatable = !lists && acl.setRepeatable().call(executor) == 0;
        return new Plan(executor, results.get(ValueLayout.JAVA_LONG, 0), repeatable, tensors, addresses, others);
    }

    private static Object required(@Nullable Object argument) {
        if (argument == null) {
            throw new IllegalArgumentException("a number may not be left out");
        }
        return argument;
    }

    private long create(Call call, Tensor tensor) {
        int n = tensor.dims().length;
        MemorySegment.copy(tensor.dims(), 0, numbers, ValueLayout.JAVA_LONG, 0, n);
        MemorySegment.copy(tensor.strides(), 0, numbers, ValueLayout.JAVA_LONG, 16L * Long.BYTES, n);
        numbers.set(ValueLayout.JAVA_LONG, 32L * Long.BYTES, tensor.storage());
        long at = numbers.address();
        long created = acl.createTensor()
                .tensor(
                        at,
                        n,
                        tensor.type().code,
                        at + 16 * Long.BYTES,
                        tensor.offset(),
                        FORMAT_ND,
                        at + 32 * Long.BYTES,
                        1,
                        tensor.address());
        if (created == 0) {
            throw card.failure(call + ": aclCreateTensor of " + tensor, 161002);
        }
        return created;
    }

    private long list(Call call, Tensor tensor, List<Runnable> others) {
        numbers.set(ValueLayout.JAVA_LONG, 0, create(call, tensor));
        // aclCreateTensor has used the same numbers, so the member is written after it
        long list = acl.createTensorList().get(numbers.address(), 1L);
        // its member is destroyed with it
        others.add(() -> acl.destroyTensorList().call(list));
        return list;
    }

    private long scalar(Scalar scalar, List<Runnable> others) {
        switch (scalar.type()) {
            case INT32 -> numbers.set(ValueLayout.JAVA_INT, 0, (int) scalar.value());
            case FLOAT -> numbers.set(ValueLayout.JAVA_FLOAT, 0, (float) scalar.value());
            default -> throw new IllegalArgumentException("scalar of " + scalar.type());
        }
        long created = acl.createScalar().get(numbers.address(), scalar.type().code);
        others.add(() -> acl.destroyScalar().call(created));
        return created;
    }

    private long array(long[] values, List<Runnable> others) {
        MemorySegment.copy(values, 0, numbers, ValueLayout.JAVA_LONG, 0, values.length);
        long created = acl.createIntArray().get(numbers.address(), (long) values.length);
        others.add(() -> acl.destroyIntArray().call(created));
        return created;
    }

    /// Points a kept plan's descriptors to where its tensors lie this time. Indices count inputs and outputs
    /// apart.
    private void move(Plan plan, Call call) {
        String kinds = call.operator().arguments;
        long input = 0;
        long output = 0;
        for (int i = 0; i < kinds.length(); i++) {
            char kind = kinds.charAt(i);
            if (kind == 't' || kind == 'T' || kind == 'R') {
                Tensor tensor = i < call.arguments().length ? (Tensor) call.arguments()[i] : null;
                if (tensor != null && plan.addresses()[i] != tensor.address()) {
                    if (kind != 'T') {
                        card.check(
                                call,
                                acl.setInputAddress()
                                        .call(plan.executor(), input, plan.tensors()[i], tensor.address()));
                    }
                    if (kind != 't') {
                        card.check(
                                call,
                                acl.setOutputAddress()
                                        .call(plan.executor(), output, plan.tensors()[i], tensor.address()));
                    }
                    plan.addresses()[i] = tensor.address();
                }
                input += kind == 'T' ? 0 : 1;
                output += kind == 't' ? 0 : 1;
            }
        }
    }

    /// One workspace serves all: the stream runs one operator after the other.
    private long workspace(Plan plan) {
        if (plan.workspace() > workspaceBytes) {
            try {
                long larger = pool.take(plan.workspace());
                if (workspaceBytes > 0) {
                    pool.giveBack(workspace, workspaceBytes);
                }
                workspace = larger;
                workspaceBytes = plan.workspace();
            } catch (RuntimeException e) {
                if (!plan.repeatable()) {
                    // its second phase will never come
                    acl.destroyExecutor().call(plan.executor());
                    release(plan);
                }
                throw e;
            }
        }
        return plan.workspace() == 0 ? 0 : workspace;
    }

    private void evict() {
        if (plans.size() > KEPT_PLANS) {
            Iterator<Plan> oldest = plans.values().iterator();
            Plan plan = oldest.next();
            oldest.remove();
            // queued work may still use its executor
            card.synchronize(card.computeStream());
            release(plan);
        }
    }

    private void release(Plan plan) {
        if (plan.repeatable()) {
            acl.destroyExecutor().call(plan.executor());
        }
        for (long tensor : plan.tensors()) {
            if (tensor != 0) {
                acl.destroyTensor().call(tensor);
            }
        }
        plan.others().forEach(Runnable::run);
    }

    /// The card must have finished.
    @Override
    public void close() {
        plans.values().forEach(this::release);
        plans.clear();
    }
}
