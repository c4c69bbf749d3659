package io.millrace.jobs.evaluate.ifeval;

import io.millrace.jobs.evaluate.ifeval.Instructions.Followed;
import io.millrace.jobs.evaluate.python.PythonText;
import java.util.List;
import java.util.stream.Stream;

/// The instructions of one document.
public final class InstructionList {
    private final List<Instruction> instructions;

    InstructionList(List<Instruction> instructions) {
        this.instructions = List.copyOf(instructions);
    }

    /// An answer of nothing but space follows none.
    public Followed by(String answer) {
        return new Followed(any(List.of(answer)), any(loosened(answer)));
    }

    private List<Boolean> any(List<String> answers) {
        return instructions.stream()
                .map(instruction -> answers.stream()
                        .anyMatch(answer -> !PythonText.strip(answer).isEmpty() && instruction.isFollowedBy(answer)))
                .toList();
    }

    /// What a model may have put around its answer is taken away: a line before, a line behind, stars.
    private static List<String> loosened(String answer) {
        int first = answer.indexOf('\n');
        int last = answer.lastIndexOf('\n');
        String withoutFirst = first < 0 ? "" : answer.substring(first + 1);
        String withoutLast = last < 0 ? "" : answer.substring(0, last);
        String withoutBoth = first == last ? "" : answer.substring(first + 1, last);
        List<String> cut = List.of(
                answer, PythonText.strip(withoutFirst), PythonText.strip(withoutLast), PythonText.strip(withoutBoth));
        return Stream.concat(cut.stream(), cut.stream().map(text -> text.replace("*", "")))
                .toList();
    }
}
