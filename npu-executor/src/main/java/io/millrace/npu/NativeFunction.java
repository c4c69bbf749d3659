package io.millrace.npu;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// A C function of a library and how it is called. Handles are constants of this class, one for each shape of
/// arguments, and take the function's address: a handle that is no constant costs ten times as much a call,
/// and which libraries there are is known only when they have been opened. Pointers are numbers here, since
/// what lies behind a device's must never be touched.
///
/// @param name for messages
@SuppressWarnings("restricted")
record NativeFunction(String name, MemorySegment address) {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    private static final MethodHandle I = status();
    private static final MethodHandle I_I = status(INT);
    private static final MethodHandle I_L = status(LONG);
    private static final MethodHandle I_LI = status(LONG, INT);
    private static final MethodHandle I_LL = status(LONG, LONG);
    private static final MethodHandle I_ILL = status(INT, LONG, LONG);
    private static final MethodHandle I_LLI = status(LONG, LONG, INT);
    private static final MethodHandle I_LLLL = status(LONG, LONG, LONG, LONG);
    private static final MethodHandle I_LLILL = status(LONG, LONG, INT, LONG, LONG);
    private static final MethodHandle I_LLLLIL = status(LONG, LONG, LONG, LONG, INT, LONG);
    private static final MethodHandle L = pointer();
    private static final MethodHandle L_LI = pointer(LONG, INT);
    private static final MethodHandle L_LL = pointer(LONG, LONG);
    private static final MethodHandle L_TENSOR = pointer(LONG, LONG, INT, LONG, LONG, INT, LONG, LONG, LONG);

    private static MethodHandle status(ValueLayout... arguments) {
        return Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(INT, arguments));
    }

    private static MethodHandle pointer(ValueLayout... arguments) {
        return Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(LONG, arguments));
    }

    int call() {
        try {
            return (int) I.invokeExact(address);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    int call(int a) {
        try {
            return (int) I_I.invokeExact(address, a);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    int call(long a) {
        try {
            return (int) I_L.invokeExact(address, a);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    int call(long a, int b) {
        try {
            return (int) I_LI.invokeExact(address, a, b);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    int call(long a, long b) {
        try {
            return (int) I_LL.invokeExact(address, a, b);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    int call(int a, long b, long c) {
        try {
            return (int) I_ILL.invokeExact(address, a, b, c);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    int call(long a, long b, int c) {
        try {
            return (int) I_LLI.invokeExact(address, a, b, c);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    int call(long a, long b, long c, long d) {
        try {
            return (int) I_LLLL.invokeExact(address, a, b, c, d);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    int call(long a, long b, int c, long d, long e) {
        try {
            return (int) I_LLILL.invokeExact(address, a, b, c, d, e);
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    int call(long a, long b, long c, long d, int e, long f) {
        try {
            return (int) I_LLLLIL.invokeExact(address, a, b, c, d, e, f);
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    /// A function that returns an address.
    long get() {
        try {
            return (long) L.invokeExact(address);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    long get(long a, int b) {
        try {
            return (long) L_LI.invokeExact(address, a, b);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    long get(long a, long b) {
        try {
            return (long) L_LL.invokeExact(address, a, b);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// `aclCreateTensor`.
    long tensor(
            long dims,
            long dimCount,
            int type,
            long strides,
            long offset,
            int format,
            long storage,
            long storageCount,
            long data) {
        try {
            return (long) L_TENSOR.invokeExact(
                    address, dims, dimCount, type, strides, offset, format, storage, storageCount, data);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    private IllegalStateException failed(Throwable cause) {
        return new IllegalStateException(name + ": the call itself failed", cause);
    }
}
