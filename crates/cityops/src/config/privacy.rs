//! What `[privacy]` must say before real reporters are counted.

use city_rules::ConfigError;

use super::{Loaded, is_loopback};

impl Loaded {
    /// Whether reporters are hashed with a key that nobody else has. Without it whoever reads a hash finds its telephone number by
    /// trying all: that is for trying out, with brokers of this machine, unless the configuration says that it is meant.
    ///
    /// # Errors
    /// When there is no key, others than this machine are the brokers, and nothing says that it is meant.
    pub fn needs_reporter_key(&self) -> Result<(), ConfigError> {
        let privacy = &self.config.privacy;
        let only_here = self.config.kafka.bootstrap_servers.split(',').all(|server| {
            let server = server.trim();
            is_loopback(server.rsplit_once("://").map_or(server, |(_, address)| address))
        });
        if privacy.reporter_key_file.is_some() || privacy.allow_known_key || only_here {
            return Ok(());
        }
        Err(self.wrong(
            "kafka",
            "bootstrap_servers",
            "\"privacy.reporter_key_file\" is missing: reporters would be hashed with a key that everybody knows, so that their numbers \
             can be guessed; name a file with at least 16 random bytes (openssl rand -hex 32), or say privacy.allow_known_key = true \
             where no real person reports  缺少上报人哈希密钥，真实环境必须配置 privacy.reporter_key_file",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_key_only_brokers_of_this_machine_are_used() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cityops.toml");
        for (servers, more, good) in [
            ("127.0.0.1:9092", "", true),
            ("localhost:1, [::1]:2", "", true),
            ("PLAINTEXT://127.0.0.1:9092", "", true),
            ("127.0.0.1:9092,kafka:9092", "", false),
            ("SASL_SSL://kafka:9093", "", false),
            ("kafka:9092", "[privacy]\nallow_known_key = true\n", true),
            ("kafka:9092", "[privacy]\nreporter_key_file = \"key\"\n", true),
        ] {
            std::fs::write(
                &path,
                format!("[kafka]\nbootstrap_servers = \"{servers}\"\n{more}"),
            )
            .unwrap();
            let loaded = Loaded::read_with(&path, std::iter::empty()).unwrap();
            let said = loaded.needs_reporter_key().map_err(|error| error.to_string());
            assert_eq!(said.is_ok(), good, "{servers} {more}");
            if let Err(said) = said {
                assert!(
                    said.contains("cityops.toml:2:") && said.contains("reporter_key_file"),
                    "{said}"
                );
            }
        }
    }
}
