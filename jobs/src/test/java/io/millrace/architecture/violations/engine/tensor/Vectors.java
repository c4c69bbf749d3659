package io.millrace.architecture.violations.engine.tensor;

import jdk.incubator.vector.FloatVector;

record Vectors(FloatVector vector) {}
