package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.VectorConstants.LANES;
import static io.millrace.engine.kernel.VectorConstants.PANEL;
import static io.millrace.engine.kernel.VectorConstants.TILE;

import io.millrace.engine.tensor.Matrix;
import java.util.Arrays;

/// Products in float by the Vector API: panels of decoded weights, see {@link PanelProduct}.
final class PanelProducts implements MatrixProducts {
    /// Rows that one item packs: a whole number of tiles.
    private static final int PACK_ROWS = 4 * TILE;

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
        shared = FloatArrays.grown(shared, groups * packedGroup);
        float[] packed = shared;
        int packBlocks = Math.ceilDiv(rows, PACK_ROWS);
        pool.forEach(groups * packBlocks, (item, worker) -> {
            int g = item / packBlocks;
            int from = item % packBlocks * PACK_ROWS;
            int count = Math.min(PACK_ROWS, rows - from);
            int at = (from * groups + g) * cols;
            PanelProduct.pack(x, at, groups * cols, count, cols, packed, g * packedGroup + from * cols);
        });
        int panels = Math.ceilDiv(perGroup, PANEL);
        int blockRows = blockRows(rows, groups * panels, pool.size());
        int blocks = Math.ceilDiv(rows, blockRows);
        pool.forEach(groups * panels * blocks, (item, worker) -> {
            int group = item / blocks / panels;
            int first = group * perGroup + item / blocks % panels * PANEL;
            int width = Math.min(PANEL, (group + 1) * perGroup - first);
            int from = item % blocks * blockRows;
            int count = Math.min(blockRows, rows - from);
            Own own = workers[worker];
            float[] panel = own.decoder.decode(w, first);
            int packedAt = group * packedGroup + from * cols;
            int yAt = from * w.rows() + first;
            PanelProduct.multiply(packed, packedAt, count, cols, panel, y, yAt, w.rows(), width, own.tile);
        });
    }

    /// Rows of a product that one item takes: all, unless the panels alone would leave workers idle. Each
    /// block decodes the panel anew, so blocks are few.
    private static int blockRows(int rows, int panels, int workers) {
        int blocks = Math.clamp(2L * workers / panels, 1, Math.max(1, rows / PACK_ROWS));
        return Math.max(1, Math.ceilDiv(Math.ceilDiv(rows, blocks), TILE)) * TILE;
    }

    @Override
    public void onWorker(int worker, float[] x, int rows, Matrix[] ws, float[][] ys) {
        Own own = workers[worker];
        int cols = ws[0].cols();
        own.packed = FloatArrays.grown(own.packed, PanelProduct.packedSize(rows, cols));
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
}
