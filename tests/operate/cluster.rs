//! What a cluster would refuse or misread: keys that its API does not know, values of another type, memory below what the table of
//! `SCALING.md` asks for, secrets that are named and not there, and a network that lets nobody scrape.

use std::collections::BTreeSet;

use yaml_rust2::Yaml;

use crate::deploy;
use crate::manifests::{list, manifests};

/// What the APIs know (apps/v1, autoscaling/v2, networking.k8s.io/v1, policy/v1, v1; monitoring.coreos.com/v1), as far as the manifests
/// use them: one path a line, its types behind it. `*` stands for any key of a map of texts, `[]` for the items of a list. `sleep` in
/// `preStop` is there from Kubernetes 1.30 on.
const KNOWN: &str = include_str!("kubernetes.txt");

/// Every leaf with its path and type.
fn leaves(node: &Yaml, path: &str, found: &mut Vec<(String, &'static str)>) {
    match node {
        Yaml::Hash(keys) if keys.is_empty() => found.push((path.to_owned(), "map")),
        Yaml::Hash(keys) => {
            for (key, value) in keys {
                leaves(value, &format!("{path}.{}", key.as_str().unwrap()), found);
            }
        }
        Yaml::Array(items) => {
            for item in items {
                leaves(item, &format!("{path}[]"), found);
            }
        }
        Yaml::String(_) => found.push((path.to_owned(), "text")),
        Yaml::Integer(_) => found.push((path.to_owned(), "number")),
        Yaml::Boolean(_) => found.push((path.to_owned(), "flag")),
        other => panic!("{path}: {other:?}"),
    }
}

/// Whether a line of [`KNOWN`] stands for a leaf.
fn is_known(line: &str, path: &str, kind: &str) -> bool {
    let Some((pattern, kinds)) = line.split_once(' ') else {
        return false;
    };
    // A key of a map of texts may have dots.
    let fits = match pattern.strip_suffix('*') {
        Some(before) => path.strip_prefix(before).is_some_and(|key| !key.is_empty()),
        None => pattern == path,
    };
    fits && kinds.split('|').any(|known| known == kind)
}

/// What the API does not know of a manifest.
fn unknown(kind: &str, document: &Yaml) -> Vec<String> {
    let mut found = Vec::new();
    leaves(document, kind, &mut found);
    let common = format!("{kind}.");
    found
        .into_iter()
        .filter(|(path, is)| {
            let anywhere = path.replacen(&common, "Any.", 1);
            !KNOWN
                .lines()
                .any(|line| is_known(line, path, is) || is_known(line, &anywhere, is))
        })
        .map(|(path, is)| format!("{path}: {is}"))
        .collect()
}

#[test]
fn every_key_of_the_manifests_is_one_that_the_api_knows() {
    for (kind, document) in manifests() {
        assert_eq!(unknown(&kind, &document), Vec::<String>::new());
    }
    // It can say no: a key that is misspelt, and a number for a text.
    let bad = "metadata: {name: x}\nspec: {replica: 2, template: {spec: {serviceAccountName: 7}}}";
    let bad = yaml_rust2::YamlLoader::load_from_str(bad).unwrap().remove(0);
    assert_eq!(
        unknown("Deployment", &bad),
        [
            "Deployment.spec.replica: number",
            "Deployment.spec.template.spec.serviceAccountName: number"
        ]
    );
}

/// A quantity of memory, in bytes.
fn bytes(quantity: &str) -> f64 {
    let number = quantity
        .strip_suffix("Gi")
        .unwrap_or_else(|| panic!("{quantity} is not in Gi"));
    number.parse::<f64>().unwrap() * 1_073_741_824.0
}

#[test]
fn a_process_has_the_memory_that_the_table_asks_for() {
    let table = std::fs::read_to_string(deploy("SCALING.md")).unwrap();
    let columns =
        |line: &str| -> Vec<String> { line.split('|').map(|cell| cell.trim().to_owned()).collect() };
    let head = table.lines().find(|line| line.starts_with("| load |")).unwrap();
    let at = columns(head)
        .iter()
        .position(|cell| cell == "largest process, GB")
        .unwrap();
    let row = table
        .lines()
        .find(|line| line.starts_with("| district, storm |"))
        .unwrap();
    let largest: f64 = columns(row)[at].parse().unwrap();
    let manifests = manifests();
    let (_, deployment) = manifests.iter().find(|(kind, _)| kind == "Deployment").unwrap();
    let container = &list(
        &deployment["spec"]["template"]["spec"]["containers"],
        "containers",
    )[0];
    let memory = |what: &str| bytes(container["resources"][what]["memory"].as_str().unwrap());
    assert!(
        memory("limits") >= 1.2 * largest * 1e9,
        "{} bytes for {largest} GB and a fifth on top",
        memory("limits")
    );
    assert!(
        (memory("requests") - memory("limits")).abs() < 1.0,
        "what a node has not is not promised"
    );
    assert!(container["resources"]["limits"]["cpu"].is_badvalue());
}

#[test]
fn what_is_named_is_there_and_who_scrapes_is_let_in() {
    let manifests = manifests();
    let of = |kind: &str| &manifests.iter().find(|(found, _)| found == kind).unwrap().1;
    let secret = of("Secret");
    let keys: BTreeSet<&str> = secret["stringData"]
        .as_hash()
        .unwrap()
        .keys()
        .filter_map(Yaml::as_str)
        .collect();
    let pod = &of("Deployment")["spec"]["template"];
    let volumes = list(&pod["spec"]["volumes"], "volumes").iter();
    let secrets: Vec<&str> = volumes
        .filter_map(|it| it["secret"]["secretName"].as_str())
        .collect();
    assert_eq!(secrets, [secret["metadata"]["name"].as_str().unwrap()]);
    let config = of("ConfigMap")["data"]["cityops.toml"].as_str().unwrap();
    let named = config
        .split('"')
        .filter_map(|text| text.strip_prefix("/etc/cityops-secret/"));
    let named: BTreeSet<&str> = named.collect();
    assert_eq!(named.len(), 4, "{named:?}");
    assert!(named.is_subset(&keys), "{named:?} of {keys:?}");
    for value in secret["stringData"].as_hash().unwrap().values() {
        assert!(
            value.as_str().unwrap().contains("REPLACE"),
            "an example holds no secret"
        );
    }

    let labels = &pod["metadata"]["labels"];
    let (policy, monitor) = (&of("NetworkPolicy")["spec"], &of("PodMonitor")["spec"]);
    assert_eq!(&policy["podSelector"]["matchLabels"], labels);
    assert_eq!(&monitor["selector"]["matchLabels"], labels);
    let port = &list(&pod["spec"]["containers"], "containers")[0]["ports"][0]["name"];
    assert_eq!(&policy["ingress"][0]["ports"][0]["port"], port);
    let endpoint = &monitor["podMetricsEndpoints"][0];
    assert_eq!(&endpoint["port"], port);
    let credentials = &endpoint["authorization"]["credentials"];
    assert_eq!(credentials["name"], secret["metadata"]["name"]);
    assert!(keys.contains(credentials["key"].as_str().unwrap()));
    let job = list(&endpoint["relabelings"], "relabelings").iter();
    let job = job
        .clone()
        .find(|it| it["targetLabel"].as_str() == Some("job"))
        .unwrap();
    assert_eq!(
        job["replacement"].as_str(),
        Some("cityops"),
        "up{{job=\"cityops\"}} of the alerts"
    );
    // The broker that the configuration names can be reached.
    let parsed: toml::Table = config.parse().unwrap();
    let broker = parsed["kafka"]["bootstrap_servers"].as_str().unwrap();
    let broker: i64 = broker.rsplit_once(':').unwrap().1.parse().unwrap();
    let egress = list(&policy["egress"], "egress").iter();
    let open: Vec<i64> = egress
        .flat_map(|rule| list(&rule["ports"], "ports"))
        .filter_map(|port| port["port"].as_i64())
        .collect();
    assert!(open.contains(&broker) && open.contains(&53), "{open:?}");
    // Two processes do not share a node where another is free.
    let affinity = &pod["spec"]["affinity"]["podAntiAffinity"];
    let term = &affinity["preferredDuringSchedulingIgnoredDuringExecution"][0]["podAffinityTerm"];
    assert_eq!(&term["labelSelector"]["matchLabels"], labels);
}
