package io.millrace.architecture.violations.schemas;

import io.millrace.architecture.violations.engine.tensor.Plain;

record KnowsTheEngine(Plain plain) {}
