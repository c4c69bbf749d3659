package io.millrace.engine.kernel;

import io.millrace.engine.tensor.Matrix;

/// How a ring multiplies by stored matrices. An element of a result has one order of additions, whatever
/// the number of rows and whichever worker computes it.
interface MatrixProducts {
    /// What multiplies, for people.
    String description();

    /// `y[r, g, :] = w[g] x[r, g, :]`, shared out over the pool.
    ///
    /// @param x [rows, groups, w.cols]
    /// @param y [rows, groups, w.rows / groups]
    void shared(WorkerPool pool, float[] x, int rows, Matrix w, int groups, float[] y);

    /// `y = x wᵀ` for several matrices of one x, on one worker.
    ///
    /// @param x [rows, w.cols]
    /// @param ws matrices of as many columns
    /// @param ys one [rows, w.rows] for each
    void onWorker(int worker, float[] x, int rows, Matrix[] ws, float[][] ys);

    /// Gives back what is not the heap's. No product may be under way.
    default void close() {}
}
