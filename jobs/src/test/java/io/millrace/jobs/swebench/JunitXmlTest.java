package io.millrace.jobs.swebench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import org.junit.jupiter.api.Test;

class JunitXmlTest {

    @Test
    void parse_twoReportsInALog_everyTestByClassAndName() {
        String log = """
                [INFO] BUILD FAILURE
                <?xml version="1.0" encoding="UTF-8"?>
                <testsuite name="a.ATest" tests="4">
                  <properties><property name="x" value="&lt;testcase&gt;"/></properties>
                  <testcase name="passes" classname="a.ATest" time="0.1"><system-out><![CDATA[<failure/>]]></system-out></testcase>
                  <testcase name="fails" classname="a.ATest"><failure message="no">trace</failure></testcase>
                  <testcase name="breaks" classname="a.ATest"><error type="java.io.IOException"/></testcase>
                  <testcase name="waits" classname="a.ATest"><skipped/></testcase>
                </testsuite>
                <?xml version="1.0"?><testsuites><testsuite><testcase name="b" classname="B"/></testsuite></testsuites>
                """;

        assertThat(JunitXml.parse(log))
                .containsExactly(
                        entry("a.ATest#passes", TestStatus.PASSED),
                        entry("a.ATest#fails", TestStatus.FAILED),
                        entry("a.ATest#breaks", TestStatus.ERROR),
                        entry("a.ATest#waits", TestStatus.SKIPPED),
                        entry("B#b", TestStatus.PASSED));
    }

    @Test
    void parse_definitionsOrCutOff_nothing() {
        assertThat(JunitXml.parse("<?xml version='1.0'?><testsuite><testcase name='a' classname='A'/>"))
                .isEmpty();
        assertThat(JunitXml.parse("<?xml version='1.0'?><!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>"
                        + "<testsuite><testcase name='&f;' classname='A'/></testsuite>"))
                .isEmpty();
    }
}
