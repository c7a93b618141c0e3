import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;

/** Reads the file of client properties that all programs here share; connects to nothing. */
final class ClientProperties {
    private ClientProperties() {}

    /** The properties, as Kafka's clients spell them; {@code topic.prefix} is ours. */
    static Properties read(String path) throws IOException {
        var properties = new Properties();
        try (var file = Files.newBufferedReader(Path.of(path))) {
            properties.load(file);
        }
        return properties;
    }

    /** Takes the prefix of the topics out; it is empty in most cities. */
    static String takePrefix(Properties properties) {
        var prefix = (String) properties.remove("topic.prefix");
        return prefix == null ? "" : prefix;
    }

    /** The same with more. */
    static Properties with(Properties properties, Properties more) {
        var all = new Properties();
        all.putAll(properties);
        all.putAll(more);
        return all;
    }
}
