//! Grants and withdraws rights on a broker by Kafka's own protocol (CreateAcls and DeleteAcls, version 1): the broker's tool takes
//! seconds for each, and the client library has no such call.

use std::io::{Read, Write};
use std::net::TcpStream;

/// A right of one principal on one thing.
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
        body.extend(api.to_be_bytes());
        body.extend(1_i16.to_be_bytes());
        body.extend(7_i32.to_be_bytes());
        put_text(&mut body, "tests");
        body.extend((rights.len() as i32).to_be_bytes());
        for right in rights {
            right.put(&mut body);
        }
        self.stream.write_all(&(body.len() as i32).to_be_bytes()).unwrap();
        self.stream.write_all(&body).unwrap();
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).unwrap();
        let mut answer = vec![0; i32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer[..4], 7_i32.to_be_bytes());
        answer.split_off(4)
    }
}
