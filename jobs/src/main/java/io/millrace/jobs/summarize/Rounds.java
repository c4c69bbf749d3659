package io.millrace.jobs.summarize;

import io.millrace.jobs.summarize.Progress.Piece;
import io.millrace.jobs.summarize.Progress.Summary;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What is asked about a document in each round, and what becomes of the answers: a function of the
/// document, of how far it is, and of the answers, and of nothing else. Confined to one task.
///
/// A document ends with one request of which the answer is its summary: of its only chunk, of the last
/// chunk and the summary before it (refine), or of all summaries once they fit one prompt.
final class Rounds {
    private static final String BETWEEN = "\n\n";

    private final Strategy strategy;
    private final FailedChunks failedChunks;
    private final Prompts prompts;

    Rounds(SummarizeConfig config, Prompts prompts) {
        strategy = config.strategy();
        failedChunks = config.failedChunks();
        this.prompts = prompts;
    }

    /// A request of one piece.
    ///
    /// @param piece its place among the pieces of the document's level
    record Request(int piece, Piece of, String text, String prompt) {}

    /// What became of a request.
    ///
    /// @param text null if it failed
    /// @param error why; null if it did not
    record Answer(@Nullable String text, @Nullable String error) {}

    /// Where a document begins.
    Progress begin(Document document) {
        List<Piece> pieces = new ArrayList<>();
        List<Chunk> chunks = document.chunks();
        Progress progress = Progress.of(List.of());
        for (int index = 0; index < chunks.size(); index++) {
            int tokens = chunks.get(index).tokens();
            if (tokens <= document.chunkTokens()) {
                pieces.add(new Piece(index, index, null));
                continue;
            }
            String what = where(document, index, index) + ": a code block or table of " + tokens
                    + " tokens, which are never cut; expected at most " + document.chunkTokens();
            if (failedChunks == FailedChunks.FAIL) {
                return progress.failed(what);
            }
            progress = progress.without(what);
        }
        if (pieces.isEmpty()) {
            return chunks.isEmpty()
                    ? progress
                    : progress.failed("no chunk of " + chunks.size() + " could be summarised");
        }
        List<String> leftOut = progress.leftOut();
        progress = Progress.of(pieces);
        for (String what : leftOut) {
            progress = progress.without(what);
        }
        return settled(document, progress);
    }

    /// What is to be asked now; nothing of a document that is ready.
    List<Request> requests(Document document, Progress progress) {
        List<Request> requests = new ArrayList<>();
        if (!progress.isReady()) {
            int from = progress.next();
            int to = strategy == Strategy.MAP_REDUCE ? progress.pieces().size() : from + 1;
            for (int piece = from; piece < to; piece++) {
                Piece of = progress.pieces().get(piece);
                requests.add(new Request(piece, of, text(document, of), prompt(document, progress, of)));
            }
        }
        return requests;
    }

    /// Where a document is after its requests were answered.
    ///
    /// @param answers by the request's piece
    /// @throws IllegalStateException if one is missing
    Progress answered(Document document, Progress before, Map<Integer, Answer> answers) {
        Progress progress = before;
        int upTo = before.next() + requests(document, before).size();
        for (int piece = before.next(); piece < upTo; piece++) {
            Piece of = before.pieces().get(piece);
            Answer answer = answers.get(piece);
            if (answer == null) {
                throw new IllegalStateException("expected an answer about every piece, got none about " + of);
            }
            if (answer.text() != null && !answer.text().isBlank()) {
                progress = progress.with(
                        new Summary(of.first(), of.last(), answer.text().strip()));
                continue;
            }
            String what = where(document, of.first(), of.last()) + ": "
                    + (answer.error() == null ? "the summary is blank" : answer.error());
            if (failedChunks == FailedChunks.FAIL) {
                return progress.failed(what);
            }
            progress = progress.without(what);
        }
        return settled(document, progress.asked(upTo));
    }

    /// As far as a document comes without the model.
    private Progress settled(Document document, Progress progress) {
        List<Piece> pieces = progress.pieces();
        boolean isOnlyChunk = progress.level() == 1 && pieces.size() == 1 && progress.next() == 0;
        boolean isLast = strategy == Strategy.REFINE && progress.next() == pieces.size() - 1;
        if (isOnlyChunk || isLast) {
            return progress.ready(prompt(document, progress, pieces.get(progress.next())));
        }
        return progress.next() < pieces.size() ? progress : combined(document, progress);
    }

    /// The summaries of a level together: in the last prompt if they fit it, else in groups.
    private Progress combined(Document document, Progress progress) {
        List<Summary> summaries = progress.summaries();
        if (summaries.isEmpty()) {
            return progress.failed("no chunk of " + document.chunks().size() + " could be summarised");
        }
        String last = prompts.combine(joined(summaries), document.columns());
        if (prompts.fits(last)) {
            return progress.ready(last);
        }
        List<Piece> groups = groups(document, summaries);
        return groups.size() < summaries.size()
                ? settled(document, progress.nextLevel(groups))
                : progress.failed("the " + summaries.size() + " summaries of level " + progress.level()
                        + " do not fit a prompt, nor do two of them fit a chunk of " + document.chunkTokens()
                        + " tokens");
    }

    /// Neighbours together, as few groups as their tokens allow and as even as that leaves them.
    private List<Piece> groups(Document document, List<Summary> summaries) {
        int fewest = cut(summaries, document.chunkTokens(), summaries.size()).size();
        return cut(summaries, document.chunkTokens(), Math.ceilDiv(summaries.size(), fewest));
    }

    private List<Piece> cut(List<Summary> summaries, int mostTokens, int most) {
        List<Piece> groups = new ArrayList<>();
        int first = 0;
        for (int end = 1; end <= summaries.size(); end++) {
            boolean isFull = end == summaries.size()
                    || end - first == most
                    || prompts.tokens(joined(summaries.subList(first, end + 1))) > mostTokens;
            if (isFull) {
                List<Summary> group = summaries.subList(first, end);
                groups.add(new Piece(group.getFirst().first(), group.getLast().last(), joined(group)));
                first = end;
            }
        }
        return groups;
    }

    private String prompt(Document document, Progress progress, Piece piece) {
        String text = text(document, piece);
        String before = before(progress);
        if (!before.isEmpty()) {
            return prompts.goOn(before, text, document.columns());
        }
        return piece.text() == null
                ? prompts.plain(text, document.columns())
                : prompts.combine(text, document.columns());
    }

    /// The summary of what came before: the last one (refine), or as many of the last ones of this level as
    /// there is room for (hierarchical).
    private String before(Progress progress) {
        List<Summary> summaries = progress.summaries();
        if (strategy == Strategy.MAP_REDUCE || summaries.isEmpty()) {
            return "";
        }
        int from = summaries.size() - 1;
        while (strategy == Strategy.HIERARCHICAL
                && from > 0
                && prompts.tokens(joined(summaries.subList(from - 1, summaries.size()))) <= prompts.carryTokens()) {
            from--;
        }
        return joined(summaries.subList(from, summaries.size()));
    }

    private static String text(Document document, Piece piece) {
        return piece.text() == null ? document.chunk(piece.first()) : piece.text();
    }

    private static String joined(List<Summary> summaries) {
        return summaries.stream().map(Summary::text).collect(Collectors.joining(BETWEEN));
    }

    private static String where(Document document, int first, int last) {
        int count = document.chunks().size();
        String chunks = first == last ? "chunk " + first : "chunks " + first + " to " + last;
        return chunks + " of " + count + " (characters "
                + document.chunks().get(first).start() + " to "
                + document.chunks().get(last).end() + ")";
    }
}
