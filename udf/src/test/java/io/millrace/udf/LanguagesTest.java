package io.millrace.udf;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LanguagesTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            eng | Once upon a time there was a fox who lost the way home and asked the owl for help.
            deu | Der Fuchs lernt, die Eule um Hilfe zu bitten, und findet am Ende nach Hause.
            fra | Le renard apprend à demander de l'aide au hibou et rentre chez lui avant la nuit.
            cmn | 这个软件包包含图形库的开发文件和静态库，供程序员在编译自己的程序时使用。
            jpn | このパッケージには、図書館の開発ファイルが含まれています。
            rus | Пакет содержит файлы разработки библиотеки и примеры программ для начинающих.
            """)
    void of_sentence_isItsLanguage(String language, String text) {
        assertThat(new Languages().of(text)).isEqualTo(language);
    }

    @ParameterizedTest
    @CsvSource({"''", "42 + 17", "loop loop loop", "perl module for XML parsing"})
    void of_tooLittleToTell_isNull(String text) {
        assertThat(new Languages().of(text)).isNull();
    }

    @Test
    void start_longText_isCutBetweenCharacters() {
        String text = "x".repeat(Languages.LOOKED_AT - 1) + "\uD83E\uDD8A and more";

        assertThat(Languages.start(text)).isEqualTo("x".repeat(Languages.LOOKED_AT - 1));
        assertThat(Languages.start("short")).isEqualTo("short");
    }
}
