package io.millrace.npu;

/// The operators of CANN that we call, by symbol and argument list (the headers `aclnnop/aclnn_*.h`; the
/// documentation of each name states shapes and types). A letter for each argument of phase 1: t tensor read,
/// T tensor written, R tensor read and written, l and L lists of one tensor, s scalar, a array of integers, i
/// int64_t, d double, f float, b bool, y int8_t, n aclDataType.
enum Operator {
    ABS("aclnnAbs", "tT"),
    ADD("aclnnAdd", "ttsT"),
    ADDS("aclnnAdds", "tssT"),
    AMAX("aclnnAmax", "tabT"),
    BATCH_MATMUL("aclnnBatchMatMul", "ttTy"),
    BITWISE_AND_SCALAR("aclnnBitwiseAndScalar", "tsT"),
    CAST("aclnnCast", "tnT"),
    CLAMP("aclnnClamp", "tssT"),
    DIV("aclnnDiv", "ttT"),
    DYNAMIC_QUANT("aclnnDynamicQuant", "ttTT"),
    EMBEDDING("aclnnEmbedding", "ttT"),
    EXP("aclnnExp", "tT"),
    GATHER("aclnnGather", "titT"),
    GROUPED_MATMUL_V4("aclnnGroupedMatmulV4", "lllllllltllliiiiLLL"),
    INDEX_SELECT("aclnnIndexSelect", "titT"),
    INPLACE_ADD("aclnnInplaceAdd", "Rts"),
    INPLACE_COPY("aclnnInplaceCopy", "Rt"),
    INPLACE_PARTIAL_ROTARY_MUL("aclnnInplacePartialRotaryMul", "Rttia"),
    MHC_POST("aclnnMhcPost", "ttttT"),
    MHC_PRE_SINKHORN("aclnnMhcPreSinkhorn", "ttttiiddbTTTTTTTT"),
    MHC_SINKHORN("aclnnMhcSinkhorn", "tfiTTT"),
    MM("aclnnMm", "ttTy"),
    MOE_FINALIZE_ROUTING_V2("aclnnMoeFinalizeRoutingV2", "tttttttiT"),
    MOE_GATING_TOP_K("aclnnMoeGatingTopK", "ttiiiiiibddTTT"),
    MOE_INIT_ROUTING_V2("aclnnMoeInitRoutingV2", "ttiiiiibTTTT"),
    MUL("aclnnMul", "ttT"),
    MULS("aclnnMuls", "tsT"),
    QUANT_MATMUL_V4("aclnnQuantMatmulV4", "ttttttbbT"),
    REDUCE_SUM("aclnnReduceSum", "tabnT"),
    RMS_NORM("aclnnRmsNorm", "ttdTT"),
    SIGMOID("aclnnSigmoid", "tT"),
    SOFTMAX("aclnnSoftmax", "tiT"),
    SOFTPLUS("aclnnSoftplus", "tssT"),
    SORT("aclnnSort", "tbibTT"),
    SQRT("aclnnSqrt", "tT"),
    SUB("aclnnSub", "ttsT"),
    SWIGLU("aclnnSwiGlu", "tiT");

    final String symbol;
    final String arguments;

    Operator(String symbol, String arguments) {
        this.symbol = symbol;
        this.arguments = arguments;
    }
}
