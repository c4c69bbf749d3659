package io.millrace.architecture.violations.engine.tensor;

import java.io.Serializable;

record Travels(String name) implements Serializable {}
