package io.millrace.engine.checkpoint;

import io.millrace.engine.model.LanguageModelConfig;

/// What config.json says: the model, and what only the loader needs to know.
///
/// @param model what the model is
/// @param tieWordEmbeddings whether the output head may be missing because the embedding stands in for it
/// @param blockRows rows that share a scale in FP8 matrices
/// @param blockCols columns that share a scale in FP8 matrices
record StorageConfig(LanguageModelConfig model, boolean tieWordEmbeddings, int blockRows, int blockCols) {}
