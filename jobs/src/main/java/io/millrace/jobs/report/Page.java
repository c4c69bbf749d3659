package io.millrace.jobs.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Map;
import java.util.Properties;
import org.jsoup.nodes.Comment;
import org.jsoup.nodes.DataNode;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.DocumentType;
import org.jsoup.nodes.Element;
import org.jspecify.annotations.Nullable;

/// A page that is whole by itself: style, scripts, charts and pictures are in it, and its policy forbids the
/// browser to ask anyone for anything, and to run a script or apply a style other than those, which it
/// knows by their hashes. Whatever is put in as text is text: jsoup writes it escaped.
final class Page {
    /// Where the WebJar of Chart.js has its files.
    private static final String WEB_JAR = "META-INF/resources/webjars/chart.js/";

    private static final String WEB_JAR_POM = "META-INF/maven/org.webjars.npm/chart.js/pom.properties";

    private final Document document;
    private final Element navigation;
    private final Element main;

    Page(String title) {
        document = Document.createShell("");
        document.outputSettings().prettyPrint(false);
        document.title(title);
        document.getElementsByTag("html").attr("lang", "en");
        document.prependChild(new DocumentType("html", "", ""));
        Element body = document.body();
        body.appendElement("h1").text(title);
        navigation = body.appendElement("nav");
        body.appendElement("noscript").text("The charts need JavaScript; everything else does not.");
        main = body.appendElement("main");
    }

    /// What stands before the first section.
    Element top() {
        return main;
    }

    /// A part that the navigation leads to.
    ///
    /// @param id name of it in the page, a word
    Element section(String id, String title) {
        navigation.appendElement("a").attr("href", "#" + id).text(title);
        Element section = main.appendElement("section").attr("id", id);
        section.appendElement("h2").text(title);
        return section;
    }

    /// Whether it has no section.
    boolean isEmpty() {
        return navigation.childrenSize() == 0;
    }

    /// Figures that are to be seen first.
    static void tiles(Element parent, Map<String, String> figures) {
        Element list = parent.appendElement("dl").addClass("tiles");
        figures.forEach((name, value) -> {
            Element tile = list.appendElement("div");
            tile.appendElement("dt").text(name);
            tile.appendElement("dd").text(value);
        });
    }

    static void chart(Element parent, Chart chart) {
        Element figure = parent.appendElement("figure");
        figure.appendElement("figcaption").text(chart.caption());
        figure.appendElement("div")
                .addClass("chart")
                .appendElement("canvas")
                .attr("role", "img")
                .attr("aria-label", chart.caption())
                .attr("data-chart", chart.json());
    }

    /// A text with its own line breaks, written by whoever.
    static void text(Element parent, String text) {
        parent.appendElement("div").addClass("text").attr("dir", "auto").text(text);
    }

    /// Something to open.
    static Element details(Element parent, String summary) {
        Element details = parent.appendElement("details");
        details.appendElement("summary").text(summary);
        return details;
    }

    /// The page as HTML.
    String html(String footer) {
        document.body().appendElement("footer").text(footer);
        String style = resource(Page.class, "report.css");
        String charts = resource(Page.class.getClassLoader(), chartJs("dist/chart.umd.min.js"))
                .replaceFirst("\n//# sourceMappingURL=.*", "\n");
        String script = resource(Page.class, "report.js");
        Element head = document.head();
        head.prependElement("meta")
                .attr("http-equiv", "Content-Security-Policy")
                .attr(
                        "content",
                        "default-src 'none'; img-src data:; style-src " + hash(style) + "; script-src " + hash(charts)
                                + " " + hash(script) + "; base-uri 'none'; form-action 'none'");
        head.prependElement("meta").attr("charset", "utf-8");
        head.appendElement("meta").attr("name", "viewport").attr("content", "width=device-width, initial-scale=1");
        head.appendElement("meta").attr("name", "referrer").attr("content", "no-referrer");
        head.appendElement("style").appendChild(new DataNode(style));
        if (!document.select("canvas").isEmpty()) {
            document.body()
                    .appendChild(
                            new Comment(" Chart.js: " + resource(Page.class.getClassLoader(), chartJs("LICENSE.md"))));
            script(charts);
            script(script);
        }
        return document.outerHtml();
    }

    private void script(String text) {
        document.body().appendElement("script").appendChild(new DataNode(text));
    }

    private static String chartJs(String file) {
        Properties pom = new Properties();
        try (InputStream in = Page.class.getClassLoader().getResourceAsStream(WEB_JAR_POM)) {
            if (in == null) {
                throw new IllegalStateException(WEB_JAR_POM + ": expected the WebJar of Chart.js on the class path");
            }
            pom.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(WEB_JAR_POM, e);
        }
        return WEB_JAR + pom.getProperty("version") + "/" + file;
    }

    private static String resource(Class<?> beside, String name) {
        return read(beside.getResourceAsStream(name), name);
    }

    private static String resource(ClassLoader loader, String name) {
        return read(loader.getResourceAsStream(name), name);
    }

    private static String read(@Nullable InputStream resource, String name) {
        try (InputStream in = resource) {
            if (in == null) {
                throw new IllegalStateException(name + ": expected on the class path, got none");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(name, e);
        }
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'";
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
