//! `cityops topics plan --acls`: the least rights of each party, as lines for Kafka's own tool and as JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::CommandResult;
use crate::acls::{Acl, Party, acls};
use crate::cli::TopicsPlanArgs;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::{Exit, usage};

pub(super) fn run(loaded: &Loaded, args: &TopicsPlanArgs, json: bool) -> CommandResult {
    let principals = principals(loaded, &args.principal)?;
    let acls = acls(loaded);
    let bootstrap = &loaded.config.kafka.bootstrap_servers;
    if json {
        let acls: Vec<Value> = acls
            .iter()
            .map(|acl| in_json(acl, &principals[&acl.party]))
            .collect();
        print(json!({ "acls": acls }));
        return Ok(Exit::Clean);
    }
    print(
        "# The least rights of each party  各方最小权限. READ, WRITE and ALTER bring DESCRIBE with them, ALTER_CONFIGS brings DESCRIBE_CONFIGS.",
    );
    print("# A source's producer is idempotent without a right of its own. Nobody may DELETE.");
    for party in Party::ALL {
        print(format!("\n# {}", title(party)));
        for acl in acls.iter().filter(|acl| acl.party == party) {
            print(line(acl, &principals[&party], bootstrap));
        }
    }
    Ok(Exit::Clean)
}

const fn title(party: Party) -> &'static str {
    match party {
        Party::Worker => "worker: cityops run  处理进程",
        Party::Centre => "centre: the operations centre  指挥中心",
        Party::Integrator => "integrator: source systems  数据接入方",
        Party::Sre => "sre: who runs it  运维",
    }
}

/// Who is which party.
fn principals(loaded: &Loaded, given: &[String]) -> anyhow::Result<BTreeMap<Party, String>> {
    let mut principals: BTreeMap<Party, String> = Party::ALL
        .iter()
        .map(|party| {
            let prefix = &loaded.config.kafka.group_prefix;
            (*party, format!("User:{prefix}-{}", party.as_str()))
        })
        .collect();
    for text in given {
        let known = text.split_once('=').and_then(|(name, principal)| {
            let party = Party::ALL.into_iter().find(|party| party.as_str() == name)?;
            principal.contains(':').then_some((party, principal))
        });
        let Some((party, principal)) = known else {
            return Err(usage(format!(
                "--principal {text}: write a party (worker centre integrator sre) and its principal, such as worker=User:cityops"
            )));
        };
        principals.insert(party, principal.to_owned());
    }
    Ok(principals)
}

fn line(acl: &Acl, principal: &str, bootstrap: &str) -> String {
    let operations: Vec<String> = acl
        .operations
        .iter()
        .map(|operation| format!("--operation {}", tool_name(operation)))
        .collect();
    let pattern = match acl.prefixed {
        true => " --resource-pattern-type prefixed",
        false => "",
    };
    format!(
        "kafka-acls --bootstrap-server {bootstrap} --add --allow-principal '{principal}' {} --{} '{}'{pattern}  # {}",
        operations.join(" "),
        acl.resource.as_str(),
        acl.name,
        acl.purpose
    )
}

/// Kafka's tool writes operations in its own way.
fn tool_name(operation: &str) -> String {
    let words = operation.split('_').map(|word| {
        let (first, rest) = word.split_at(1.min(word.len()));
        format!("{first}{}", rest.to_ascii_lowercase())
    });
    words.collect()
}

fn in_json(acl: &Acl, principal: &str) -> Value {
    json!({ "party": acl.party.as_str(), "principal": principal, "resource": acl.resource.as_str(), "name": acl.name,
        "pattern": if acl.prefixed { "prefixed" } else { "literal" }, "operations": acl.operations, "purpose": acl.purpose })
}
