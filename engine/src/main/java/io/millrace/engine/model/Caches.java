package io.millrace.engine.model;

import io.millrace.engine.cache.CacheShape;
import io.millrace.engine.kernel.Kernels.Pooling;
import java.util.List;

/// What a model's sequences have to remember.
public final class Caches {
    private Caches() {}

    /// Of the decoder layers.
    public static CacheShape shape(ModelConfig config) {
        return shape(config, config.layers());
    }

    /// Of a multi-token prediction block, which has a window of its own.
    static CacheShape mtpShape(ModelConfig config, ModelConfig.Layer layer) {
        return shape(config, List.of(layer));
    }

    private static CacheShape shape(ModelConfig config, List<ModelConfig.Layer> layers) {
        return new CacheShape(
                config.attention().headDim(),
                config.attention().slidingWindow(),
                layers.stream().map(layer -> layer(config, layer)).toList());
    }

    static CacheShape.Layer layer(ModelConfig config, ModelConfig.Layer layer) {
        int dim = config.attention().headDim();
        int ratio = layer.compressRatio();
        return switch (layer.kind()) {
            case SLIDING -> new CacheShape.Layer(CacheShape.Layer.NONE, CacheShape.Layer.NONE);
            case CSA ->
                new CacheShape.Layer(
                        new Pooling(ratio, dim, true),
                        new Pooling(ratio, config.indexer().indexHeadDim(), true));
            case HCA -> new CacheShape.Layer(new Pooling(ratio, dim, false), CacheShape.Layer.NONE);
        };
    }
}
