//! The network between the clients and each broker: a TCP proxy that can cut, stop, slow down, and catch one request.
//!
//! It knows the frames of Kafka's protocol as far as their header: which request it is, and which client sent it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// The requests that a trap can wait for, by their number in the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub enum Api {
    /// A position that is committed beside a transaction.
    OffsetCommit = 8,
    /// The end of a transaction.
    EndTxn = 26,
    /// The positions of a transaction.
    TxnOffsetCommit = 28,
}

/// Which side of a request a trap catches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The request: the broker has not seen it.
    Request,
    /// The answer: the broker has done it, the client does not know.
    Answer,
}

/// What a connection may do just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// Every frame takes this long.
    Slow(Duration),
    /// Connections stay, and nothing passes.
    Stopped,
    /// There are no connections.
    Cut,
}

/// Waits for one request of a client.
struct Trap {
    client: String,
    api: Api,
    side: Side,
    caught: Sender<()>,
}

#[derive(Default)]
struct State {
    /// What holds for all, by broker; and for single clients.
    brokers: BTreeMap<usize, Way>,
    clients: BTreeMap<String, Way>,
    trap: Option<Trap>,
    /// Traps set so far, and how many of them have let go.
    traps: u64,
    let_go: u64,
    connections: BTreeMap<u64, Connection>,
    next: u64,
}

struct Connection {
    broker: usize,
    client: Option<String>,
    ends: [TcpStream; 2],
}

impl State {
    fn way(&self, broker: usize, client: Option<&str>) -> Way {
        let own = client.and_then(|client| self.clients.get(client));
        let all = self.brokers.get(&broker);
        own.or(all).copied().unwrap_or(Way::Open)
    }

    /// Ends the connections that are cut now.
    fn end_cut(&self) {
        for it in self.connections.values() {
            if self.way(it.broker, it.client.as_deref()) == Way::Cut {
                it.end();
            }
        }
    }
}

impl Connection {
    fn end(&self) {
        for end in &self.ends {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

/// The network before all brokers.
#[derive(Clone, Default)]
pub struct Net {
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Net {
    /// Opens a way to a broker that listens, or will, at `to`; gives the port that clients use.
    pub fn open_to(&self, broker: usize, to: SocketAddr) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let net = self.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let net = net.clone();
                std::thread::spawn(move || {
                    if net.way(broker, None) != Way::Cut
                        && let Ok(server) = TcpStream::connect(to)
                    {
                        net.join(broker, client, server);
                    }
                });
            }
        });
        port
    }

    /// No connection to these brokers, until [`Net::mend`].
    pub fn cut(&self, brokers: &[usize]) {
        self.set_brokers(brokers, Way::Cut);
    }

    /// Nothing passes to and from these brokers, and nobody is told.
    pub fn stop(&self, brokers: &[usize]) {
        self.set_brokers(brokers, Way::Stopped);
    }

    /// Every frame to and from these brokers is late.
    pub fn slow(&self, brokers: &[usize], by: Duration) {
        self.set_brokers(brokers, Way::Slow(by));
    }

    /// One client loses its connections and gets no new ones.
    pub fn cut_client(&self, client: &str) {
        self.change(|state| state.clients.insert(client.to_owned(), Way::Cut));
    }

    /// Nothing of one client passes.
    pub fn stop_client(&self, client: &str) {
        self.change(|state| state.clients.insert(client.to_owned(), Way::Stopped));
    }

    /// Everything is as it was; what waits goes on its way.
    pub fn mend(&self) {
        self.change(|state| {
            state.brokers.clear();
            state.clients.clear();
            state.trap = None;
            state.let_go = state.traps;
        });
    }

    /// Catches the next such request of a client. The connection stands still from then on, until it is cut or mended.
    pub fn trap(&self, client: &str, api: Api, side: Side) -> Receiver<()> {
        let (caught, receiver) = channel();
        let client = client.to_owned();
        self.change(|state| {
            state.traps += 1;
            state.trap = Some(Trap {
                client,
                api,
                side,
                caught,
            });
        });
        receiver
    }

    fn set_brokers(&self, brokers: &[usize], way: Way) {
        self.change(|state| state.brokers.extend(brokers.iter().map(|broker| (*broker, way))));
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) {
        let mut state = self.shared.0.lock().unwrap();
        change(&mut state);
        state.end_cut();
        self.shared.1.notify_all();
    }

    fn way(&self, broker: usize, client: Option<&str>) -> Way {
        self.shared.0.lock().unwrap().way(broker, client)
    }

    /// Waits until a frame may pass; `false` when the connection is cut.
    fn pass(&self, broker: usize, client: Option<&str>) -> bool {
        let mut state = self.shared.0.lock().unwrap();
        loop {
            match state.way(broker, client) {
                Way::Open => return true,
                Way::Cut => return false,
                Way::Stopped => state = self.shared.1.wait(state).unwrap(),
                Way::Slow(by) => {
                    drop(state);
                    std::thread::sleep(by);
                    return true;
                }
            }
        }
    }

