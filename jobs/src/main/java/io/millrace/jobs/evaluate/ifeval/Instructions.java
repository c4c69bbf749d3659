package io.millrace.jobs.evaluate.ifeval;

import io.millrace.jobs.evaluate.python.PythonText;
import io.millrace.udf.Languages;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.LongPredicate;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/// All instructions by their names. Confined to one thread.
///
/// Two differ from the reference: languages are told by OpenNLP and not by `langdetect`, whose word
/// changes from run to run; and a letter that is none of a to z is counted, where the reference counts
/// one that it draws.
public final class Instructions {
    private static final Set<String> ENGLISH = codes("en");

    private final Path punktFolder;
    private final Languages languages = new Languages();
    private final Map<String, Function<Arguments, Instruction>> byName = new TreeMap<>();
    private @Nullable Punkt punkt;

    /// Which of a document's instructions an answer follows, in their order.
    ///
    /// @param strict of the answer as it is
    /// @param loose of the answer, or of it without stars, first line, last line, in all combinations
    public record Followed(List<Boolean> strict, List<Boolean> loose) {
        public Followed {
            strict = List.copyOf(strict);
            loose = List.copyOf(loose);
        }
    }

    /// @param punktFolder NLTK's parameters by which sentences are told apart, see {@link Punkt}; read when the
    ///     first instruction asks for them
    public Instructions(Path punktFolder) {
        this.punktFolder = punktFolder;
        byName.put("keywords:existence", Words::existence);
        byName.put("keywords:frequency", Words::frequency);
        byName.put("keywords:forbidden_words", Words::forbidden);
        byName.put("keywords:letter_frequency", Words::letterFrequency);
        byName.put("language:response_language", this::language);
        byName.put("length_constraints:number_sentences", this::sentences);
        byName.put("length_constraints:number_paragraphs", Parts::starredParagraphs);
        byName.put("length_constraints:number_words", Words::number);
        byName.put("length_constraints:nth_paragraph_first_word", Parts::firstWord);
        byName.put("detectable_content:number_placeholders", Marks::placeholders);
        byName.put("detectable_content:postscript", Marks::postscript);
        byName.put("detectable_format:number_bullet_lists", Marks::bullets);
        byName.put("detectable_format:constrained_response", Marks::oneOfThree);
        byName.put("detectable_format:number_highlighted_sections", Marks::highlights);
        byName.put("detectable_format:multiple_sections", Parts::sections);
        byName.put("detectable_format:json_format", Marks::json);
        byName.put("detectable_format:title", Marks::title);
        byName.put("combination:two_responses", Parts::twoAnswers);
        byName.put("combination:repeat_prompt", Marks::repeated);
        byName.put("startend:end_checker", Marks::end);
        byName.put("startend:quotation", Marks::quoted);
        byName.put("change_case:capital_word_frequency", this::capitalFrequency);
        byName.put("change_case:english_capital", _ -> answer -> PythonText.isUpper(answer) && isEnglish(answer));
        byName.put("change_case:english_lowercase", _ -> answer -> PythonText.isLower(answer) && isEnglish(answer));
        byName.put("punctuation:no_comma", _ -> answer -> answer.indexOf(',') < 0);
    }

    /// The instructions of a document.
    ///
    /// @param document with `instruction_id_list` and as many `kwargs`
    /// @throws IllegalArgumentException if it lacks them, or one is not known, or lacks an argument
    public InstructionList of(Map<String, ? extends @Nullable Object> document) {
        if (!(document.get("instruction_id_list") instanceof List<?> names)
                || !(document.get("kwargs") instanceof List<?> arguments)
                || names.isEmpty()
                || names.size() != arguments.size()) {
            throw new IllegalArgumentException("expected instruction_id_list and as many kwargs, got "
                    + document.get("instruction_id_list") + " and " + document.get("kwargs"));
        }
        List<Instruction> instructions = new ArrayList<>();
        for (int index = 0; index < names.size(); index++) {
            instructions.add(one(String.valueOf(names.get(index)), arguments.get(index)));
        }
        return new InstructionList(instructions);
    }

    /// @throws IllegalArgumentException as {@link #of}, before anything is asked
    public void check(Map<String, ? extends @Nullable Object> document) {
        of(document);
    }

    private Instruction one(String name, @Nullable Object arguments) {
        Function<Arguments, Instruction> making = byName.get(name);
        if (making == null) {
            throw new IllegalArgumentException(name + ": expected an instruction of " + byName.keySet());
        }
        try {
            return making.apply(new Arguments(name, arguments instanceof Map<?, ?> map ? map : Map.of()));
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(name + ": expected a regular expression, got " + e.getPattern(), e);
        }
    }

    private Instruction sentences(Arguments arguments) {
        LongPredicate wanted = arguments.compared("relation", "num_sentences");
        Punkt splitter = punkt();
        return answer -> wanted.test(splitter.sentences(answer).size());
    }

    private Instruction capitalFrequency(Arguments arguments) {
        LongPredicate wanted = arguments.compared("capital_relation", "capital_frequency");
        Punkt splitter = punkt();
        return answer -> wanted.test(
                splitter.sentences(answer).stream().mapToLong(Words::capitals).sum());
    }

    private Punkt punkt() {
        Punkt read = punkt;
        if (read == null) {
            read = Punkt.read(punktFolder);
            punkt = read;
        }
        return read;
    }

    private Instruction language(Arguments arguments) {
        String code = arguments.text("language");
        Set<String> wanted = codes(code);
        return answer -> isIn(answer, wanted);
    }

    private boolean isEnglish(String answer) {
        return isIn(answer, ENGLISH);
    }

    /// An answer without a letter is in any language, as the reference counts it.
    private boolean isIn(String answer, Set<String> wanted) {
        String found = languages.likeliest(answer);
        return found == null || wanted.contains(found);
    }

    /// The detector's codes of a language: ISO 639-3, of which some name what ISO 639-1 has one code for.
    private static Set<String> codes(String code) {
        Set<String> codes = new HashSet<>();
        codes.add(Locale.forLanguageTag(code).getISO3Language());
        switch (code) {
            case "fa" -> codes.add("pes");
            case "pa" -> codes.add("pnb");
            case "zh", "zh-cn", "zh-tw" -> codes.add("cmn");
            case "et" -> codes.add("ekk");
            case "lv" -> codes.add("lvs");
            case "no" -> codes.addAll(Set.of("nob", "nno"));
            default -> {}
        }
        return codes;
    }
}
