package io.millrace.npu.cards;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Who holds which card of this host, whatever hands the cards out: two workers of a cluster on one host,
/// YARN, which says how many cards and not which, or nobody at all.
///
/// 1. A card is held as long as `npu-ID.lock` names a process that lives, by number and start. Whoever
///    finds a lock whose process is gone may take it.
/// 2. Locks are read and written under the file lock of `guard`, which the system takes from a process that
///    dies. So of two who find the same stale lock, one takes it and the other sees that.
/// 3. Lock files appear whole: they are written aside and renamed.
/// 4. A card that failed is retired for the run it failed in, by a file `npu-ID.retired-RUN` that stays as
///    a record.
///
/// The folder must be of this host, and common to all who may use its cards. Thread-safe.
public final class CardLeases {
    /// Common to all users of a host.
    public static final String DEFAULT_FOLDER = "/tmp/millrace-cards";

    private static final String GUARD = "guard";
    private static final Pattern LOCK = Pattern.compile("npu-(\\d+)\\.lock");
    private static final Pattern RETIRED = Pattern.compile("npu-(\\d+)\\.retired-(.+)");
    /// File locks are of a process: threads keep each other out by this.
    private static final Object THREADS = new Object();

    private final Path folder;

    public CardLeases(Path folder) {
        this.folder = folder;
    }

    /// A card that failed.
    public record Retirement(int card, String run, CardFault fault, String reason, Instant at) {}

    /// Takes cards, all or none.
    ///
    /// @param run the run they are for: cards retired in it are not free
    /// @param holder what this process is in that run, for a person
    /// @param choice picks from the cards it is given, which are free; asked once, while nobody else can
    ///     choose
    /// @return empty if nothing was chosen
    public Optional<HeldCards> take(
            Collection<Card> cards, String run, String holder, Function<List<Card>, Optional<List<Card>>> choice) {
        return guarded(() -> {
            Map<Integer, CardOwner> owners = readOwners();
            List<Card> free = cards.stream()
                    .filter(card -> !owners.containsKey(card.logicalId()))
                    .filter(card -> !Files.exists(retiredFile(card.logicalId(), run)))
                    .toList();
            Optional<List<Card>> chosen = choice.apply(free);
            if (chosen.isEmpty()) {
                return Optional.empty();
            }
            CardOwner owner = CardOwner.ofThisProcess(run, holder);
            for (Card card : chosen.get()) {
                write(lockFile(card.logicalId()), owner.properties());
            }
            return Optional.of(new HeldCards(this, run, List.copyOf(chosen.get())));
        });
    }

    /// Who holds what, by logical id.
    public Map<Integer, CardOwner> owners() {
        return Files.exists(folder) ? guarded(this::readOwners) : Map.of();
    }

    /// Every card that failed in a run that is remembered.
    public List<Retirement> retirements() {
        if (!Files.exists(folder)) {
            return List.of();
        }
        return guarded(() -> {
            List<Retirement> retirements = new ArrayList<>();
            forEach(
                    RETIRED,
                    (name, properties) -> retirements.add(new Retirement(
                            Integer.parseInt(name.group(1)),
                            name.group(2),
                            CardFault.valueOf(properties.getProperty("fault", "")),
                            properties.getProperty("reason", ""),
                            Instant.parse(properties.getProperty("at", "")))));
            return retirements;
        });
    }

    void retire(List<Card> cards, String run, CardFault fault, String reason) {
        guarded(() -> {
            for (Card card : cards) {
                Properties properties = new Properties();
                properties.setProperty("fault", fault.name());
                properties.setProperty("reason", reason);
                properties.setProperty("at", Instant.now().toString());
                write(retiredFile(card.logicalId(), run), properties);
            }
            return cards;
        });
    }

    /// Only what is still this process's is given back.
    void release(List<Card> cards) {
        guarded(() -> {
            Map<Integer, CardOwner> owners = readOwners();
            for (Card card : cards) {
                CardOwner owner = owners.get(card.logicalId());
                if (owner != null && owner.isThisProcess()) {
                    Files.deleteIfExists(lockFile(card.logicalId()));
                }
            }
            return cards;
        });
    }

    private Path lockFile(int card) {
        return folder.resolve("npu-" + card + ".lock");
    }

    private Path retiredFile(int card, String run) {
        return folder.resolve("npu-" + card + ".retired-" + run.replaceAll("[^A-Za-z0-9._-]", "_"));
    }

    private Map<Integer, CardOwner> readOwners() throws IOException {
        Map<Integer, CardOwner> owners = new TreeMap<>();
        forEach(LOCK, (name, properties) -> {
            CardOwner owner = CardOwner.of(properties);
            if (owner.isAlive()) {
                owners.put(Integer.valueOf(name.group(1)), owner);
            }
        });
        return owners;
    }

    /// A file that does not say what it should stops everything: whoever holds that card is not known.
    private void forEach(Pattern wanted, Entry entry) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Matcher name = wanted.matcher(file.getFileName().toString());
                if (name.matches()) {
                    try (Reader reader = Files.newBufferedReader(file)) {
                        Properties properties = new Properties();
                        properties.load(reader);
                        entry.read(name, properties);
                    } catch (IllegalArgumentException | DateTimeParseException e) {
                        throw new CardLeaseException(file + ": expected what a process writes there, got " + e, e);
                    }
                }
            }
        }
    }

    private interface Entry {
        void read(Matcher name, Properties properties);
    }

    private void write(Path file, Properties properties) throws IOException {
        Path aside = folder.resolve("new-" + ProcessHandle.current().pid());
        try (Writer writer = Files.newBufferedWriter(aside)) {
            properties.store(writer, null);
        }
        Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private interface Work<T> {
        T call() throws IOException;
    }

    private <T> T guarded(Work<T> work) {
        synchronized (THREADS) {
            try {
                createFolder();
                try (FileChannel channel = FileChannel.open(folder.resolve(GUARD), StandardOpenOption.WRITE);
                        FileLock _ = channel.lock()) {
                    return work.call();
                }
            } catch (IOException e) {
                throw new CardLeaseException(
                        "card locks in " + folder + ": expected a folder all users of the cards may write to, got " + e,
                        e);
            }
        }
    }

    /// For all users, whatever the mask of the one who comes first.
    private void createFolder() throws IOException {
        if (!Files.exists(folder)) {
            Files.createDirectories(folder);
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        }
        Path guard = folder.resolve(GUARD);
        if (!Files.exists(guard)) {
            try {
                Files.createFile(guard);
                Files.setPosixFilePermissions(guard, PosixFilePermissions.fromString("rw-rw-rw-"));
            } catch (FileAlreadyExistsException _) {
                // another process was first
            }
        }
    }
}
