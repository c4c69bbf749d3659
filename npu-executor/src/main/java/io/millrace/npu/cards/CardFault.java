package io.millrace.npu.cards;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Ways in which a card fails, by the codes of ACL. After each of them the process's context on the card is
/// of no more use; where one is told of a card, the card is retired.
///
/// Source: `acl_base_rt.h` and `rt_error_codes.h` of CANN 8.1.
public enum CardFault {
    /// The card, its driver or the way to it is gone.
    LOST,
    /// The card does not come back from what it was given.
    HANG,
    /// What it was given broke its execution: the fault shows on the card, not in the call.
    EXCEPTION,
    /// A memory cell told another value than it was given.
    ECC,
    /// Neither a smaller batch nor a second attempt found memory.
    OUT_OF_MEMORY;

    private static final Pattern CODE = Pattern.compile("\\b\\d{6}\\b");

    /// The fault that a return code of ACL tells of; empty for success and for mistakes of the caller.
    public static Optional<CardFault> ofCode(int code) {
        return switch (code) {
            case 107001, 207004, 507010, 507054, 507056, 507057, 507899, 507900, 507901 -> Optional.of(LOST);
            case 107019, 107020, 507001, 507014, 507034, 507046 -> Optional.of(HANG);
            case 507015, 507018, 507035 -> Optional.of(EXCEPTION);
            case 507053 -> Optional.of(ECC);
            case 200000, 207001, 207018 -> Optional.of(OUT_OF_MEMORY);
            default -> Optional.empty();
        };
    }

    /// The fault of a message that names a code; {@link #LOST} if it names none.
    public static CardFault ofMessage(String message) {
        Matcher codes = CODE.matcher(message);
        while (codes.find()) {
            Optional<CardFault> fault = ofCode(Integer.parseInt(codes.group()));
            if (fault.isPresent()) {
                return fault.get();
            }
        }
        return LOST;
    }
}
