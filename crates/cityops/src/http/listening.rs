//! Connections: how many there are, how long a client may take, TLS, and an orderly end.
//!
//! At the limit the connection that has waited longest goes for the next (`seats.rs`). Where all are being answered, a few more are
//! let in for health and metrics alone, so that neither a crowd at the map nor connections that ask for nothing look like a dead
//! process.

use std::convert::Infallible;
use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

use super::access::Access;
use super::door::{Door, LOOK_EVERY, time};
use super::seats::{Seat, Seats, Wanted};
use super::{Serving, probes, router_of};
use crate::config::HttpLimits;
use crate::metrics::{Metrics, Refused};

/// Connections beyond the limit that may ask for health and metrics.
const SPARE: usize = 16;
/// A spare connection that asks for nothing goes soon.
const SPARE_HEADER_TIME: Duration = Duration::from_secs(2);
/// After an error that is not one connection's, such as too many open files.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// Answers requests until `shutdown` is done, then finishes the answers that are under way, for at most `grace`.
pub(super) async fn serve(
    listener: TcpListener,
    door: Door,
    serving: Serving,
    shutdown: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) {
    let (end, ending) = watch::channel(false);
    let house = House {
        all: router_of(serving.clone(), door.clone(), ending.clone()),
        probes: probes(serving.clone(), door.clone(), ending.clone()),
        seats: Seats::new(door.limits.connections, true),
        spare: Seats::new(SPARE, false),
        metrics: serving.metrics.clone(),
        door,
    };
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    if let Some(connection) = house.connection(stream, peer, ending.clone()) {
                        connections.spawn(connection);
                    }
                }
                Err(error) if is_of_one_connection(error.kind()) => {}
                Err(error) => {
                    tracing::error!(%error, "HTTP cannot take a connection");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = looks.tick() => {
                let (door, metrics) = (house.door.clone(), house.metrics.clone());
                tokio::task::spawn_blocking(move || door.look(metrics.reloads()));
            }
        }
    }
    drop(listener);
    // Who waits for the end is a connection of this set.
    let _ = end.send(true);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(grace, all_ended).await;
}

fn is_of_one_connection(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

struct House {
    all: Router,
    probes: Router,
    seats: Arc<Seats>,
    spare: Arc<Seats>,
    metrics: Arc<Metrics>,
    door: Door,
}

/// A connection's seat, and what it may ask for.
struct Guest {
    seat: Arc<Seat>,
    /// The seat is wanted by somebody else.
    wanted: Wanted,
    router: Router,
    header_time: Duration,
    keeps: bool,
    access: Access,
}

impl House {
    fn guest(&self, peer: SocketAddr) -> Option<Guest> {
        let header_time = time(self.door.limits.header_time);
        let access = Access {
            log: self.door.access_log,
            tokens: self.door.tokens.is_some(),
            peer: peer.ip(),
            metrics: self.metrics.clone(),
        };
        if let Some((seat, wanted, for_it)) = self.seats.take() {
            if for_it {
                self.metrics.http().refused(Refused::Idle);
            }
            return Some(Guest {
                seat: Arc::new(seat),
                wanted,
                router: self.all.clone(),
                header_time,
                keeps: true,
                access,
            });
        }
        self.metrics.http().refused(Refused::Connections);
        let (seat, wanted, _) = self.spare.take()?;
        Some(Guest {
            seat: Arc::new(seat),
            wanted,
            router: self.probes.clone(),
            header_time: header_time.min(SPARE_HEADER_TIME),
            keeps: false,
            access,
        })
    }

    fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        ending: watch::Receiver<bool>,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let mut guest = self.guest(peer)?;
        let limits = self.door.limits;
        let tls = self.door.tls.as_ref().map(|tls| TlsAcceptor::from(tls.get()));
        let open = self.metrics.http().connection();
        Some(async move {
            let _open = open;
            // An answer is written at once; waiting for more would only delay it.
            let _ = stream.set_nodelay(true);
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(time(limits.stalled)));
            let stream = Box::pin(stream);
            let Some(tls) = tls else {
                return talk(stream, guest, limits, ending).await;
            };
            let handshake = tokio::time::timeout(guest.header_time, tls.accept(stream));
            let accepted = tokio::select! {
                _ = &mut guest.wanted => return,
                accepted = handshake => accepted,
            };
            match accepted {
                Ok(Ok(stream)) => talk(stream, guest, limits, ending).await,
                Ok(Err(error)) => tracing::debug!(%error, "a client speaks no TLS that is spoken here"),
                Err(_) => tracing::debug!("a client took too long for TLS"),
            }
        })
    }
}

/// Answers the requests of one connection until it ends, its seat is wanted, or all end.
async fn talk(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    guest: Guest,
    limits: HttpLimits,
    mut ending: watch::Receiver<bool>,
) {
    let Guest {
        seat,
        mut wanted,
        router,
        header_time,
        keeps,
        access,
    } = guest;
    let head = limits.request_kib * 1024;
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(header_time)
        .max_header_size(head)
        // hyper's own least
        .max_buf_size(head.max(8_192))
        .keep_alive(keeps);
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (answering, asked) = (seat.answering(), access.asked(&request));
        let answer = routes.call(request);
        async move {
            let answer = answer.await?;
            Ok::<_, Infallible>(asked.answered(answer, answering))
        }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let asked = async {
        // The sender goes only when all have ended.
        let _ = ending.wait_for(|ending| *ending).await;
    };
    tokio::select! {
        result = connection.as_mut() => return told(result),
        _ = &mut wanted => return,
        () = asked => connection.as_mut().graceful_shutdown(),
    }
    told(connection.await);
}

/// A client that went away or stood still is its own affair.
fn told(result: hyper::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended");
    }
}