    /// Whether this frame is what the trap waits for. Then it stays in it until the network is mended.
    fn hold_if_trapped(&self, client: &str, api: i16, side: Side) {
        let mut state = self.shared.0.lock().unwrap();
        let is = |trap: &mut Trap| trap.client == client && trap.api as i16 == api && trap.side == side;
        let Some(trap) = state.trap.take_if(is) else {
            return;
        };
        // The test may have given up waiting.
        let _ = trap.caught.send(());
        let number = state.traps;
        while state.let_go < number {
            state = self.shared.1.wait(state).unwrap();
        }
    }

    /// Whether a trap waits for the answer to such a request.
    fn wants_answer(&self, client: &str, api: i16) -> bool {
        let state = self.shared.0.lock().unwrap();
        let trap = state.trap.as_ref();
        trap.is_some_and(|it| it.client == client && it.api as i16 == api && it.side == Side::Answer)
    }

    /// Carries frames both ways until one side ends.
    fn join(&self, broker: usize, client: TcpStream, server: TcpStream) {
        for end in [&client, &server] {
            let _ = end.set_nodelay(true);
        }
        let Ok(ends) = client
            .try_clone()
            .and_then(|client| Ok([client, server.try_clone()?]))
        else {
            return;
        };
        let (Ok(from_server), Ok(to_client)) = (server.try_clone(), client.try_clone()) else {
            return;
        };
        let number = {
            let mut state = self.shared.0.lock().unwrap();
            let number = state.next;
            state.next += 1;
            let connection = Connection {
                broker,
                client: None,
                ends,
            };
            state.connections.insert(number, connection);
            number
        };
        let side = Pump {
            net: self.clone(),
            broker,
            number,
            wanted: Arc::default(),
            name: Arc::default(),
        };
        let back = side.clone();
        std::thread::spawn(move || back.answers(from_server, to_client));
        side.requests(client, server);
        self.shared.0.lock().unwrap().connections.remove(&number);
    }
}

/// One connection's frames.
#[derive(Clone)]
struct Pump {
    net: Net,
    broker: usize,
    number: u64,
    /// Requests whose answers a trap waits for: by correlation id, their number in the protocol.
    wanted: Arc<Mutex<BTreeMap<i32, i16>>>,
    name: Arc<Mutex<Option<String>>>,
}

impl Pump {
    fn requests(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut seen = BTreeSet::new();
        while let Some(frame) = read_frame(&mut from) {
            if let Some((api, correlation, client)) = header(&frame) {
                if seen.insert(client.clone()) {
                    self.is_of(&client);
                }
                self.net.hold_if_trapped(&client, api, Side::Request);
                if self.net.wants_answer(&client, api) {
                    self.wanted.lock().unwrap().insert(correlation, api);
                }
            }
            if !self.write(&mut to, &frame) {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    fn answers(&self, mut from: TcpStream, mut to: TcpStream) {
        while let Some(frame) = read_frame(&mut from) {
            let correlation = frame.get(4..8).and_then(|bytes| bytes.try_into().ok());
            let wanted =
                correlation.and_then(|bytes| self.wanted.lock().unwrap().remove(&i32::from_be_bytes(bytes)));
            if let Some(api) = wanted
                && let Some(client) = self.name()
            {
                self.net.hold_if_trapped(&client, api, Side::Answer);
            }
            if !self.write(&mut to, &frame) {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    fn write(&self, to: &mut TcpStream, frame: &[u8]) -> bool {
        self.net.pass(self.broker, self.name().as_deref()) && to.write_all(frame).is_ok()
    }

    fn name(&self) -> Option<String> {
        self.name.lock().unwrap().clone()
    }

    fn is_of(&self, client: &str) {
        *self.name.lock().unwrap() = Some(client.to_owned());
        let mut state = self.net.shared.0.lock().unwrap();
        if let Some(connection) = state.connections.get_mut(&self.number) {
            connection.client = Some(client.to_owned());
        }
    }
}

/// A frame with its length before it; `None` at the end of the connection.
fn read_frame(from: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    read_exact(from, &mut length)?;
    let size = usize::try_from(i32::from_be_bytes(length)).ok()?;
    let mut frame = vec![0; 4 + size];
    frame[..4].copy_from_slice(&length);
    read_exact(from, &mut frame[4..])?;
    Some(frame)
}

fn read_exact(from: &mut TcpStream, bytes: &mut [u8]) -> Option<()> {
    loop {
        match from.read_exact(bytes) {
            Ok(()) => return Some(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

/// Request, correlation id and client id of a request's frame.
fn header(frame: &[u8]) -> Option<(i16, i32, String)> {
    let two = |at: usize| Some(i16::from_be_bytes(frame.get(at..at + 2)?.try_into().ok()?));
    let api = two(4)?;
    let correlation = i32::from_be_bytes(frame.get(8..12)?.try_into().ok()?);
    let length = usize::try_from(two(12)?).ok()?;
    let client = std::str::from_utf8(frame.get(14..14 + length)?).ok()?;
    Some((api, correlation, client.to_owned()))
}
