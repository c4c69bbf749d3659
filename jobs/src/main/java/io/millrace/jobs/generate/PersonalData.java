package io.millrace.jobs.generate;

import com.google.i18n.phonenumbers.PhoneNumberUtil;
import com.google.i18n.phonenumbers.PhoneNumberUtil.Leniency;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.validator.routines.EmailValidator;
import org.apache.commons.validator.routines.IBANValidator;
import org.apache.commons.validator.routines.InetAddressValidator;
import org.apache.commons.validator.routines.checkdigit.LuhnCheckDigit;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// How often a text names something that leads to a person: found by a pattern, counted only if it is
/// valid by the rules of its kind (commons-validator; libphonenumber for telephone numbers). What one
/// kind has taken is not looked at for the next, so that the digits of a card are no telephone number.
///
/// @param region country that telephone numbers without a prefix belong to, ISO 3166; `ZZ` for none
record PersonalData(String region) {
    static final StructType TYPE = new StructType()
            .add("email", DataTypes.IntegerType)
            .add("iban", DataTypes.IntegerType)
            .add("card", DataTypes.IntegerType)
            .add("ip", DataTypes.IntegerType)
            .add("phone", DataTypes.IntegerType);

    private static final Pattern EMAIL = Pattern.compile("[\\w.+-]+@[\\w-]+(?:\\.[\\w-]+)+");
    private static final Pattern IBAN =
            Pattern.compile("\\b[A-Z]{2}\\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\\b");
    private static final Pattern CARD = Pattern.compile("(?<![\\d.-])\\d(?:[ -]?\\d){12,18}(?![\\d-])");
    private static final Pattern IPV4 = Pattern.compile("(?<![\\d.])\\d{1,3}(?:\\.\\d{1,3}){3}(?![\\d]|\\.\\d)");
    private static final Pattern IPV6 =
            Pattern.compile("(?<![\\w:])(?=\\S*::|(?:[0-9A-Fa-f]{1,4}:){7})[0-9A-Fa-f:]{2,39}(?![\\w:])");
    private static final String TAKEN = "\n";

    /// Of a string column, a struct of {@link #TYPE}; null of null.
    UserDefinedFunction function() {
        String inRegion = region;
        UDF1<String, @Nullable Row> of = text -> text == null ? null : new PersonalData(inRegion).of(text);
        return functions.udf(of, TYPE);
    }

    /// Counts of each kind.
    Row of(String text) {
        StringBuilder left = new StringBuilder(text);
        int emails = take(left, EMAIL, EmailValidator.getInstance()::isValid);
        int ibans = take(left, IBAN, found -> IBANValidator.getInstance().isValid(found.replace(" ", "")));
        int cards = take(left, CARD, PersonalData::isCard);
        int addresses = take(left, IPV4, InetAddressValidator.getInstance()::isValidInet4Address)
                + take(left, IPV6, PersonalData::isInet6);
        return RowFactory.create(emails, ibans, cards, addresses, phones(left));
    }

    private static boolean isCard(String found) {
        String digits = found.replaceAll("[ -]", "");
        // a row of one digit, such as zeros, has a check digit too
        return digits.chars().distinct().count() > 1 && LuhnCheckDigit.LUHN_CHECK_DIGIT.isValid(digits);
    }

    /// `::` alone is an operator more often than an address.
    private static boolean isInet6(String found) {
        return found.chars().filter(c -> c != ':').count() >= 2
                && InetAddressValidator.getInstance().isValidInet6Address(found);
    }

    private int phones(CharSequence text) {
        int phones = 0;
        var matches = PhoneNumberUtil.getInstance().findNumbers(text, region, Leniency.VALID, Long.MAX_VALUE);
        for (var _ : matches) {
            phones++;
        }
        return phones;
    }

    private static int take(StringBuilder text, Pattern pattern, Predicate<String> isValid) {
        List<int[]> spans = new ArrayList<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            if (isValid.test(matcher.group())) {
                spans.add(new int[] {matcher.start(), matcher.end()});
            }
        }
        for (int[] span : spans.reversed()) {
            text.replace(span[0], span[1], TAKEN);
        }
        return spans.size();
    }
}
