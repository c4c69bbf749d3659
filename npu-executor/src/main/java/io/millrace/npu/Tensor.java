package io.millrace.npu;

import java.util.Arrays;

/// A view of device memory. Operators are told the whole storage and where in it the view lies, as the
/// vendor's own adapter does it: storage starts are aligned, views need not be.
///
/// @param address of the storage
/// @param storage elements of the storage
/// @param offset of the view in the storage, in elements
/// @param dims of the view
/// @param strides of the view, in elements
@SuppressWarnings("ArrayRecordComponent") // made and read once a call; nobody writes to them
record Tensor(long address, AclType type, long storage, long offset, long[] dims, long[] strides) {
    /// Memory as it lies, row-major.
    static Tensor dense(long address, AclType type, long storage, long offset, long... dims) {
        return new Tensor(address, type, storage, offset, dims, strides(dims));
    }

    private static long[] strides(long... dims) {
        long[] strides = new long[dims.length];
        long stride = 1;
        for (int i = dims.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= dims[i];
        }
        return strides;
    }

    long elements() {
        long count = 1;
        for (long dim : dims) {
            count *= dim;
        }
        return count;
    }

    /// The same elements in another shape; only of memory as it lies.
    Tensor shaped(long... shape) {
        if (!Arrays.equals(strides, strides(dims))) {
            throw new IllegalArgumentException("expected a dense view, got " + this);
        }
        return dense(address, type, storage, offset, shape);
    }

    /// Any other view of the same storage, its place counted from this view's first element.
    Tensor view(long first, long[] shape, long[] steps) {
        return new Tensor(address, type, storage, offset + first, shape, steps);
    }

    /// Elements `from` to `from + count` of one dimension.
    Tensor part(int dim, long from, long count) {
        long[] shape = dims.clone();
        shape[dim] = count;
        return view(from * strides[dim], shape, strides);
    }

    /// Two dimensions exchanged.
    Tensor swapped(int a, int b) {
        long[] shape = dims.clone();
        long[] steps = strides.clone();
        shape[a] = dims[b];
        shape[b] = dims[a];
        steps[a] = strides[b];
        steps[b] = strides[a];
        return view(0, shape, steps);
    }

    /// A dimension of one more.
    Tensor unsqueezed(int at) {
        long[] shape = new long[dims.length + 1];
        long[] steps = new long[dims.length + 1];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = i == at ? 1 : dims[i < at ? i : i - 1];
            steps[i] = i == at ? 1 : strides[i < at ? i : i - 1];
        }
        return view(0, shape, steps);
    }

    /// The same bits as another type of the same size.
    Tensor as(AclType other) {
        return new Tensor(address, other, storage, offset, dims, strides);
    }

    /// Address of the view's first element.
    long firstAddress() {
        return address + offset * type.bytes;
    }

    @Override
    public String toString() {
        return type + Arrays.toString(dims);
    }
}
