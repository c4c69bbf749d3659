package io.millrace.engine.api;

/// What a loaded model is, for manifests and output rows.
///
/// @param name the folder's name
/// @param weightsSha256 hex digest over config.json and all weight files
/// @param quantization `fp8+fp4`, `fp8`, `bf16`, `f32`, ... as found in the checkpoint
/// @param parametersTotal all parameters, multi-token prediction included
/// @param parametersActive parameters touched per token, output head included, embedding table left out
/// @param maxPositions longest sequence
/// @param vocabSize rows of the embedding
/// @param ring the kernels in use, with the reason they were chosen
public record ModelSummary(
        String name,
        String weightsSha256,
        String quantization,
        long parametersTotal,
        long parametersActive,
        int maxPositions,
        int vocabSize,
        String ring) {}
