package io.millrace.architecture.violations.engine.api;

import io.millrace.architecture.violations.engine.tensor.Plain;

record KnowsTensors(Plain plain) {}
