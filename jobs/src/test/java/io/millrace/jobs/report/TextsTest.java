package io.millrace.jobs.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;
import org.junit.jupiter.api.Test;

class TextsTest {

    @Test
    void shown_controlsAndDirections_areSeenByTheirNumbers() {
        assertThat(Texts.shown("a\u202Eb\u0000c\u2028d\uFEFFe\uD800f"))
                .isEqualTo("a⟨U+202E⟩b⟨U+0000⟩c⟨U+2028⟩d⟨U+FEFF⟩e⟨U+D800⟩f");
        assertThat(Texts.shown("line\n\tنمی\u200Cخواهم 日本 😀")).isEqualTo("line\n\tنمی\u200Cخواهم 日本 😀");
    }

    @Test
    void shown_longText_isCutBetweenCharactersAndSaysHowMuchIsMissing() {
        assertThat(Texts.shown("😀".repeat(5), 3)).isEqualTo("😀😀😀 … (4 more characters)");
    }

    @Test
    void page_hostileTexts_stayTexts() {
        String hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"' onload=\"x\" <!-- ]]>";
        Page page = new Page(hostile);
        Element section = page.section("rows", hostile);
        Table.in(section, hostile, hostile).row(hostile);
        Page.text(Page.details(section, hostile), hostile);
        Page.chart(section, Chart.bars(hostile, hostile, hostile, List.of(hostile), List.of(1.0)));

        String html = page.html(hostile);

        Document read = Jsoup.parse(html);
        assertThat(read.select("script")).hasSize(2);
        assertThat(read.select("[onerror], [onload], img, iframe, link")).isEmpty();
        assertThat(read.select("td").text()).isEqualTo(hostile);
        assertThat(read.select("h1").text()).isEqualTo(hostile);
        assertThat(read.select("canvas").attr("data-chart")).contains("</script><script>alert(1)");
        // only the page's own scripts are outside of quotes
        assertThat(html.split("<script>", -1)).hasSize(3);
    }

    @Test
    void page_policy_forbidsEveryRequestAndKnowsItsOwnScripts() {
        Page page = new Page("a page");
        Page.chart(page.section("x", "X"), Chart.bars("c", "x", "y", List.of("1"), List.of(1.0)));
        String html = page.html("");
        String policy = Jsoup.parse(html).select("meta[http-equiv]").attr("content");

        assertThat(policy)
                .startsWith("default-src 'none'; img-src data:; style-src 'sha256-")
                .doesNotContain("unsafe", "http", "*");
        assertThat(policy.split("sha256-", -1)).hasSize(4);
        assertThat(html).contains("The MIT License").doesNotContain("sourceMappingURL");
        assertThat(html).startsWith("<!doctype html>");
    }
}
