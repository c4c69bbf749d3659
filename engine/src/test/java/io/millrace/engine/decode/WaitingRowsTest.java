package io.millrace.engine.decode;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.api.GenerationRequest;
import io.millrace.engine.api.SamplingParams;
import io.millrace.engine.api.TokenIds;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class WaitingRowsTest {

    private static Sequence row(int promptTokens, int maxTokens) {
        GenerationRequest request =
                new GenerationRequest("a", TokenIds.of(new int[promptTokens]), SamplingParams.greedy(maxTokens));
        return new Generation(request, new CompletableFuture<>(), null, List.of(), null, null, 1, 0);
    }

    private static List<String> order(WaitingRows rows) {
        List<String> order = new ArrayList<>();
        for (Sequence row : rows) {
            order.add(row.promptSize() + "+" + row.maxTokens());
        }
        return order;
    }

    @Test
    void order_longCompletionsFirstThenShortPrompts() {
        WaitingRows rows = new WaitingRows(10);
        rows.add(row(5, 10));
        rows.add(row(3, 10));
        rows.add(row(9, 20));
        rows.add(row(4, 1));
        assertThat(order(rows)).containsExactly("9+20", "3+10", "5+10", "4+1");
    }

    @Test
    void order_onlyTheFirstThatArrivedAreSorted() {
        WaitingRows rows = new WaitingRows(2);
        rows.add(row(5, 1));
        rows.add(row(3, 1));
        rows.add(row(1, 1));
        rows.add(row(1, 2));
        assertThat(order(rows)).containsExactly("3+1", "5+1", "1+2", "1+1");
    }

    @Test
    void remove_leavesTheOthersInOrder() {
        WaitingRows rows = new WaitingRows(2);
        for (int prompt = 1; prompt <= 5; prompt++) {
            rows.add(row(prompt, 1));
        }
        Iterator<Sequence> iterator = rows.iterator();
        while (iterator.hasNext()) {
            if (iterator.next().promptSize() % 2 == 0) {
                iterator.remove();
            }
        }
        assertThat(rows.size()).isEqualTo(3);
        assertThat(order(rows)).containsExactly("1+1", "3+1", "5+1");
    }
}
