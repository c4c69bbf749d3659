package io.millrace.quality;

import com.amazon.deequ.VerificationResult;
import com.amazon.deequ.analyzers.Analyzer;
import com.amazon.deequ.analyzers.Compliance;
import com.amazon.deequ.analyzers.Maximum;
import com.amazon.deequ.analyzers.Mean;
import com.amazon.deequ.analyzers.Minimum;
import com.amazon.deequ.analyzers.Sum;
import com.amazon.deequ.anomalydetection.AbsoluteChangeStrategy;
import com.amazon.deequ.anomalydetection.AnomalyDetectionStrategy;
import com.amazon.deequ.anomalydetection.AnomalyDetector;
import com.amazon.deequ.anomalydetection.BatchNormalStrategy;
import com.amazon.deequ.anomalydetection.DataPoint;
import com.amazon.deequ.anomalydetection.OnlineNormalStrategy;
import com.amazon.deequ.anomalydetection.RelativeRateOfChangeStrategy;
import com.amazon.deequ.metrics.Metric;
import com.amazon.deequ.repository.AnalysisResult;
import com.amazon.deequ.repository.ResultKey;
import com.amazon.deequ.repository.fs.FileSystemMetricsRepository;
import io.millrace.quality.Verdict.RuleResult;
import io.millrace.quality.Verdict.Status;
import io.millrace.schemas.AuditExchange.Tag;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import scala.Option;
import scala.collection.JavaConverters;
import scala.util.Try;

/// Whether a figure is as it was in earlier runs of the same model, revision, dataset and prompt. The
/// figures of a run, of every audit all of them, are kept in a Deequ repository under the run's tags and the
/// time it began; Deequ's strategies judge the newest against those before it.
final class Drift {
    private static final List<String> SAME = List.of(Tag.MODEL, Tag.REVISION, Tag.DATASET, Tag.PROMPT);
    /// Values of earlier runs that a message shows.
    private static final int SHOWN = 5;

    private final SparkSession session;
    private final AuditRequest request;
    private final InstantSource clock;

    Drift(SparkSession session, AuditRequest request, InstantSource clock) {
        this.session = session;
        this.request = request;
        this.clock = clock;
    }

    /// What Deequ must measure for a rule.
    static Analyzer<?, ?> analyzer(Rule rule, Expectation.Drift drift) {
        Option<String> where = Option.apply(rule.where());
        String of = drift.of();
        return switch (drift.figure()) {
            case MEAN -> new Mean(of, where);
            case MIN -> new Minimum(of, where, Option.empty());
            case MAX -> new Maximum(of, where, Option.empty());
            case SUM -> new Sum(of, where);
            case SHARE -> new Compliance(rule.name(), Constraints.total(of), where, Constraints.nil(), Option.empty());
        };
    }

    /// The run's key in a repository: the same whenever it is judged again, so that it is there once.
    ResultKey key() {
        AuditRequest.History history = request.history();
        long startedAt =
                history == null ? clock.millis() : history.startedAtMillis().orElseGet(clock::millis);
        return new ResultKey(startedAt, Metrics.scalaMap(request.tags()));
    }

    RuleResult judge(Rule rule, Expectation.Drift drift, VerificationResult measured, ResultKey key) {
        AuditRequest.History history = request.history();
        if (history == null) {
            return RuleResult.notJudged(rule, "no metrics repository was given");
        }
        Analyzer<?, ?> analyzer = analyzer(rule, drift);
        Double now = value(JavaConverters.mapAsJavaMapConverter(measured.metrics())
                .asJava()
                .get(analyzer));
        List<DataPoint<Object>> before = before(history.file(), analyzer, key);
        if (before.size() < drift.minRuns()) {
            return RuleResult.notJudged(
                    rule,
                    "expected at least " + drift.minRuns() + " earlier runs of the same model, revision, dataset and"
                            + " prompt, got " + before.size());
        }
        if (now == null) {
            return RuleResult.notJudged(rule, "nothing to measure");
        }
        DataPoint<Object> newest = new DataPoint<>(key.dataSetDate(), Option.apply(now));
        boolean drifted = !new AnomalyDetector(strategy(drift))
                .isNewPointAnomalous(
                        JavaConverters.asScalaBufferConverter(before).asScala().toSeq(), newest)
                .anomalies()
                .isEmpty();
        if (!drifted) {
            return new RuleResult(rule, Status.PASS, rule.words(), now, "", null, List.of());
        }
        String message = "expected " + rule.words() + "; got " + Bounds.rounded(now) + " after " + shown(before);
        return new RuleResult(rule, Status.FAIL, rule.words(), now, message, null, List.of());
    }

    /// Values of runs that began before this one, oldest first.
    private List<DataPoint<Object>> before(String file, Analyzer<?, ?> analyzer, ResultKey key) {
        Map<String, String> same = new HashMap<>(request.tags());
        same.keySet().retainAll(SAME);
        List<AnalysisResult> results = JavaConverters.seqAsJavaListConverter(
                        new FileSystemMetricsRepository(session, file)
                                .load()
                                .withTagValues(Metrics.scalaMap(same))
                                .before(key.dataSetDate() - 1)
                                .get())
                .asJava();
        List<DataPoint<Object>> points = new ArrayList<>();
        for (AnalysisResult result : results) {
            Double value = value(JavaConverters.mapAsJavaMapConverter(
                            result.analyzerContext().metricMap())
                    .asJava()
                    .get(analyzer));
            if (value != null) {
                points.add(new DataPoint<>(result.resultKey().dataSetDate(), Option.apply(value)));
            }
        }
        points.sort(Comparator.comparingLong(DataPoint::time));
        return points;
    }

    private static @Nullable Double value(@Nullable Metric<?> metric) {
        if (metric == null) {
            return null;
        }
        Try<?> value = metric.value();
        double number = value.isSuccess() ? ((Number) value.get()).doubleValue() : Double.NaN;
        return Double.isNaN(number) ? null : number;
    }

    private static AnomalyDetectionStrategy strategy(Expectation.Drift drift) {
        Bounds bounds = drift.bounds();
        Option<Object> least = Option.apply(bounds.atLeast());
        Option<Object> most = Option.apply(bounds.atMost());
        return switch (drift.strategy()) {
            case ABSOLUTE_CHANGE -> new AbsoluteChangeStrategy(least, most, 1);
            case RELATIVE_CHANGE -> new RelativeRateOfChangeStrategy(least, most, 1);
            case BATCH_NORMAL -> new BatchNormalStrategy(below(bounds), most, false);
            case ONLINE_NORMAL -> new OnlineNormalStrategy(below(bounds), most, 0.0, true);
        };
    }

    /// How far below the mean a value may be: Deequ counts it from zero upwards.
    private static Option<Object> below(Bounds bounds) {
        Double least = bounds.atLeast();
        return least == null ? Option.empty() : Option.apply(-least);
    }

    private static String shown(List<DataPoint<Object>> before) {
        String values = before.subList(Math.max(0, before.size() - SHOWN), before.size()).stream()
                .map(point -> Bounds.rounded(((Number) point.metricValue().get()).doubleValue()))
                .collect(Collectors.joining(", "));
        return (before.size() > SHOWN ? "..., " : "") + values;
    }
}
