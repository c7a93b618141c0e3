import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The revisions that were handled, a line each, in a file that survives a crash. It keeps nothing of an incident but how it stood.
 */
final class Journal implements AutoCloseable {
    /** A revision of an incident: its number only rises. GONE is the status of one that was removed. */
    record Revision(String incident, long number, String status, String band) {
        boolean isOpen() {
            return status.equals("OPEN");
        }
    }

    private final FileChannel file;
    private final Map<String, Revision> last = new HashMap<>();

    private Journal(FileChannel file) {
        this.file = file;
    }

    /** Reads what was handled; half a line at the end, which a crash leaves, was not. */
    static Journal open(Path path) throws IOException {
        var file = FileChannel.open(
                path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        if (file.tryLock() == null) {
            throw new IOException(path + " is in use by another process");
        }
        var bytes = ByteBuffer.allocate(Math.toIntExact(file.size()));
        while (bytes.hasRemaining() && file.read(bytes) >= 0) {}
        var text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
        var whole = text.substring(0, text.lastIndexOf('\n') + 1);
        file.truncate(whole.getBytes(StandardCharsets.UTF_8).length);
        file.position(file.size());
        var journal = new Journal(file);
        whole.lines().map(line -> line.split("\t")).forEach(fields -> journal.handle(
                new Revision(fields[0], Long.parseLong(fields[1]), fields[2], fields[3])));
        return journal;
    }

    /** The last revision of an incident that was handled; null if there is none. */
    Revision last(String incident) {
        return last.get(incident);
    }

    /** Takes note of a revision; it is handled once it was appended. */
    Revision handle(Revision revision) {
        last.put(revision.incident(), revision);
        return revision;
    }

    /** Writes these, and returns when they are on disk. */
    void append(List<Revision> handled) throws IOException {
        if (handled.isEmpty()) {
            return;
        }
        var lines = new StringBuilder();
        for (var revision : handled) {
            lines.append(revision.incident()).append('\t').append(revision.number()).append('\t');
            lines.append(revision.status()).append('\t').append(revision.band()).append('\n');
        }
        var bytes = ByteBuffer.wrap(lines.toString().getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            file.write(bytes);
        }
        file.force(true);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
