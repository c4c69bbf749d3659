package io.millrace.udf.ui;

import static io.millrace.udf.ui.Html.element;
import static io.millrace.udf.ui.Html.seq;
import static io.millrace.udf.ui.Html.text;

import io.millrace.udf.FinishedRow;
import io.millrace.udf.ProgressReport;
import io.millrace.udf.ProgressReport.ExpertBalance;
import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.apache.spark.ui.UIUtils;
import org.apache.spark.ui.WebUIPage;
import org.apache.spark.util.Utils;
import org.apache.spark.util.kvstore.KVStore;
import org.jspecify.annotations.Nullable;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.xml.Node;

/// What executors and their cards are doing or have done, which errors rows had, and the slowest rows.
final class InferencePage extends WebUIPage {
    private static final int SLOWEST = 10;
    private static final String UNKNOWN = "–";

    private final InferenceTab tab;
    private final KVStore store;

    InferencePage(InferenceTab tab, KVStore store) {
        super("");
        this.tab = tab;
        this.store = store;
    }

    @Override
    public Seq<Node> render(HttpServletRequest request) {
        List<ExecutorView> executors = executors();
        return UIUtils.headerSparkPage(
                request, "Inference", () -> content(executors), tab, Option.empty(), false, false, false);
    }

    private List<ExecutorView> executors() {
        List<ExecutorView> views = new ArrayList<>();
        try (var all = store.view(ExecutorView.class).closeableIterator()) {
            all.forEachRemaining(views::add);
        } catch (Exception e) {
            throw new IllegalStateException("the figures of the executors could not be read", e);
        }
        return views;
    }

    private static Seq<Node> content(List<ExecutorView> executors) {
        Map<String, Long> errors = new TreeMap<>();
        executors.forEach(view -> view.report().errors().forEach((code, rows) -> errors.merge(code, rows, Long::sum)));
        List<FinishedRow> slowest = executors.stream()
                .flatMap(view -> view.report().slowest().stream())
                .sorted(Comparator.comparingDouble(FinishedRow::batchMillis).reversed())
                .limit(SLOWEST)
                .toList();
        List<Node> nodes = new ArrayList<>();
        nodes.add(summary(executors));
        nodes.addAll(section("Executors and cards", "inference-executors", EXECUTOR, executors));
        nodes.addAll(section("Errors by class", "inference-errors", ERROR, List.copyOf(errors.entrySet())));
        nodes.addAll(section("Slowest rows", "inference-slowest", ROW, slowest));
        return seq(nodes);
    }

    private static Node summary(List<ExecutorView> executors) {
        long prompt = sum(executors, ProgressReport::promptTokens);
        return element(
                "ul",
                "class",
                "list-unstyled",
                item(
                        "Rows",
                        count(sum(executors, ProgressReport::rowsOk)) + " ok, "
                                + count(sum(executors, ProgressReport::rowsError)) + " error"),
                item(
                        "Tokens",
                        count(prompt) + " in, " + count(sum(executors, ProgressReport::completionTokens)) + " out"),
                item(
                        "Of the prompts from shared prefixes",
                        share((double) sum(executors, ProgressReport::cachedTokens) / prompt)),
                item(
                        "Now",
                        count(sum(executors, ProgressReport::running)) + " running, "
                                + count(sum(executors, ProgressReport::waiting)) + " waiting"));
    }

    private static long sum(List<ExecutorView> executors, ToLongFunction<ProgressReport> figure) {
        return executors.stream()
                .mapToLong(view -> figure.applyAsLong(view.report()))
                .sum();
    }

    private static Node item(String name, String value) {
        return element("li", element("strong", text(name + ": ")), text(value));
    }

    private static <T> List<Node> section(String title, String id, List<Column<T>> columns, List<T> items) {
        List<Node> nodes = new ArrayList<>();
        nodes.add(element("h4", text(title)));
        if (items.isEmpty()) {
            nodes.add(element("p", text("None.")));
            return nodes;
        }
        Seq<Node> table = UIUtils.listingTable(
                seq(columns.stream().map(Column::name).toList()),
                (T item) -> seq(List.<Node>of(element(
                        "tr", columns.stream().map(column -> column.cell(item)).toArray(Node[]::new)))),
                seq(items),
                false,
                Option.apply(id),
                seq(List.<String>of()),
                true,
                true,
                seq(columns.stream()
                        .map(column -> Option.apply(column.meaning()))
                        .toList()));
        nodes.addAll(CollectionConverters.asJava(table));
        return nodes;
    }

    /// A column of a table.
    ///
    /// @param meaning shown when the pointer is over the name
    /// @param order what the table is sorted by; null for the text itself
    private record Column<T>(
            String name,
            String meaning,
            Function<T, String> value,
            @Nullable Function<T, Number> order) {
        Column(String name, String meaning, Function<T, String> value) {
            this(name, meaning, value, null);
        }

        Node cell(T item) {
            Node text = text(value.apply(item));
            return order == null
                    ? element("td", text)
                    : element("td", "sorttable_customkey", String.valueOf(order.apply(item)), text);
        }
    }

