package io.millrace.engine.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The widths that vector kernels are written in. Apart, so that a machine without the vector module can
/// still load the classes around it.
final class VectorConstants {
    // sums run in a fixed number of chains, which wider vectors would overrun
    static final VectorSpecies<Float> FLOATS =
            FloatVector.SPECIES_PREFERRED.length() > 16 ? FloatVector.SPECIES_512 : FloatVector.SPECIES_PREFERRED;

    /// Floats of a vector, at most 16.
    static final int LANES = FLOATS.length();

    /// Output columns of a weight panel: two vectors, so that each broadcast activation is used twice.
    static final int PANEL = 2 * LANES;

    /// Activation rows of a tile: with two vectors each, sixteen accumulators.
    static final int TILE = 8;

    private VectorConstants() {}
}
