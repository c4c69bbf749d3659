package io.millrace.jobs.swebench;

import java.io.StringReader;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.jspecify.annotations.Nullable;

/// JUnit's XML, as Surefire, Gradle and many others write it, printed into a log: `class#test` by
/// status. It names the tests that pass, so one build can run many.
final class JunitXml {
    private static final Pattern DOCUMENT =
            Pattern.compile("<\\?xml[^>]*\\?>\\s*<(testsuites?)\\b.*?</\\1>", Pattern.DOTALL);

    private JunitXml() {}

    /// A document that is cut off does not count, and one that is no XML counts until there: a test that is
    /// missing has not passed.
    static Map<String, TestStatus> parse(String log) {
        Map<String, TestStatus> tests = new LinkedHashMap<>();
        Matcher document = DOCUMENT.matcher(log);
        while (document.find()) {
            try {
                read(document.group(), tests);
            } catch (XMLStreamException _) {
                // its tests from here on are missing
            }
        }
        return tests;
    }

    private static void read(String document, Map<String, TestStatus> into) throws XMLStreamException {
        XMLInputFactory factory = XMLInputFactory.newFactory();
        // the log is a stranger's: no definitions, no files of this machine
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        XMLStreamReader xml = factory.createXMLStreamReader(new StringReader(document));
        @Nullable String test = null;
        TestStatus status = TestStatus.PASSED;
        while (xml.hasNext()) {
            int event = xml.next();
            if (event == XMLStreamConstants.START_ELEMENT) {
                switch (xml.getLocalName()) {
                    case "testcase" -> {
                        test = xml.getAttributeValue(null, "classname") + "#" + xml.getAttributeValue(null, "name");
                        status = TestStatus.PASSED;
                    }
                    case "failure" -> status = TestStatus.FAILED;
                    case "error" -> status = TestStatus.ERROR;
                    case "skipped" -> status = TestStatus.SKIPPED;
                    default -> {}
                }
            } else if (event == XMLStreamConstants.END_ELEMENT
                    && xml.getLocalName().equals("testcase")
                    && test != null) {
                into.put(test, status);
                test = null;
            }
        }
    }
}
