package io.millrace.engine.kernel;

import io.millrace.engine.kernel.Kernels.Routing;
import java.util.Arrays;

/// A step's rows grouped by the expert they go to, in the order of the experts' indices.
final class ExpertGroups {
    private final int[] experts;
    private final int[][] rows;
    private final float[][] weights;

    private ExpertGroups(int[] experts, int[][] rows, float[][] weights) {
        this.experts = experts;
        this.rows = rows;
        this.weights = weights;
    }

    static ExpertGroups of(Routing routing, int rowCount) {
        int slots = rowCount * routing.topK();
        int[] touched =
                Arrays.stream(routing.experts(), 0, slots).sorted().distinct().toArray();
        int[] sizes = new int[touched.length];
        int[] group = new int[slots];
        for (int s = 0; s < slots; s++) {
            group[s] = Arrays.binarySearch(touched, routing.experts()[s]);
            sizes[group[s]]++;
        }
        int[][] rows = new int[touched.length][];
        float[][] weights = new float[touched.length][];
        for (int g = 0; g < touched.length; g++) {
            rows[g] = new int[sizes[g]];
            weights[g] = new float[sizes[g]];
        }
        int[] filled = new int[touched.length];
        for (int s = 0; s < slots; s++) {
            int g = group[s];
            rows[g][filled[g]] = s / routing.topK();
            weights[g][filled[g]] = routing.weights()[s];
            filled[g]++;
        }
        return new ExpertGroups(touched, rows, weights);
    }

    int size() {
        return experts.length;
    }

    int expert(int group) {
        return experts[group];
    }

    int[] rows(int group) {
        return rows[group];
    }

    float[] weights(int group) {
        return weights[group];
    }
}
