package io.millrace.jobs.generate;

import java.util.LinkedHashMap;
import java.util.Map;

/// The kinds of steps by the names that pipeline files use.
final class Steps {
    private static final Map<String, Reader> KINDS = kinds();

    private interface Reader {
        Step read(String name, Parameters parameters);
    }

    private Steps() {}

    private static Map<String, Reader> kinds() {
        Map<String, Reader> kinds = new LinkedHashMap<>();
        kinds.put("seeds", SeedStep::read);
        kinds.put("magpie", MagpieStep::read);
        kinds.put("self-instruct", SelfInstructStep::read);
        kinds.put("evolve", EvolveStep::read);
        kinds.put("answer", AnswerStep::read);
        kinds.put("verify", VerifyStep::read);
        kinds.put("judge", JudgeStep::read);
        kinds.put("reject", RejectStep::read);
        kinds.put("pair", PairStep::read);
        kinds.put("deduplicate", DeduplicateStep::read);
        kinds.put("decontaminate", DecontaminateStep::read);
        kinds.put("annotate", AnnotateStep::read);
        kinds.put("filter", FilterStep::read);
        return kinds;
    }

    static Step read(String kind, String name, Parameters parameters) {
        Reader reader = KINDS.get(kind);
        if (reader == null) {
            parameters.wrong("kind", "one of " + KINDS.keySet(), kind);
            // whatever it is, nothing runs with a problem
            return (_, in) -> new Step.Made(in, 0);
        }
        return reader.read(name, parameters);
    }
}
