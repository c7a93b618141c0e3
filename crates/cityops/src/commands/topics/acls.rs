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
            .map(|acl| in_json(acl, &principals[&(acl.party, acl.duty)]))
            .collect();
        print(json!({ "acls": acls }));
        return Ok(Exit::Clean);
    }
    print(
        "# The least rights of each party  各方最小权限. READ, WRITE and ALTER bring DESCRIBE with them, ALTER_CONFIGS brings DESCRIBE_CONFIGS.",
    );
    print(
        "# A source's producer is idempotent without a right of its own. Nobody may DELETE but who rebuilds.",
    );
    for ((party, duty), principal) in &principals {
        print(format!("\n# {}", title(*party, duty)));
        for acl in acls.iter().filter(|acl| (acl.party, acl.duty) == (*party, *duty)) {
            print(line(acl, principal, bootstrap));
        }
    }
    Ok(Exit::Clean)
}

/// A party in one of its duties.
type Who = (Party, &'static str);

fn title(party: Party, duty: &str) -> String {
    let title = match (party, duty) {
        (Party::Worker, _) => "cityops run  处理进程",
        (Party::Centre, _) => "the operations centre  指挥中心",
        (Party::Integrator, _) => {
            "a source system, each as a principal of its own  数据接入方，每类来源各用一个账号"
        }
        (Party::Sre, "topics") => "topics apply: creates and alters topics  建立与调整主题",
        (Party::Sre, "deadletters") => {
            "deadletter: sees personal data, and feeds it again  死信处理，可见个人信息"
        }
        (Party::Sre, "rebuild") => {
            "rebuilding after a disaster: grant it then, and take it back  灾难恢复，仅在恢复期间授予"
        }
        (Party::Sre, _) => "who runs it: audit, ledger, explain, lag  运维：只读",
    };
    format!("{}: {title}", name(party, duty))
}

fn name(party: Party, duty: &str) -> String {
    match duty {
        "" => party.as_str().to_owned(),
        duty => format!("{}.{duty}", party.as_str()),
    }
}

/// Who is which party, in which duty. A principal of a whole party has all its duties that nobody else has.
fn principals(loaded: &Loaded, given: &[String]) -> anyhow::Result<BTreeMap<Who, String>> {
    let prefix = &loaded.config.kafka.group_prefix;
    let all: Vec<Who> = Party::ALL
        .iter()
        .flat_map(|party| party.duties().iter().map(|duty| (*party, *duty)))
        .collect();
    let mut principals: BTreeMap<Who, String> = all
        .iter()
        .map(|who| {
            (
                *who,
                format!("User:{prefix}-{}", name(who.0, who.1).replace('.', "-")),
            )
        })
        .collect();
    let mut of_duties = Vec::new();
    for text in given {
        let (named, principal) = text.split_once('=').unwrap_or((text, ""));
        let of_party = Party::ALL.into_iter().find(|party| party.as_str() == named);
        let of_duty = all.iter().find(|(party, duty)| name(*party, duty) == named);
        match (of_party, of_duty) {
            _ if !principal.contains(':') => return Err(no_principal(text, &all)),
            (Some(party), _) => {
                for duty in party.duties() {
                    principals.insert((party, *duty), principal.to_owned());
                }
            }
            (None, Some(who)) => of_duties.push((*who, principal.to_owned())),
            (None, None) => return Err(no_principal(text, &all)),
        }
    }
    principals.extend(of_duties);
    Ok(principals)
}

fn no_principal(text: &str, all: &[Who]) -> anyhow::Error {
    let names: Vec<String> = all.iter().map(|(party, duty)| name(*party, duty)).collect();
    usage(format!(
        "--principal {text}: write a party (integrator stands for all its sources), or one of its duties, and its principal, such as \
         worker=User:cityops; they are {}",
        names.join(" ")
    ))
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
    json!({ "party": acl.party.as_str(), "duty": acl.duty, "principal": principal, "resource": acl.resource.as_str(), "name": acl.name,
        "pattern": if acl.prefixed { "prefixed" } else { "literal" }, "operations": acl.operations, "purpose": acl.purpose })
}
