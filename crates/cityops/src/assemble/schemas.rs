//! What records are decoded by: the built-in schemas, those in files, and a registry's.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use schema_registry::{Address, Authorities, Credentials, Registry, RegistryConfig};
use wire_format::{Decoder, SchemaSource, SchemaStore};

use crate::config::Loaded;

/// The registry of a configuration, if it names one. Nothing is asked yet: it need not be there at the start.
pub(super) fn registry(loaded: &Loaded) -> anyhow::Result<Option<Arc<dyn SchemaSource>>> {
    Ok(match registry_config(loaded)? {
        None => None,
        Some(config) => Some(Arc::new(Registry::new(config))),
    })
}

/// What the registry of a configuration is reached with.
pub(crate) fn registry_config(loaded: &Loaded) -> anyhow::Result<Option<RegistryConfig>> {
    let schemas = &loaded.config.schemas;
    let wrong = |key: &str, message: &str| loaded.wrong("schemas", key, message);
    let files = [
        ("registry_auth_file", &schemas.registry_auth_file),
        ("registry_token_file", &schemas.registry_token_file),
        ("registry_ca_file", &schemas.registry_ca_file),
    ];
    let Some(address) = &schemas.registry else {
        for (key, file) in files {
            if file.is_some() {
                return Err(wrong(key, "there is no registry that it is for").into());
            }
        }
        return Ok(None);
    };
    let address = Address::parse(address).map_err(|why| wrong("registry", &why))?;
    let timeout = u64::try_from(schemas.timeout.0).unwrap_or(0);
    if timeout == 0 {
        return Err(wrong("timeout", "a request takes longer than that").into());
    }
    let credentials = match (&schemas.registry_auth_file, &schemas.registry_token_file) {
        (None, None) => None,
        (Some(path), None) => Some(loaded.of_file("schemas.registry_auth_file", path, Credentials::parse)?),
        (None, Some(path)) => {
            Some(loaded.of_file("schemas.registry_token_file", path, Credentials::bearer)?)
        }
        (Some(_), Some(_)) => {
            let message = "either a name with a password or a token, not both";
            return Err(wrong("registry_token_file", message).into());
        }
    };
    let authorities = match (&schemas.registry_ca_file, address.is_https()) {
        (Some(path), true) => {
            let parse = |text: &str| Authorities::parse(text.as_bytes());
            Some(loaded.of_file("schemas.registry_ca_file", path, parse)?)
        }
        (None, true) => {
            let message = "https needs schemas.registry_ca_file: the certificates of those who may have signed the \
                registry's, in PEM; the system's are often /etc/ssl/certs/ca-certificates.crt";
            return Err(wrong("registry", message).into());
        }
        (Some(_), false) => {
            return Err(wrong(
                "registry_ca_file",
                "the registry's address is http: nothing is verified",
            )
            .into());
        }
        (None, false) => None,
    };
    Ok(Some(RegistryConfig {
        address,
        credentials,
        authorities,
        timeout: Duration::from_millis(timeout),
    }))
}

/// The decoder with every schema that needs no asking. With a registry its ids count instead of ours.
pub(super) fn decoder(loaded: &Loaded, source: Option<Arc<dyn SchemaSource>>) -> anyhow::Result<Decoder> {
    let store = match source {
        Some(_) => SchemaStore::by_fingerprint_only(),
        None => SchemaStore::builtin(),
    };
    let mut store = store.context("read the built-in schemas")?;
    for (id, path) in &loaded.config.schemas.files {
        let number = id.parse().map_err(|_| {
            loaded.error(
                "schemas.files",
                path,
                format!("\"{id}\" is no schema id; the registry's ids are whole numbers"),
            )
        })?;
        let text = String::from_utf8(loaded.bytes_of("schemas.files", path)?)
            .map_err(|_| loaded.error("schemas.files", path, format!("{} is not UTF-8", path.display())))?;
        store
            .add(number, &text)
            .map_err(|error| loaded.error("schemas.files", path, error.to_string()))?;
    }
    let decoder = Decoder::new(store);
    Ok(match source {
        Some(source) => decoder.with_source(source),
        None => decoder,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn told(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cityops.toml");
        fs::write(&path, text).unwrap();
        fs::write(folder.path().join("auth"), "reader:secret\n").unwrap();
        fs::write(folder.path().join("torn"), "reader").unwrap();
        let loaded = Loaded::read_with(&path, std::iter::empty()).unwrap();
        match registry(&loaded).and_then(|source| decoder(&loaded, source)) {
            Ok(decoder) => format!("{:?} {}", decoder.source(), decoder.schemas().knows(1)),
            Err(error) => format!("{error:#}").replace(&path.display().to_string(), "F"),
        }
    }

    #[test]
    fn a_registry_replaces_our_ids_and_is_judged_at_the_start() {
        let check = |text: &str, expected: &str| {
            let told = told(text);
            assert!(told.contains(expected), "{text}: {told}");
        };
        check("", "None true");
        check(
            "[schemas]\nregistry = \"http://r:8081/\"\nregistry_auth_file = \"auth\"",
            "Some(Registry(http://r:8081)) false",
        );
        check("[schemas]\nregistry = \"https://r\"", "F:2: ");
        check(
            "[schemas]\nregistry = \"https://r\"",
            "https needs schemas.registry_ca_file",
        );
        check(
            "[schemas]\nregistry = \"https://r\"\nregistry_ca_file = \"auth\"",
            "F:3: \"schemas.registry_ca_file\": it holds no certificate",
        );
        check(
            "[schemas]\nregistry = \"http://r\"\nregistry_ca_file = \"auth\"",
            "F:3: ",
        );
        check(
            "[schemas]\nregistry = \"http://r\"\nregistry_token_file = \"auth\"",
            "Some(Registry(http://r)) false",
        );
        check(
            "[schemas]\nregistry = \"http://r\"\nregistry_auth_file = \"auth\"\nregistry_token_file = \"auth\"",
            "not both",
        );
        check("[schemas]\nregistry_auth_file = \"auth\"", "there is no registry");
        check(
            "[schemas]\nregistry = \"http://r\"\nregistry_auth_file = \"torn\"",
            "it holds one line, name:password",
        );
        check(
            "[schemas]\nregistry = \"http://r\"\ntimeout = \"0s\"",
            "takes longer",
        );
    }
}
