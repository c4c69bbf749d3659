package io.millrace.udf;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import opennlp.tools.langdetect.Language;
import opennlp.tools.langdetect.LanguageDetectorME;
import opennlp.tools.langdetect.LanguageDetectorModel;
import org.jspecify.annotations.Nullable;

/// Tells which language a text is in, by OpenNLP's model of 103 languages. Confined to one thread; the
/// model is shared by all of a process, is read when the first text is asked about and stays, 34 MB.
public final class Languages {
    private static final String MODEL = "/langdetect-183.bin";
    /// Code units that are looked at: a text's first ones say what the others would, and an answer's cost
    /// does not grow with it.
    static final int LOOKED_AT = 400;
    /// How much likelier than the second the first language must be. Of lines of a few words the detector
    /// names whatever comes; those are nearer to each other than this.
    private static final double SURE = 1.2;

    private @Nullable LanguageDetectorME detector;

    /// Its one owner is the class; a few megabytes that do not change need no closing.
    private static final class Model {
        static final LanguageDetectorModel OF_ALL = read();

        private static LanguageDetectorModel read() {
            try (InputStream in = Languages.class.getResourceAsStream(MODEL)) {
                if (in == null) {
                    throw new IllegalStateException(MODEL + ": expected on the class path");
                }
                return new LanguageDetectorModel(in);
            } catch (IOException e) {
                throw new UncheckedIOException(MODEL, e);
            }
        }
    }

    /// @return code of ISO 639-3; null if the text has too little to tell
    public @Nullable String of(String text) {
        if (text.codePoints().noneMatch(Character::isLetter)) {
            return null;
        }
        Language[] found = detector().predictLanguages(start(text));
        return found[0].getConfidence() < SURE * found[1].getConfidence() ? null : found[0].getLang();
    }

    /// The likeliest language, however unsure; for texts that are known to be in one.
    ///
    /// @return code of ISO 639-3; null of a text without a letter
    public @Nullable String likeliest(String text) {
        return text.codePoints().anyMatch(Character::isLetter)
                ? detector().predictLanguage(start(text)).getLang()
                : null;
    }

    /// Made when there is an answer: no prompt waits for the model to be read.
    private LanguageDetectorME detector() {
        LanguageDetectorME made = detector;
        if (made == null) {
            made = new LanguageDetectorME(Model.OF_ALL);
            detector = made;
        }
        return made;
    }

    /// What of a text is looked at; never half a surrogate pair.
    static String start(String text) {
        if (text.length() <= LOOKED_AT) {
            return text;
        }
        return text.substring(0, Character.isHighSurrogate(text.charAt(LOOKED_AT - 1)) ? LOOKED_AT - 1 : LOOKED_AT);
    }
}
