//! The stage's S3 server: as a bucket of a test's own, behind a proxy that answers badly, and as a reader of
//! publications sees it.
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use camino::Utf8Path;
use carve::{
    connector::{Bucket, open_bucket},
    service::{Contract, Fingerprint, Manifest, ServiceAddress, decode_part},
    vocab::{Digest, Row, SchemaVersion},
};

/// A place of a test's own on the server that `CARVE_TEST_S3_URL` names, with credentials from the environment.
pub(super) fn own() -> Option<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("CARVE_TEST_S3_URL").ok();
    let required = std::env::var_os("CARVE_REQUIRE_SERVERS").is_some();
    assert!(url.is_some() || !required, "CARVE_TEST_S3_URL is not set");
    // Beside the place of the URL, which another test must find empty.
    let place = format!("-{}-{}?", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    Some(url?.replacen('?', &place, 1))
}

pub(super) async fn open(url: &str) -> Arc<dyn Bucket> {
    open_bucket("bucket", url, Utf8Path::new(".")).await.unwrap()
}

/// The newest publication of `sales` as a reader gets it, all rows of its default endpoint; `None` before the first.
/// What docs/FORMAT.md promises of it is checked: each name is there with the bytes it should have.
pub(super) async fn published(bucket: &dyn Bucket) -> Option<(SchemaVersion, Vec<Row>)> {
    let address = ServiceAddress::new(&"sales".parse().unwrap());
    let listed = bucket.list(&address.schemata_prefix()).await.unwrap();
    let newest = address.newest_contract(listed.into_iter().map(|object| object.key))?;
    let contract = Contract::from_yaml(&bucket.get(&newest.key).await.unwrap()).unwrap();
    let endpoint = contract.facts.endpoints.iter().find(|its| its.endpoint.as_str() == "default").unwrap();
    let manifest = bucket.get(&endpoint.manifest).await.unwrap();
    assert_eq!(Digest::of(&manifest), endpoint.manifest_digest, "{}", endpoint.manifest);
    let manifest = Manifest::from_json(&manifest).unwrap();
    let mut rows = Vec::new();
    for part in &manifest.parts {
        let bytes = bucket.get(&part.key).await.unwrap();
        assert_eq!((Digest::of(&bytes), bytes.len() as u64), (part.digest, part.bytes), "{}", part.key);
        rows.extend(decode_part(manifest.part_format, &manifest.schema, &bytes).unwrap());
    }
    assert_eq!(Fingerprint::of(&manifest.schema, &rows).unwrap(), endpoint.fingerprint);
    Some((newest.version, rows))
}

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Refused without an effect.
    Status(u16),
    /// It has its effect, and the answer says that it failed.
    DoneAndRefused(u16),
    /// It has its effect, and the connection is closed without an answer.
    DoneAndLost,
    /// The connection is closed at once.
    Closed,
    /// Half of the answer comes.
    Half,
    /// The answer comes later.
    Slow(Duration),
    /// Nothing comes, for so long.
    Silent(Duration),
}

/// What a proxy does to a request, by its method, target and number.
type Judge = dyn Fn(&str, &str, usize) -> Option<Fault> + Send + Sync;

/// Stands before the server, one request a connection.
pub(super) struct Proxy {
    port: u16,
    stopped: Arc<AtomicBool>,
    done: Arc<Mutex<Vec<Fault>>>,
}

impl Proxy {
    /// Before the server of the bucket `url`.
    pub(super) fn before(
        url: &str,
        judge: impl Fn(&str, &str, usize) -> Option<Fault> + Send + Sync + 'static,
    ) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stopped, done) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (stop, told, judge, server) = (stopped.clone(), done.clone(), Arc::new(judge), server_of(url).to_owned());
        let number = Arc::new(AtomicUsize::new(0));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (told, judge, server, number) = (told.clone(), judge.clone(), server.clone(), number.clone());
                std::thread::spawn(move || drop(pass(socket.unwrap(), &server, &*judge, &number, &told)));
            }
        });
        Proxy { port, stopped, done }
    }

    /// The same bucket, through the proxy.
    pub(super) fn url(&self, of: &str) -> String {
        of.replace(server_of(of), &format!("127.0.0.1:{}", self.port))
    }

    /// What was done to requests so far.
    pub(super) fn faults(&self) -> Vec<Fault> {
        self.done.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// `127.0.0.1:5000` of `s3://…?endpoint=http://127.0.0.1:5000&…`.
pub(super) fn server_of(url: &str) -> &str {
    url.split("endpoint=http://").nth(1).unwrap().split('&').next().unwrap()
}

fn pass(
    mut socket: TcpStream,
    server: &str,
    judge: &Judge,
    number: &AtomicUsize,
    told: &Mutex<Vec<Fault>>,
) -> std::io::Result<()> {
    socket.set_read_timeout(Some(Duration::from_secs(60)))?;
    let Some(request) = Request::read(&socket)? else { return Ok(()) };
    let fault = judge(&request.method, &request.target, number.fetch_add(1, Ordering::SeqCst));
    if let Some(fault) = fault {
        told.lock().unwrap().push(fault);
    }
    match fault {
        None => socket.write_all(&request.answer(server)?),
        Some(Fault::Status(status)) => socket.write_all(refusal(status).as_bytes()),
        Some(Fault::DoneAndRefused(status)) => {
            request.answer(server)?;
            socket.write_all(refusal(status).as_bytes())
        }
        Some(Fault::DoneAndLost) => request.answer(server).map(drop),
        Some(Fault::Closed) => Ok(()),
        Some(Fault::Half) => {
            let answer = request.answer(server)?;
            let body = answer.windows(4).position(|end| end == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
            socket.write_all(&answer[..body + (answer.len() - body) / 2])
        }
        Some(Fault::Slow(pause)) => {
            std::thread::sleep(pause);
            socket.write_all(&request.answer(server)?)
        }
        Some(Fault::Silent(pause)) => {
            std::thread::sleep(pause);
            Ok(())
        }
    }
}

fn refusal(status: u16) -> String {
    let code = match status {
        412 => "PreconditionFailed",
        503 => "SlowDown",
        _ => "InternalError",
    };
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as told</Message></Error>");
    format!("HTTP/1.1 {status} No\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

struct Request {
    method: String,
    target: String,
    /// As it came, but for `Connection`.
    bytes: Vec<u8>,
}

impl Request {
    fn read(socket: &TcpStream) -> std::io::Result<Option<Request>> {
        let mut reader = BufReader::new(socket);
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(None);
        }
        let mut words = first.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (mut head, mut length) = (first, 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let (name, value) = line.split_once(':').unwrap_or_default();
            match name.to_lowercase().as_str() {
                "connection" => continue,
                "content-length" => length = value.trim().parse().unwrap(),
                "transfer-encoding" => panic!("{line}: a proxy of tests knows lengths only"),
                "expect" => {
                    (&*socket).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                    continue;
                }
                "" => break,
                _ => {}
            }
            head += &line;
        }
        let mut bytes = format!("{head}Connection: close\r\n\r\n").into_bytes();
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        bytes.extend(body);
        Ok(Some(Request { method, target, bytes }))
    }

    fn answer(&self, server: &str) -> std::io::Result<Vec<u8>> {
        let mut there = TcpStream::connect(server)?;
        there.write_all(&self.bytes)?;
        let mut answer = Vec::new();
        there.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

/// A sequence that looks random and is the same in every run of a seed.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn of(seed: u64) -> Random {
        Random(0x5eed_u64.wrapping_add(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
