package io.millrace.npu;

/// Data types of tensors on a card; the codes are those of `aclDataType`.
enum AclType {
    FLOAT(0, 4),
    INT8(2, 1),
    INT32(3, 4),
    INT64(9, 8),
    BF16(27, 2);

    final int code;
    final int bytes;

    AclType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }
}
