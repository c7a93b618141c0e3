//! Where a configuration sends spans, its files read.

use std::time::Duration;

use schema_registry::{Authorities, Credentials};
use span_export::{Collector, Endpoint, ExportConfig};

use crate::config::Loaded;

/// The collector of a configuration, if it names one. Nothing is sent yet: it need not be there at the start.
///
/// # Errors
/// A configuration error that names the key whose file cannot be used.
pub fn export(loaded: &Loaded) -> anyhow::Result<Option<ExportConfig>> {
    let told = &loaded.config.telemetry;
    let Some(endpoint) = &told.endpoint else {
        return Ok(None);
    };
    let endpoint = Endpoint::parse(endpoint).map_err(|why| loaded.wrong("telemetry", "endpoint", &why))?;
    let token = told.token_file.as_deref();
    let credentials = token.map(|path| loaded.of_file("telemetry.token_file", path, Credentials::bearer));
    let ca = told.ca_file.as_deref();
    let parse = |text: &str| Authorities::parse(text.as_bytes());
    let authorities = ca.map(|path| loaded.of_file("telemetry.ca_file", path, parse));
    Ok(Some(ExportConfig {
        collector: Collector {
            endpoint,
            authorities: authorities.transpose()?,
            credentials: credentials.transpose()?,
            timeout: Duration::from_millis(told.timeout.0.unsigned_abs()),
        },
        service_name: told.service_name.clone(),
        attributes: vec![
            (
                "service.instance.id",
                format!("{}-{}", host(), std::process::id()),
            ),
            ("cityops.city", loaded.config.city.code.clone()),
        ],
        ratio: told.ratio,
        queue: told.queue,
    }))
}

/// The machine's name, as far as the system says it.
fn host() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}
