package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.LANES;
import static io.millrace.engine.kernel.VectorConstants.PANEL;
import static io.millrace.engine.kernel.VectorConstants.TILE;

import io.millrace.engine.tensor.Matrix;
import java.util.Arrays;

/// Products in float by the Vector API: panels of decoded weights, see {@link PanelProduct}.
final class PanelProducts implements MatrixProducts {
    private final Own[] workers;
    private float[] shared = new float[0];

    /// One worker's memory.
    private static final class Own {
        final PanelDecoder decoder = new PanelDecoder();
        final float[] tile = new float[TILE * PANEL];
        float[] packed = new float[0];
    }

    PanelProducts(int threads) {
        workers = new Own[threads];
        Arrays.setAll(workers, i -> new Own());
    }

    @Override
    public String description() {
        return LANES * Float.SIZE + "-bit Vector API";
    }

    @Override
    public void shared(WorkerPool pool, float[] x, int rows, Matrix w, int groups, float[] y) {
        int cols = w.cols();
        int perGroup = w.rows() / groups;
        int packedGroup = PanelProduct.packedSize(rows, cols);
        shared = grown(shared, groups * packedGroup);
        float[] packed = shared;
        pool.forEach(
                groups,
                (g, worker) -> PanelProduct.pack(x, g * cols, groups * cols, rows, cols, packed, g * packedGroup));
        int panels = Math.ceilDiv(perGroup, PANEL);
        pool.forEach(groups * panels, (item, worker) -> {
            int group = item / panels;
            int first = group * perGroup + item % panels * PANEL;
            int width = Math.min(PANEL, (group + 1) * perGroup - first);
            float[] panel = workers[worker].decoder.decode(w, first);
            PanelProduct.multiply(
                    packed, group * packedGroup, rows, cols, panel, y, first, w.rows(), width, workers[worker].tile);
        });
    }

    @Override
    public void onWorker(int worker, float[] x, int rows, Matrix[] ws, float[][] ys) {
        Own own = workers[worker];
        int cols = ws[0].cols();
        own.packed = grown(own.packed, PanelProduct.packedSize(rows, cols));
        PanelProduct.pack(x, 0, cols, rows, cols, own.packed, 0);
        for (int i = 0; i < ws.length; i++) {
            Matrix w = ws[i];
            for (int first = 0; first < w.rows(); first += PANEL) {
                float[] panel = own.decoder.decode(w, first);
                int width = Math.min(PANEL, w.rows() - first);
                PanelProduct.multiply(own.packed, 0, rows, cols, panel, ys[i], first, w.rows(), width, own.tile);
            }
        }
    }

    private static float[] grown(float[] held, int size) {
        return held.length >= size ? held : new float[Math.max(size, 2 * held.length)];
    }
}
