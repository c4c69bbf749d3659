package io.millrace.npu.cards;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/// A process that takes cards and gives them back, and looks each time whether anybody else thinks to hold
/// them: by file locks of the system's, of which the leases know nothing.
///
/// Arguments: folder of the leases, folder of the marks, how often; of 0 the first is never given back.
/// Exits with 3 at a double.
final class LeaseTaker {
    private LeaseTaker() {}

    public static void main(String[] args) throws IOException {
        CardLeases leases = new CardLeases(Path.of(args[0]));
        int times = Integer.parseInt(args[2]);
        for (int time = 0; time < Math.max(1, times); time++) {
            try (HeldCards held = await(leases, 1 + time % 2)) {
                List<FileChannel> marks = new ArrayList<>();
                for (Card card : held.cards()) {
                    FileChannel mark = FileChannel.open(
                            Path.of(args[1], card.address()), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    if (mark.tryLock() == null) {
                        System.exit(3);
                    }
                    marks.add(mark);
                }
                System.out.println("holds " + held.cards().getFirst().address());
                while (times == 0) {
                    LockSupport.park();
                }
                for (FileChannel mark : marks) {
                    mark.close();
                }
            }
        }
    }

    private static HeldCards await(CardLeases leases, int size) {
        Optional<HeldCards> held = CardLeasesTest.take(leases, "run", size);
        while (held.isEmpty()) {
            LockSupport.parkNanos(1_000_000);
            held = CardLeasesTest.take(leases, "run", size);
        }
        return held.get();
    }
}
