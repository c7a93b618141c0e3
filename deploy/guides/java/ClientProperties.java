import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;

/** Reads the file of client properties that all programs here share; connects to nothing. */
final class ClientProperties {
    private ClientProperties() {}

    /** The properties of a file, as Kafka's clients spell them; {@code topic.prefix} and {@code schema.registry.…} are ours. */
    static Properties read(String path) throws IOException {
        var properties = new Properties();
        try (var file = Files.newBufferedReader(Path.of(path))) {
            properties.load(file);
        }
        return properties;
    }

    /** Takes one of ours out; it is empty where the file has none. */
    static String take(Properties properties, String name) {
        var value = (String) properties.remove(name);
        return value == null ? "" : value.strip();
    }

    /** The same with more. */
    static Properties with(Properties properties, Properties more) {
        var all = new Properties();
        all.putAll(properties);
        all.putAll(more);
        return all;
    }
}
