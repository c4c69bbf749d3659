package io.millrace.jobs.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.jsoup.nodes.Element;

/// How evenly the experts of each layer were used, from `experts.json`: a picture with a point for each
/// expert and layer, and figures of each layer.
record ExpertLoad(List<Layer> layers) {
    private static final String FILE = RunFolder.aside("experts.json");
    /// Factor of the even share at which the scale ends, at both ends.
    private static final double END = 4;

    private static final int NEVER = 0x1b1f24;
    private static final int LESS = 0x2166ac;
    private static final int EVEN = 0xf7f7f7;
    private static final int MORE = 0xb2182b;

    /// A layer.
    ///
    /// @param index in the model, from 0
    /// @param tokens that each expert was given
    record Layer(int index, List<Long> tokens) {

        private long sum() {
            return tokens.stream().mapToLong(Long::longValue).sum();
        }

        /// Load of an expert, of what each would have if all had the same.
        double load(int expert) {
            long sum = sum();
            return sum == 0 ? 0 : (double) tokens.get(expert) * tokens.size() / sum;
        }

        int busiest() {
            return tokens.indexOf(Collections.max(tokens));
        }

        long unused() {
            return tokens.stream().filter(expert -> expert == 0).count();
        }

        /// As many experts of equal load would be as unpredictable: e to the entropy of the shares.
        double effective() {
            double sum = Math.max(1, sum());
            double entropy = 0;
            for (long expert : tokens) {
                entropy -= expert == 0 ? 0 : expert / sum * Math.log(expert / sum);
            }
            return Math.exp(entropy);
        }
    }

    static ExpertLoad read(RunFolder run) {
        List<Layer> layers = new ArrayList<>();
        for (JsonNode layer : run.json(FILE).path("layers")) {
            JsonNode tokens = layer.path("tokens");
            List<Long> counts = new ArrayList<>();
            tokens.forEach(expert -> counts.add(expert.asLong()));
            if (!counts.isEmpty()) {
                layers.add(new Layer(layer.path("layer").asInt(), counts));
            }
        }
        return new ExpertLoad(layers);
    }

    void write(Element parent) {
        int most =
                layers.stream().mapToInt(layer -> layer.tokens().size()).max().orElse(0);
        Element figure = parent.appendElement("figure");
        figure.appendElement("figcaption")
                .text(String.format(
                        Locale.ROOT,
                        "A line for each layer, %d at the top to %d at the bottom; in it a point for each expert, 0 at"
                                + " the left to %d at the right.",
                        layers.getFirst().index(),
                        layers.getLast().index(),
                        most - 1));
        picture(figure, layers, 8 * layers.size(), "load of each expert by layer");
        Element scale = parent.appendElement("figure");
        scale.appendElement("figcaption")
                .text("Scale, from the left: never used; a quarter of the even share or less; the even share; four"
                        + " times that or more.");
        picture(scale, List.of(), 12, "scale of the colours");
        Table table = Table.in(
                parent,
                "Load by layer; 1 is the even share",
                "#layer",
                "#expert choices",
                "#experts",
                "#never used",
                "#busiest expert",
                "#its load",
                "#experts that equal load would need");
        layers.forEach(layer -> table.row(
                Integer.toString(layer.index()),
                Numbers.count(layer.sum()),
                Integer.toString(layer.tokens().size()),
                Long.toString(layer.unused()),
                Integer.toString(layer.busiest()),
                String.format(Locale.ROOT, "%.2f", layer.load(layer.busiest())),
                String.format(Locale.ROOT, "%.1f", layer.effective())));
    }

    private static void picture(Element figure, List<Layer> layers, int height, String alternative) {
        figure.appendElement("img")
                .addClass("map")
                .attr("alt", alternative)
                .attr("height", Integer.toString(height))
                .attr("src", "data:image/png;base64," + Base64.getEncoder().encodeToString(png(layers)));
    }

    /// A pixel for each expert of each layer; of no layers the scale.
    private static byte[] png(List<Layer> layers) {
        int scale = 120;
        int width =
                layers.stream().mapToInt(layer -> layer.tokens().size()).max().orElse(scale);
        BufferedImage image = new BufferedImage(width, Math.max(1, layers.size()), BufferedImage.TYPE_INT_RGB);
        for (int x = 0; x < width; x++) {
            for (int y = 0; y < layers.size(); y++) {
                Layer layer = layers.get(y);
                image.setRGB(x, y, x < layer.tokens().size() ? color(layer.load(x)) : EVEN);
            }
            if (layers.isEmpty()) {
                image.setRGB(x, 0, x < scale / 10 ? NEVER : color(Math.pow(END, 2.0 * x / (scale - 1) - 1)));
            }
        }
        try (ByteArrayOutputStream out = new ByteArrayOutputStream()) {
            ImageIO.write(image, "png", out);
            return out.toByteArray();
        } catch (IOException e) {
            throw new IllegalStateException("a picture can be written to memory", e);
        }
    }

    private static int color(double load) {
        if (load == 0) {
            return NEVER;
        }
        double place = Math.clamp(Math.log(load) / Math.log(END), -1.0, 1.0);
        int end = place < 0 ? LESS : MORE;
        int mixed = 0;
        for (int shift = 0; shift <= 16; shift += 8) {
            double even = (EVEN >> shift) & 0xFF;
            double full = (end >> shift) & 0xFF;
            mixed |= (int) Math.round(even + (full - even) * Math.abs(place)) << shift;
        }
        return mixed;
    }
}
