import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;

/**
 * Reads what cityops writes: JSON, or Avro in a registry's frame (a zero byte, the schema's id, the record), told apart by the first
 * byte. Times of Avro are epoch milliseconds, those of JSON RFC 3339.
 */
final class Values {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int FRAME = 5;

    private final String registry;
    private final String login;
    private final HttpClient http = HttpClient.newHttpClient();
    private final Map<Integer, Schema> schemas = new HashMap<>();

    private Values(String registry, String login) {
        this.registry = registry;
        this.login = login;
    }

    /** The reader of a city; takes the registry's address, and NAME:PASSWORD for it, out of the client's properties. */
    static Values of(Properties client) {
        return new Values(
                ClientProperties.take(client, "schema.registry.url"),
                ClientProperties.take(client, "schema.registry.basic.auth.user.info"));
    }

    /** A record's value, its fields by name. */
    JsonNode read(byte[] value) throws IOException {
        if (value[0] != 0) {
            return JSON.readTree(value);
        }
        var schema = schema(ByteBuffer.wrap(value, 1, 4).getInt());
        var decoder = DecoderFactory.get().binaryDecoder(value, FRAME, value.length - FRAME, null);
        var record = new GenericDatumReader<GenericRecord>(schema).read(null, decoder);
        return JSON.readTree(record.toString());
    }

    /** Each schema is asked for once: an id never means another. */
    private Schema schema(int id) throws IOException {
        var known = schemas.get(id);
        if (known == null) {
            known = new Schema.Parser().parse(ask(id));
            schemas.put(id, known);
        }
        return known;
    }

    private String ask(int id) throws IOException {
        if (registry.isEmpty()) {
            throw new IOException("values are Avro here: name schema.registry.url in the client properties");
        }
        var request = HttpRequest.newBuilder(URI.create(registry + "/schemas/ids/" + id)).timeout(Duration.ofSeconds(30));
        if (!login.isEmpty()) {
            var encoded = Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8));
            request.header("Authorization", "Basic " + encoded);
        }
        try {
            var answer = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw new IOException("the registry answers " + answer.statusCode() + " when asked for schema " + id);
            }
            return JSON.readTree(answer.body()).required("schema").asText();
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw new IOException("stopped while asking the registry", stop);
        }
    }
}
