package io.millrace.npu.cards;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Ways in which a card fails, by the codes of ACL. After each of them the process's context on the card is
/// of no more use; where one is told of a card, the card is retired.
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
        return AclStatus.of(code).fault();
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
