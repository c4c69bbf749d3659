package io.millrace.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.conditions.ArchPredicates.are;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;

/// The rules, for the packages below one root: the program's own, or planted ones that break them.
///
/// @param root name of the package that holds `engine`, `udf` and the rest
record Architecture(String root) {
    /// What the packages of the program may use of each other, themselves aside. A trailing `..` takes in
    /// what is below; a name without it is that one package.
    private static final Map<String, List<String>> MAY_USE = mayUse();

    private static Map<String, List<String>> mayUse() {
        Map<String, List<String>> table = new LinkedHashMap<>();
        table.put("schemas..", List.of());
        table.put("engine.api..", List.of());
        table.put("engine.tensor..", List.of("engine.api"));
        table.put("engine.kernel..", List.of("engine.api", "engine.tensor"));
        table.put("engine.device..", List.of("engine.api", "engine.tensor", "engine.kernel"));
        table.put("engine.cache..", List.of("engine.api", "engine.tensor", "engine.kernel", "engine.device"));
        table.put(
                "engine.model..",
                List.of("engine.api", "engine.tensor", "engine.kernel", "engine.device", "engine.cache"));
        table.put("engine.checkpoint..", List.of("engine.api", "engine.tensor", "engine.model"));
        table.put("engine.tokenizer..", List.of("engine.api"));
        table.put("engine.chat..", List.of("engine.api", "engine.tokenizer"));
        table.put("engine.json..", List.of("engine.api", "engine.tokenizer"));
        table.put(
                "engine.decode..",
                List.of(
                        "engine.api",
                        "engine.tensor",
                        "engine.kernel",
                        "engine.device",
                        "engine.cache",
                        "engine.json",
                        "engine.model",
                        "engine.tokenizer"));
        table.put("engine", List.of("engine.."));
        table.put("npu..", List.of("engine.api", "engine.device", "engine.kernel", "engine.tensor"));
        table.put("udf..", List.of("engine", "engine.api", "engine.chat", "engine.tokenizer", "schemas.."));
        table.put("jobs", List.of("jobs..", "udf..", "schemas..", "engine.api", "npu.cards"));
        table.put("jobs.cards..", List.of("udf..", "engine.api", "npu.cards"));
        table.put("jobs.export..", List.of("jobs..", "udf..", "schemas..", "engine.api"));
        table.put("jobs.generate..", List.of("jobs..", "udf..", "schemas.."));
        table.put("jobs.inspect..", List.of("jobs..", "udf..", "schemas..", "engine..", "npu.cards"));
        table.put("jobs.plan..", List.of("jobs..", "udf..", "schemas..", "engine.api"));
        table.put("jobs.serve..", List.of("jobs..", "udf..", "schemas..", "engine.."));
        table.put("jobs.summarize..", List.of("jobs..", "udf..", "schemas..", "engine.api"));
        table.put("jobs.report..", List.of("jobs..", "udf..", "schemas.."));
        table.put("jobs.rollout..", List.of("jobs..", "udf..", "schemas..", "engine.api"));
        table.put("jobs.bench..", List.of("jobs..", "udf..", "schemas..", "engine.."));
        return table;
    }

    /// Every rule by its name.
    Map<String, ArchRule> rules() {
        Map<String, ArchRule> rules = new LinkedHashMap<>();
        MAY_USE.forEach((name, allowed) -> rules.put("layer " + name, layer(name, allowed)));
        rules.put("schemas alone", schemasAlone());
        rules.put("engine alone", engineAlone());
        rules.put("no cycles", noCycles());
        rules.put("vector api", vectorApi());
        rules.put("native calls", nativeCalls());
        rules.put("spark at the edge", sparkAtTheEdge());
        rules.put("standard streams", standardStreams());
        rules.put("bare exceptions", bareExceptions());
        rules.put("null marked", nullMarked());
        rules.put("serializable", serializable());
        return rules;
    }

