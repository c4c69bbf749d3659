package io.millrace.jobs.report;

import java.net.URI;
import java.net.URISyntaxException;
import org.apache.hadoop.fs.Path;
import org.jsoup.nodes.Element;

/// Links from a page to files of the output it is about: relative where the page lies on the same file
/// system, else by the file's own address.
///
/// @param output directory that the page is about
/// @param page folder the page lies in
record Links(Path output, Path page) {

    /// Adds a link to a file of the output.
    ///
    /// @param file path in the output, of names that may hold anything
    void add(Element parent, String file, String text) {
        parent.appendElement("a").attr("href", address(file)).text(text);
        parent.appendText(" ");
    }

    String address(String file) {
        URI target = new Path(output, file).toUri();
        URI base = page.toUri();
        boolean same = String.valueOf(target.getScheme()).equals(String.valueOf(base.getScheme()))
                && String.valueOf(target.getAuthority()).equals(String.valueOf(base.getAuthority()));
        return same ? relative(base.getPath(), target.getPath()) : target.toASCIIString();
    }

    /// Always begins with a dot, so that no name is taken for a scheme.
    private static String relative(String from, String to) {
        java.nio.file.Path way = java.nio.file.Path.of(from).relativize(java.nio.file.Path.of(to));
        try {
            String path = way.toString();
            return new URI(null, null, path.startsWith(".") ? path : "./" + path, null).toASCIIString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException("a path can be written as a relative address", e);
        }
    }
}