    private static final List<Column<ExecutorView>> EXECUTOR = List.of(
            new Column<>("Executor", "Spark's name of it", view -> view.report().executorId()),
            new Column<>("Device", "What computes", view -> device(view.report())),
            new Column<>(
                    "Cards",
                    "Addresses of its cards",
                    view -> view.report().cards().isEmpty()
                            ? UNKNOWN
                            : String.join(", ", view.report().cards())),
            new Column<>(
                    "Rows ok",
                    "Rows with an answer",
                    view -> count(view.report().rowsOk()),
                    view -> view.report().rowsOk()),
            new Column<>(
                    "Errors",
                    "Error rows, by class",
                    view -> errors(view.report()),
                    view -> view.report().rowsError()),
            new Column<>(
                    "Tokens/s in",
                    "Prompt tokens per second of work; in brackets, in the last ten seconds of the executor's reports",
                    view -> rate(view.perSecond(view.report().promptTokens()), view.promptRate()),
                    view -> view.perSecond(view.report().promptTokens())),
            new Column<>(
                    "Tokens/s out",
                    "Generated tokens per second of work; in brackets, in the last ten seconds of the executor's reports",
                    view -> rate(view.perSecond(view.report().completionTokens()), view.completionRate()),
                    view -> view.perSecond(view.report().completionTokens())),
            new Column<>(
                    "Cached",
                    "Share of the prompt tokens that a shared prefix saved",
                    view -> share(cachedShare(view.report())),
                    view -> cachedShare(view.report())),
            new Column<>(
                    "Occupancy",
                    "Tokens of the steps over those that would have fitted",
                    view -> share(view.report().occupancy()),
                    view -> view.report().occupancy()),
            new Column<>(
                    "Running",
                    "Sequences in the running batch",
                    view -> count(view.report().running()),
                    view -> view.report().running()),
            new Column<>(
                    "Waiting",
                    "Requests not yet in the batch",
                    view -> count(view.report().waiting()),
                    view -> view.report().waiting()),
            new Column<>(
                    "Cache",
                    "Memory reserved for running sequences, and kept for shared prefixes",
                    view -> Utils.bytesToString(view.report().cacheBytes()) + " + "
                            + Utils.bytesToString(view.report().prefixBytes()),
                    view -> view.report().cacheBytes()),
            new Column<>(
                    "Expert balance",
                    "Mean tokens of a layer's experts over those of the busiest, mean of the layers, and the least even"
                            + " layer; 100 % is an even load",
                    view -> experts(view.report().experts())));

    private static final List<Column<Map.Entry<String, Long>>> ERROR = List.of(
            new Column<>("Class", "Code of the error", Map.Entry::getKey),
            new Column<>("Rows", "Error rows", entry -> count(entry.getValue()), Map.Entry::getValue));

    private static final List<Column<FinishedRow>> ROW = List.of(
            new Column<>("Id", "The row's own key", row -> row.customId() == null ? UNKNOWN : row.customId()),
            new Column<>("File", "Input file", FinishedRow::file),
            new Column<>("Row", "Row group and row in the file, and sample", InferencePage::place),
            new Column<>("Outcome", "ok, or the error", row -> row.errorCode() == null ? "ok" : row.errorCode()),
            new Column<>("Tokens in", "Of the prompt", row -> count(row.promptTokens()), FinishedRow::promptTokens),
            new Column<>(
                    "Tokens out", "Generated", row -> count(row.completionTokens()), FinishedRow::completionTokens),
            new Column<>(
                    "Queued", "Before its first step", row -> millis(row.queuedMillis()), FinishedRow::queuedMillis),
            new Column<>(
                    "Prefill", "To its first token", row -> millis(row.prefillMillis()), FinishedRow::prefillMillis),
            new Column<>("Decode", "To its last token", row -> millis(row.decodeMillis()), FinishedRow::decodeMillis));

    private static double cachedShare(ProgressReport report) {
        return (double) report.cachedTokens() / report.promptTokens();
    }

    private static String device(ProgressReport report) {
        String device = report.device();
        return device == null ? UNKNOWN : device;
    }

    private static String errors(ProgressReport report) {
        return report.errors().isEmpty()
                ? "0"
                : report.errors().entrySet().stream()
                        .map(error -> error.getKey() + " " + count(error.getValue()))
                        .collect(Collectors.joining(", "));
    }

    private static String experts(@Nullable ExpertBalance experts) {
        return experts == null
                ? UNKNOWN
                : share(experts.mean()) + ", layer " + experts.leastEvenLayer() + ": " + share(experts.least());
    }

    private static String place(FinishedRow row) {
        return row.rowGroup() + "/" + row.row() + " #" + row.sample();
    }

    private static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private static String rate(double mean, double recent) {
        return number(mean) + " (" + number(recent) + ")";
    }

    private static String number(double number) {
        return Double.isNaN(number) ? UNKNOWN : String.format(Locale.ROOT, "%,.0f", number);
    }

    private static String share(double share) {
        return Double.isNaN(share) ? UNKNOWN : String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }

    private static String millis(double millis) {
        return UIUtils.formatDuration(Math.round(millis));
    }
}
