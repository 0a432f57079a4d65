//! An HTTP API in this process, as faulty as a test needs it: on loopback, on a free port, gone when dropped.
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// What was asked for.
pub(crate) struct Asked {
    /// How many questions came before.
    pub(crate) nth: usize,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    /// By name in lower case.
    pub(crate) headers: BTreeMap<String, String>,
}

impl Asked {
    /// The parameter `name` as a number.
    pub(crate) fn number(&self, name: &str, otherwise: usize) -> usize {
        self.query.get(name).map_or(otherwise, |text| text.parse().unwrap())
    }
}

/// What a test answers.
pub(crate) enum Reply {
    Json(String),
    With(u16, Vec<(&'static str, String)>, String),
    /// The connection is closed without an answer.
    Nothing,
    /// As much of the body as half, though all of it was announced.
    Half(String),
    /// A head, and then nothing for so long.
    Slow(Duration),
}

type Answers = dyn Fn(&Asked) -> Reply + Send + Sync;

pub(crate) struct Api {
    port: u16,
    stopped: Arc<AtomicBool>,
    targets: Arc<Mutex<Vec<String>>>,
    listening: Option<JoinHandle<()>>,
}

impl Api {
    pub(crate) fn serve(answers: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Api {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stopped, targets) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (stop, asked, answers) = (stopped.clone(), targets.clone(), Arc::new(answers));
        let listening = std::thread::spawn(move || {
            for socket in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (asked, answers) = (asked.clone(), answers.clone());
                // A test is over when it has its answers: nobody waits for a thread that is still slow.
                std::thread::spawn(move || drop(answer(socket.unwrap(), &asked, &*answers)));
            }
        });
        Api { port, stopped, targets, listening: Some(listening) }
    }

    /// The API's address with `options`.
    pub(crate) fn url(&self, options: &str) -> String {
        format!("http://127.0.0.1:{}/v1{options}", self.port)
    }

    /// Path and query of every question, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.targets.lock().unwrap().clone()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        self.listening.take().unwrap().join().unwrap();
    }
}

/// One question a connection.
fn answer(socket: TcpStream, targets: &Mutex<Vec<String>>, answers: &Answers) -> std::io::Result<()> {
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut lines = BufReader::new(socket.try_clone()?).take(1 << 16).lines();
    let Some(first) = lines.next().transpose()? else { return Ok(()) };
    let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let query = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let path = path.to_owned();
    let nth = {
        let mut targets = targets.lock().unwrap();
        targets.push(target);
        targets.len() - 1
    };
    reply(socket, answers(&Asked { nth, path, query, headers }))
}

fn reply(mut socket: TcpStream, reply: Reply) -> std::io::Result<()> {
    let head = |status: u16, headers: &[(&str, String)], length: usize| {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("HTTP/1.1 {status} So\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n")
    };
    match reply {
        Reply::Json(body) => write!(socket, "{}{body}", head(200, &[], body.len())),
        Reply::With(status, headers, body) => write!(socket, "{}{body}", head(status, &headers, body.len())),
        Reply::Half(body) => write!(socket, "{}{}", head(200, &[], body.len()), &body[..body.len() / 2]),
        Reply::Slow(pause) => {
            write!(socket, "{}", head(200, &[], 2))?;
            std::thread::sleep(pause);
            Ok(())
        }
        Reply::Nothing => Ok(()),
    }
}
