package io.millrace.jobs.swebench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;

/// Which files of a repository are most like an issue, by BM25 with k1 = 0.9 and b = 0.4 over English
/// stems: what the official retrieval (Pyserini's defaults) uses. A document is a file's name and its text.
final class Bm25 {
    private static final String TEXT = "text";
    private static final String NAME = "name";
    private static final float K1 = 0.9f;
    private static final float B = 0.4f;
    /// Most different words of a question; those that come first in it.
    private static final int MAX_WORDS = 1024;

    private Bm25() {}

    /// @param limit how many files at most
    /// @return their names, the likeliest first
    static List<String> search(SourceTree tree, String question, int limit) throws IOException {
        try (Directory directory = new ByteBuffersDirectory();
                Analyzer analyzer = new EnglishAnalyzer()) {
            index(tree, directory, analyzer);
            try (DirectoryReader reader = DirectoryReader.open(directory)) {
                IndexSearcher searcher = new IndexSearcher(reader);
                searcher.setSimilarity(new BM25Similarity(K1, B));
                List<String> names = new ArrayList<>();
                for (ScoreDoc found : searcher.search(query(question, analyzer), limit).scoreDocs) {
                    names.add(searcher.storedFields().document(found.doc).get(NAME));
                }
                return names;
            }
        }
    }

    private static void index(SourceTree tree, Directory directory, Analyzer analyzer) throws IOException {
        IndexWriterConfig config = new IndexWriterConfig(analyzer).setSimilarity(new BM25Similarity(K1, B));
        try (IndexWriter writer = new IndexWriter(directory, config)) {
            for (String name : tree.sources()) {
                Document document = new Document();
                document.add(new StoredField(NAME, name));
                document.add(new TextField(TEXT, name + "\n" + tree.read(name), Field.Store.NO));
                writer.addDocument(document);
            }
        }
    }

    /// Each word counts as often as it occurs.
    private static BooleanQuery query(String question, Analyzer analyzer) throws IOException {
        Map<String, Integer> words = new LinkedHashMap<>();
        try (TokenStream tokens = analyzer.tokenStream(TEXT, question)) {
            CharTermAttribute word = tokens.addAttribute(CharTermAttribute.class);
            tokens.reset();
            while (tokens.incrementToken()) {
                if (words.size() < MAX_WORDS || words.containsKey(word.toString())) {
                    words.merge(word.toString(), 1, Integer::sum);
                }
            }
            tokens.end();
        }
        BooleanQuery.Builder query = new BooleanQuery.Builder();
        words.forEach((word, count) ->
                query.add(new BoostQuery(new TermQuery(new Term(TEXT, word)), count), BooleanClause.Occur.SHOULD));
        return query.build();
    }
}
