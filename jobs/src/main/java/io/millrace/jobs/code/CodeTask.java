package io.millrace.jobs.code;

import io.millrace.udf.sandbox.Examiner.Language;

/// A programming task with its tests.
///
/// @param prompt what a model goes on with that was not trained to converse
/// @param instruction what a model is told that was
/// @param preamble what stands before a continuation of the prompt in a program
/// @param header what stands before a whole answer in a program
/// @param tests what follows either
/// @param canonical continuation of the preamble that is known to be right
record CodeTask(
        String taskId,
        Language language,
        String prompt,
        String instruction,
        String preamble,
        String header,
        String tests,
        String canonical) {}
