import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Sends sensor readings to cityops, each safely and under its device, and tells what becomes of each.
 *
 * <pre>java ProduceReadings client.properties [SECONDS] &lt; readings.ndjson</pre>
 *
 * A line of input is a reading in JSON. A line of output is what was heard of one: its outcome, or why it was refused.
 * Readings below their metric's threshold have no outcome of their own, so the program stops following after SECONDS (60).
 * Exit code: 0 none was refused, 1 some were not delivered (send those again, with the same event_id), 3 some were refused.
 */
public final class ProduceReadings {
    private static final String READINGS = "city.sensor.readings.v1";
    private static final String OUTCOMES = "city.events.outcomes.v1";
    private static final String LETTERS = "city.deadletter.v1";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Where a record lies in its topic. */
    record Place(int partition, long offset) {}

    /** Each reading that was delivered, by its place. */
    private final Map<Place, String> places = new ConcurrentHashMap<>();

    /** Each that was sent and is not known to be delivered. */
    private final Set<String> waiting = ConcurrentHashMap.newKeySet();

    private final String prefix;
    private final Values values;
    private final Properties client;

    private ProduceReadings(Properties client) {
        this.prefix = ClientProperties.take(client, "topic.prefix");
        this.values = Values.of(client);
        this.client = client;
    }

    public static void main(String[] arguments) throws IOException {
        if (arguments.length < 1 || arguments.length > 2) {
            System.err.println("usage: ProduceReadings client.properties [SECONDS] < readings.ndjson");
            System.exit(2);
        }
        var seconds = arguments.length > 1 ? Long.parseLong(arguments[1]) : 60;
        System.exit(new ProduceReadings(ClientProperties.read(arguments[0])).run(Duration.ofSeconds(seconds)));
    }

    private int run(Duration following) throws IOException {
        // The ends are taken before sending, so that nothing is missed.
        try (var feedback = feedback()) {
            var seesLetters = startAtEnds(feedback);
            send();
            var refused = follow(feedback, seesLetters, following);
            waiting.forEach(reading -> System.err.println(reading + ": send it again"));
            return !waiting.isEmpty() ? 1 : refused > 0 ? 3 : 0;
        }
    }

    /** Sends every line, and returns when each is delivered or was tried for delivery.timeout.ms. */
    private void send() throws IOException {
        var more = new Properties();
        // On every copy that must have it, once, in order, also when a request is repeated.
        more.put("acks", "all");
        more.put("enable.idempotence", "true");
        more.put("compression.type", "zstd");
        more.put("linger.ms", "20");
        more.put("delivery.timeout.ms", "120000");
        var settings = ClientProperties.with(client, more);
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                var reading = JSON.readTree(line);
                var identity = identity(reading);
                waiting.add(identity);
                // One device's readings lie in one partition, in the order in which they were sent.
                var record = new ProducerRecord<>(prefix + READINGS, reading.required("device_id").asText(), line);
                // Waits while the buffer is full.
                producer.send(record, (metadata, error) -> {
                    if (error != null) {
                        System.err.println(identity + ": not delivered: " + error);
                        return;
                    }
                    places.put(new Place(metadata.partition(), metadata.offset()), identity);
                    waiting.remove(identity);
                });
            }
            producer.flush();
        }
    }

    /** By this cityops knows a record again: sent twice, it counts once. */
    private static String identity(JsonNode reading) {
        return reading.required("source_system").asText() + "/" + reading.required("event_id").asText();
    }

    private KafkaConsumer<String, byte[]> feedback() {
        var more = new Properties();
        more.put("isolation.level", "read_committed");
        more.put("enable.auto.commit", "false");
        return new KafkaConsumer<>(
                ClientProperties.with(client, more), new StringDeserializer(), new ByteArrayDeserializer());
    }

    /**
     * Reads what is told from now on. Dead letters hold everybody's personal data, so most have no right to read them; the
     * outcomes tell the reason, too. Gives whether they may be read.
     */
    private boolean startAtEnds(KafkaConsumer<String, byte[]> feedback) {
        List<TopicPartition> assigned = new ArrayList<>(partitions(feedback, OUTCOMES));
        var seesLetters = true;
        try {
            assigned.addAll(partitions(feedback, LETTERS));
        } catch (TopicAuthorizationException refused) {
            System.err.println(refused.getMessage());
            seesLetters = false;
        }
        feedback.assign(assigned);
        feedback.seekToEnd(assigned);
        // Seeking is lazy; asking for the position does it now.
        assigned.forEach(feedback::position);
        return seesLetters;
    }

    private List<TopicPartition> partitions(KafkaConsumer<String, byte[]> feedback, String topic) {
        return feedback.partitionsFor(prefix + topic).stream()
                .map(known -> new TopicPartition(known.topic(), known.partition()))
                .toList();
    }

    /** Prints what is told of what was sent until something was told of each; gives how many were refused. */
    private int follow(KafkaConsumer<String, byte[]> feedback, boolean seesLetters, Duration following)
            throws IOException {
        Set<String> untold = new HashSet<>(places.values());
        Set<String> refused = new HashSet<>();
        var until = Instant.now().plus(following);
        while (!untold.isEmpty() && Instant.now().isBefore(until)) {
            for (var record : feedback.poll(Duration.ofSeconds(1))) {
                if (record.topic().equals(prefix + LETTERS)) {
                    var origin = origin(record);
                    var reading = origin == null ? null : places.get(origin);
                    if (reading != null) {
                        show(JSON.createObjectNode()
                                .put("event", reading)
                                .put("refused", header(record, "cityops.reason"))
                                .put("detail", header(record, "cityops.detail")));
                        refused.add(reading);
                        untold.remove(reading);
                    }
                } else if (record.value() != null && untold.contains(record.key())) {
                    var told = (ObjectNode) values.read(record.value());
                    show(JSON.createObjectNode().put("event", record.key()).setAll(told));
                    if (told.path("outcome").asText().equals("deadletter")) {
                        refused.add(record.key());
                    }
                    if (!seesLetters || !refused.contains(record.key())) {
                        untold.remove(record.key());
                    }
                }
            }
        }
        return refused.size();
    }

    /** Where the refused record lies in the readings' topic; null if it came by another topic, or is no letter but a mark. */
    private static Place origin(ConsumerRecord<String, byte[]> letter) {
        if (!READINGS.equals(header(letter, "cityops.topic"))) {
            return null;
        }
        return new Place(
                Integer.parseInt(header(letter, "cityops.partition")),
                Long.parseLong(header(letter, "cityops.offset")));
    }

    private static String header(ConsumerRecord<String, byte[]> record, String name) {
        var header = record.headers().lastHeader(name);
        return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    private static void show(JsonNode told) throws JsonProcessingException {
        System.out.println(JSON.writeValueAsString(told));
    }
}