    private ArchRule layer(String name, List<String> allowed) {
        String[] known =
                Stream.concat(Stream.of(name), allowed.stream()).map(this::in).toArray(String[]::new);
        return noClasses()
                .that()
                .resideInAPackage(in(name))
                .should()
                .dependOnClassesThat(are(resideInAPackage(in("..")).and(not(resideInAnyPackage(known)))))
                .because(name + " may use " + (allowed.isEmpty() ? "no other package" : String.join(", ", allowed))
                        + " of the program")
                .allowEmptyShould(true);
    }

    private ArchRule schemasAlone() {
        return classes()
                .that()
                .resideInAPackage(in("schemas.."))
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("java..", "org.jspecify..", in("schemas.."))
                .because("the words on disk are read by programs that have nothing else of ours");
    }

    private ArchRule engineAlone() {
        return noClasses()
                .that()
                .resideInAPackage(in("engine.."))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.apache.spark..", "org.apache.hadoop..", "com.google.common..", "scala..")
                .because("the model on one machine knows no Spark");
    }

    private ArchRule noCycles() {
        return slices().matching(in("engine.(*).."))
                .should()
                .beFreeOfCycles()
                .because("inside the engine imports point one way");
    }

    private ArchRule vectorApi() {
        return noClasses()
                .that()
                .resideOutsideOfPackage(in("engine.kernel.."))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jdk.incubator.vector..")
                .because("an incubating interface changes; kernels have scalar twins");
    }

    private ArchRule nativeCalls() {
        return noClasses()
                .that()
                .resideOutsideOfPackages(in("npu.."), in("engine.kernel"))
                .should()
                .dependOnClassesThat()
                .haveNameMatching("java\\.lang\\.foreign\\.(Linker|SymbolLookup)")
                .because("native code is called where a device or the kernels need it");
    }

    private ArchRule sparkAtTheEdge() {
        return noClasses()
                .that()
                .resideOutsideOfPackages(in("udf.."), in("jobs.."))
                .should()
                .dependOnClassesThat()
                .haveNameMatching("org\\.apache\\.spark\\.(TaskContext|sql\\.(classic\\.)?SparkSession)")
                .because("only udf and jobs run inside Spark");
    }

    private ArchRule standardStreams() {
        return noClasses()
                .that()
                .doNotHaveFullyQualifiedName(in("jobs.Millrace"))
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .orShould()
                .callMethod(Throwable.class, "printStackTrace")
                .because("commands write to the writers they are given, everything else logs");
    }

    private ArchRule bareExceptions() {
        return noClasses()
                .should()
                .callConstructorWhere(describe(
                        "builds a bare exception",
                        call -> isBare(call.getTargetOwner().getName())
                                // what calls its own parent's constructor is a type of its own
                                && !call.getOriginOwner().isAssignableTo(Throwable.class)))
                .because("a fault has a type, and the engine's has an ErrorCode");
    }

    private static boolean isBare(String exception) {
        return List.of("java.lang.RuntimeException", "java.lang.Exception", "java.lang.Error", "java.lang.Throwable")
                .contains(exception);
    }

    private ArchRule nullMarked() {
        return classes().should(new ArchCondition<>("be in a package that is @NullMarked") {
            @Override
            public void check(JavaClass item, ConditionEvents events) {
                boolean marked = item.getPackage().isAnnotatedWith(NullMarked.class);
                events.add(new SimpleConditionEvent(
                        item, marked, item.getName() + ": its package has no package-info with @NullMarked"));
            }
        });
    }

    private ArchRule serializable() {
        return noClasses()
                .that()
                .resideInAPackage(in("engine.."))
                .and()
                .areNotAssignableTo(Throwable.class)
                .and()
                .areNotEnums()
                .should()
                .beAssignableTo(Serializable.class)
                .because("what lives on an executor is built there and never travels");
    }

    /// The layers that hold no class of `imported`.
    List<String> emptyLayers(Iterable<JavaClass> imported) {
        List<String> empty = new ArrayList<>(MAY_USE.keySet());
        for (JavaClass item : imported) {
            empty.removeIf(name -> resideInAPackage(in(name)).test(item));
        }
        return empty;
    }

    private String in(String name) {
        return name.startsWith("..") ? root + name : root + "." + name;
    }
}
