package io.millrace.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The joins against their slow twins, which compare everything with everything.
class NearDuplicatesIT {
    private static final int WORDS = 3;
    private static final MinHash HASH = new MinHash(14, 8, 1);

    private static LocalSpark spark = new LocalSpark();

    @BeforeAll
    static void open() {
        spark = new LocalSpark();
    }

    @AfterAll
    static void close() {
        spark.close();
    }

    /// Families of texts of 60 words, each a copy of the family's first with some words exchanged.
    private static List<String> texts(int families, int copies) {
        SplittableRandom random = new SplittableRandom(20261122);
        List<String> texts = new ArrayList<>();
        for (int family = 0; family < families; family++) {
            String[] first = new String[60];
            for (int word = 0; word < first.length; word++) {
                first[word] = "w" + random.nextInt(100_000);
            }
            for (int copy = 0; copy < copies; copy++) {
                String[] words = first.clone();
                for (int change = 0; change < copy; change++) {
                    words[random.nextInt(words.length)] = "x" + random.nextInt(100_000);
                }
                texts.add(String.join(" ", words));
            }
        }
        return texts;
    }

    /// Every pair and its exact similarity, by sets of strings.
    private static Map<String, Double> allPairs(List<String> texts) {
        List<Set<String>> sets = texts.stream().map(NearDuplicatesIT::runs).toList();
        Map<String, Double> pairs = new TreeMap<>();
        for (int a = 0; a < sets.size(); a++) {
            for (int b = a + 1; b < sets.size(); b++) {
                Set<String> shared = new HashSet<>(sets.get(a));
                shared.retainAll(sets.get(b));
                int all = sets.get(a).size() + sets.get(b).size() - shared.size();
                if (!shared.isEmpty()) {
                    pairs.put(a + " " + b, (double) shared.size() / all);
                }
            }
        }
        return pairs;
    }

    private static Set<String> runs(String text) {
        String[] words = text.split(" ");
        Set<String> runs = new HashSet<>();
        for (int start = 0; start + WORDS <= words.length; start++) {
            runs.add(words[start] + " " + words[start + 1] + " " + words[start + 2]);
        }
        return runs;
    }

    private static Map<String, Double> found(List<String> texts, double threshold) {
        Map<String, Double> found = new TreeMap<>();
        for (Row pair : new NearDuplicates(WORDS, HASH, threshold)
                .pairs(spark.texts(texts))
                .collectAsList()) {
            found.put(pair.getStruct(0).getString(1) + " " + pair.getStruct(1).getString(1), pair.getDouble(2));
        }
        return found;
    }

    @Test
    void pairs_areThoseOfTheSlowTwin_asOftenAsTheBandsPromise() {
        List<String> texts = texts(60, 6);
        Map<String, Double> all = allPairs(texts);
        double threshold = 0.6;

        Map<String, Double> found = found(texts, threshold);

        // every pair that is found is one, with the same similarity
        found.forEach((pair, similarity) -> assertThat(similarity).as(pair).isEqualTo(all.get(pair)));
        Map<String, Double> wanted = new TreeMap<>(all);
        wanted.values().removeIf(similarity -> similarity < threshold);
        assertThat(wanted.keySet()).containsAll(found.keySet()).hasSizeGreaterThan(200);
        double expected = wanted.values().stream().mapToDouble(HASH::recall).sum();
        double variance = wanted.values().stream()
                .mapToDouble(similarity -> HASH.recall(similarity) * (1 - HASH.recall(similarity)))
                .sum();
        // pairs of one family are not independent, so more than three deviations of independent ones
        assertThat((double) found.size())
                .isBetween(expected - 6 * Math.sqrt(variance), expected + 6 * Math.sqrt(variance));
        // well above the threshold next to none is missed
        long high =
                wanted.values().stream().filter(similarity -> similarity >= 0.9).count();
        long highFound =
                found.values().stream().filter(similarity -> similarity >= 0.9).count();
        assertThat(highFound).isGreaterThanOrEqualTo((long) Math.floor(0.98 * high));
    }

    @Test
    void firstWins_dropsWhatTheGreedyLoopDrops() {
        SplittableRandom random = new SplittableRandom(5);
        int rows = 80;
        List<String> names = java.util.stream.IntStream.range(0, rows)
                .mapToObj(row -> "text " + row)
                .toList();
        Set<String> pairs = new TreeSet<>();
        for (int pair = 0; pair < 150; pair++) {
            int a = random.nextInt(rows);
            int b = random.nextInt(rows);
            if (a != b) {
                pairs.add(Math.min(a, b) + " " + Math.max(a, b));
            }
        }
        Set<Integer> stay = new TreeSet<>();
        for (int row = 0; row < rows; row++) {
            int later = row;
            if (stay.stream().noneMatch(earlier -> pairs.contains(earlier + " " + later))) {
                stay.add(row);
            }
        }

        var table = spark.texts(names);
        table.createOrReplaceTempView("texts");
        String list = String.join("','", pairs);
        var found = FirstWins.dropped(spark.session.sql("select struct(a.position, a.row_id) as earlier,"
                + " struct(b.position, b.row_id) as later, 1.0D as similarity from texts a join texts b"
                + " on concat(a.row_id, ' ', b.row_id) in ('" + list + "')"));

        Set<Integer> dropped = new TreeSet<>();
        for (Row row : found.collectAsList()) {
            int earlier = Integer.parseInt(
                    row.getStruct(row.fieldIndex(FirstWins.EARLIER)).getString(1));
            int later = Integer.parseInt(
                    row.getStruct(row.fieldIndex(FirstWins.LATER)).getString(1));
            assertThat(stay).contains(earlier);
            assertThat(pairs).contains(earlier + " " + later);
            assertThat(dropped.add(later)).isTrue();
        }
        Set<Integer> expected =
                new TreeSet<>(java.util.stream.IntStream.range(0, rows).boxed().toList());
        expected.removeAll(stay);
        assertThat(dropped).isEqualTo(expected).hasSizeGreaterThan(20);
    }

    @Test
    void novelty_pairsAreThoseOfAllComparisons() {
        List<String> texts = List.of(
                "Name three uses of vinegar in a kitchen",
                "Name three uses of vinegar in the kitchen",
                "Name three uses of salt",
                "Tell a joke",
                "介绍一下北京的历史和文化",
                "介绍一下北京的历史与文化");
        Set<String> expected = new TreeSet<>();
        for (int a = 0; a < texts.size(); a++) {
            for (int b = Math.max(a + 1, 1); b < texts.size(); b++) {
                if (Novelty.rougeL(
                                io.millrace.udf.TextMetrics.words(texts.get(a)),
                                io.millrace.udf.TextMetrics.words(texts.get(b)))
                        > 0.7) {
                    expected.add(a + " " + b);
                }
            }
        }
        Set<String> found = new TreeSet<>();
        for (Row pair : new Novelty(0.7)
                .pairs(spark.texts(texts), org.apache.spark.sql.functions.expr("row_id <> '0'"))
                .collectAsList()) {
            found.add(pair.getStruct(0).getString(1) + " " + pair.getStruct(1).getString(1));
        }
        assertThat(found).isEqualTo(expected).containsExactlyInAnyOrder("0 1", "4 5");
    }
}
