import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Keeps the city's incidents as they are now in memory, and tells each that becomes P1.
 *
 * <pre>java FollowIncidents client.properties handled.tsv</pre>
 *
 * The topic is compacted, so reading it from its beginning gives every incident as it is: no state but a journal of the revisions
 * that were handled. A revision is told before it is written there, so after a crash a line may come twice, never not at all;
 * incident_id and revision say that it is the same. In the journal each stands once.
 */
public final class FollowIncidents {
    private static final String INCIDENTS = "city.incidents.v1";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Each incident that is not gone, as it was told last. */
    private final Map<String, JsonNode> incidents = new HashMap<>();

    private final Journal journal;
    private final Values values;

    private FollowIncidents(Journal journal, Values values) {
        this.journal = journal;
        this.values = values;
    }

    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 2) {
            System.err.println("usage: FollowIncidents client.properties handled.tsv");
            System.exit(2);
        }
        var client = ClientProperties.read(arguments[0]);
        var topic = ClientProperties.take(client, "topic.prefix") + INCIDENTS;
        var values = Values.of(client);
        var more = new Properties();
        // What was not committed never was.
        more.put("isolation.level", "read_committed");
        more.put("enable.auto.commit", "false");
        var settings = ClientProperties.with(client, more);
        try (var journal = Journal.open(Path.of(arguments[1]));
                var consumer =
                        new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            stopOnSignal(consumer);
            new FollowIncidents(journal, values).follow(consumer, topic);
        }
    }

    /** SIGTERM and Ctrl-C end the poll; the program ends when its last revisions are in the journal. */
    private static void stopOnSignal(KafkaConsumer<String, byte[]> consumer) {
        var main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            consumer.wakeup();
            try {
                main.join(10_000);
            } catch (InterruptedException stop) {
                Thread.currentThread().interrupt();
            }
        }));
    }

    private void follow(KafkaConsumer<String, byte[]> consumer, String topic) throws IOException {
        var partitions = consumer.partitionsFor(topic).stream()
                .map(known -> new TopicPartition(known.topic(), known.partition()))
                .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        try {
            while (true) {
                var handled = new ArrayList<Journal.Revision>();
                for (var record : consumer.poll(Duration.ofSeconds(1))) {
                    var revision = take(record);
                    if (revision != null) {
                        handled.add(revision);
                    }
                }
                System.out.flush();
                journal.append(handled);
            }
        } catch (WakeupException stop) {
            System.err.println("stopped; open incidents: "
                    + incidents.values().stream().filter(FollowIncidents::isOpen).count());
        }
    }

    /** Handles a record; gives the revision if it is a new one. */
    private Journal.Revision take(ConsumerRecord<String, byte[]> record) throws IOException {
        var id = record.key();
        var before = journal.last(id);
        if (record.value() == null) {
            // Nothing can refer to it any more: it was closed or merged long ago.
            incidents.remove(id);
            if (before == null || before.status().equals("GONE")) {
                return null;
            }
            var gone = new Journal.Revision(id, before.number(), "GONE", "-");
            show("gone", gone, null);
            return journal.handle(gone);
        }
        var incident = values.read(record.value());
        incidents.put(id, incident);
        var now = new Journal.Revision(
                id,
                incident.required("revision").asLong(),
                incident.required("status").asText(),
                incident.required("priority").required("band").asText());
        if (before != null && now.number() <= before.number()) {
            return null;
        }
        show(what(before, now), now, incident);
        return journal.handle(now);
    }

    private static String what(Journal.Revision before, Journal.Revision now) {
        if (!now.isOpen()) {
            return "ended";
        }
        var wasOpen = before != null && before.isOpen();
        if (now.band().equals("P1") && !(wasOpen && before.band().equals("P1"))) {
            return "new_p1";
        }
        return wasOpen ? "changed" : before == null ? "opened" : "reopened";
    }

    private static boolean isOpen(JsonNode incident) {
        return incident.path("status").asText().equals("OPEN");
    }

    /** Hands a revision on: here to standard output, with you to a screen, a queue or a telephone. */
    private static void show(String what, Journal.Revision revision, JsonNode incident) throws IOException {
        var told = JSON.createObjectNode()
                .put("what", what)
                .put("incident_id", revision.incident())
                .put("revision", revision.number());
        if (incident != null) {
            told.put("status", revision.status()).put("band", revision.band());
            told.set("name", incident.path("name_zh"));
            told.set("members", incident.path("member_count"));
            told.set("reasons", incident.path("priority").path("reasons_zh"));
            told.set("merged_into", incident.path("merged_into"));
        }
        System.out.println(JSON.writeValueAsString(told));
    }
}
