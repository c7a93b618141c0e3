//! Grants and withdraws rights on a broker by Kafka's own protocol (CreateAcls and DeleteAcls, version 1): the broker's tool takes
//! seconds for each, and the client library has no such call.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// A right of one principal on one thing; `party` is who works in which duty, as `sre-topics`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Right {
    pub(crate) party: String,
    pub(crate) principal: String,
    pub(crate) resource: String,
    pub(crate) name: String,
    pub(crate) prefixed: bool,
    pub(crate) operation: String,
}

impl Right {
    /// The rights, one operation each, of what `topics plan --acls` prints as JSON.
    pub(crate) fn of_printed(out: &str) -> Vec<Right> {
        let told: Value = serde_json::from_str(out).unwrap();
        let acls = told["acls"].as_array().unwrap().iter();
        let all = acls.flat_map(|acl| {
            let text = |name: &str| acl[name].as_str().unwrap().to_owned();
            let party = format!("{}-{}", text("party"), text("duty"));
            let operations = acl["operations"].as_array().unwrap().iter();
            operations.map(move |operation| Right {
                party: party.trim_end_matches('-').to_owned(),
                principal: text("principal"),
                resource: text("resource"),
                name: text("name"),
                prefixed: text("pattern") == "prefixed",
                operation: operation.as_str().unwrap().to_owned(),
            })
        });
        all.collect()
    }

    fn resource_type(&self) -> u8 {
        match self.resource.as_str() {
            "topic" => 2,
            "group" => 3,
            "transactional-id" => 5,
            other => panic!("{other}"),
        }
    }

    fn operation(&self) -> u8 {
        match self.operation.as_str() {
            "READ" => 3,
            "WRITE" => 4,
            "CREATE" => 5,
            "DELETE" => 6,
            "ALTER" => 7,
            "DESCRIBE" => 8,
            "ALTER_CONFIGS" => 11,
            other => panic!("{other}"),
        }
    }

    fn put(&self, body: &mut Vec<u8>) {
        body.push(self.resource_type());
        put_text(body, &self.name);
        body.push(if self.prefixed { 4 } else { 3 });
        put_text(body, &self.principal);
        put_text(body, "*");
        body.push(self.operation());
        // Allow.
        body.push(3);
    }
}

fn put_text(body: &mut Vec<u8>, text: &str) {
    body.extend((text.len() as i16).to_be_bytes());
    body.extend(text.as_bytes());
}

/// One connection to a broker that lets everyone do everything there.
pub(crate) struct Granting {
    stream: TcpStream,
}

impl Granting {
    pub(crate) fn at(bootstrap: &str) -> Granting {
        Granting {
            stream: TcpStream::connect(bootstrap).unwrap(),
        }
    }

    /// CreateAcls.
    pub(crate) fn grant(&mut self, rights: &[Right]) {
        let answer = self.ask(30, rights);
        let mut at = 8;
        for right in rights {
            let code = i16::from_be_bytes([answer[at], answer[at + 1]]);
            assert_eq!(code, 0, "{right:?}");
            let length = i16::from_be_bytes([answer[at + 2], answer[at + 3]]);
            at += 4 + usize::try_from(length).unwrap_or(0);
        }
    }

    /// DeleteAcls; each of them was granted.
    pub(crate) fn withdraw(&mut self, right: &Right) {
        let answer = self.ask(31, std::slice::from_ref(right));
        // Throttle, one filter; its error, its message, and how many it matched.
        assert_eq!(&answer[8..10], [0, 0], "{right:?}");
        let length = i16::from_be_bytes([answer[10], answer[11]]);
        let at = 12 + usize::try_from(length).unwrap_or(0);
        assert_eq!(&answer[at..at + 4], [0, 0, 0, 1], "{right:?}");
    }

    fn ask(&mut self, api: i16, rights: &[Right]) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend((rights.len() as i32).to_be_bytes());
        for right in rights {
            right.put(&mut body);
        }
        ask(&mut self.stream, api, 1, &body)
    }
}

/// A connection of a user.
fn connected(users: &str, user: &str) -> TcpStream {
    let mut stream = TcpStream::connect(users).unwrap();
    let mut body = Vec::new();
    put_text(&mut body, "PLAIN");
    let answer = ask(&mut stream, 17, 1, &body);
    assert_eq!(&answer[..2], [0, 0], "SaslHandshake");
    let token = format!("\0{user}\0{user}");
    let mut body = (token.len() as i32).to_be_bytes().to_vec();
    body.extend(token.as_bytes());
    let answer = ask(&mut stream, 36, 0, &body);
    assert_eq!(&answer[..2], [0, 0], "SaslAuthenticate");
    stream
}

/// Asks for a group as a member (Heartbeat) or an onlooker (OffsetFetch) would; the broker's error code.
pub(crate) fn group_as(users: &str, user: &str, group: &str, as_member: bool) -> i16 {
    let mut stream = connected(users, user);
    let mut body = Vec::new();
    put_text(&mut body, group);
    let answer = match as_member {
        true => {
            body.extend(0_i32.to_be_bytes());
            put_text(&mut body, "nobody");
            ask(&mut stream, 12, 0, &body)
        }
        false => {
            // All of its partitions.
            body.extend((-1_i32).to_be_bytes());
            ask(&mut stream, 9, 2, &body)
        }
    };
    // Of both answers the code is the last.
    code_at_the_end(&answer)
}

/// Deletes a topic (DeleteTopics) or a group (DeleteGroups); the broker's error code.
pub(crate) fn delete_as(users: &str, user: &str, right: &Right) -> i16 {
    let mut stream = connected(users, user);
    let mut body = 1_i32.to_be_bytes().to_vec();
    put_text(&mut body, &right.name);
    let answer = match right.resource.as_str() {
        "topic" => {
            body.extend(10_000_i32.to_be_bytes());
            ask(&mut stream, 20, 1, &body)
        }
        _ => ask(&mut stream, 42, 0, &body),
    };
    code_at_the_end(&answer)
}

fn code_at_the_end(answer: &[u8]) -> i16 {
    let at = answer.len() - 2;
    i16::from_be_bytes([answer[at], answer[at + 1]])
}

fn ask(stream: &mut TcpStream, api: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut request = Vec::new();
    request.extend(api.to_be_bytes());
    request.extend(version.to_be_bytes());
    request.extend(7_i32.to_be_bytes());
    put_text(&mut request, "tests");
    request.extend(body);
    stream.write_all(&(request.len() as i32).to_be_bytes()).unwrap();
    stream.write_all(&request).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; i32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer[..4], 7_i32.to_be_bytes());
    answer.split_off(4)
}
