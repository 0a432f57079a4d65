//! The network is cut in the middle of a run, without a word to either side: carve works in a network namespace of the
//! test's own, and the link to the servers goes down.
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use super::{
    Database,
    own::{Own, done, is_root},
    wrap::{Estate, planned_between, scripts},
};
use crate::servers::store::{self, server_of};

const MORE: &str =
    "INSERT INTO orders SELECT i, repeat('n', 300), i, '2024-01-01', true, '1 s' FROM generate_series(3001, 60000) i;";
const ROWS: usize = 59_500;

/// A network namespace, and the link by which it reaches this machine.
struct Apart {
    name: String,
    link: String,
    /// This machine's end.
    address: String,
}

impl Apart {
    /// Where this user may make one.
    fn made() -> Option<Apart> {
        let made = |apart: &Apart| {
            let add = Command::new("ip").args(["netns", "add", &apart.name]).output();
            add.is_ok_and(|output| output.status.success())
        };
        let id = std::process::id();
        let net = format!("198.18.{}", id % 256);
        let apart = Apart { name: format!("carve-{id}"), link: format!("cv{id}"), address: format!("{net}.1") };
        if !is_root() || !made(&apart) {
            eprintln!("SKIPPED: no network namespace can be made here");
            return None;
        }
        let link = &apart.link;
        let ours = format!("{net}.1/30");
        let theirs = format!("{net}.2/30");
        let peer = format!("{link}p");
        ip(&["link", "add", link, "type", "veth", "peer", "name", &peer, "netns", &apart.name]);
        ip(&["addr", "add", &ours, "dev", link]);
        ip(&["link", "set", link, "up"]);
        ip(&["-n", &apart.name, "addr", "add", &theirs, "dev", &peer]);
        ip(&["-n", &apart.name, "link", "set", &peer, "up"]);
        Some(apart)
    }

    fn cut(&self) {
        ip(&["link", "set", &self.link, "down"]);
    }

    fn mend(&self) {
        ip(&["link", "set", &self.link, "up"]);
    }

    fn carve(&self, estate: &Estate, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, env!("CARGO_BIN_EXE_carve")]).args(arguments);
        command.current_dir(estate.path()).env("NO_COLOR", "1").stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        // The link goes with the namespace that holds its other end.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).output();
        let _ = Command::new("ip").args(["link", "del", &self.link]).output();
    }
}

fn ip(arguments: &[&str]) {
    done(Command::new("ip").args(arguments));
}

/// Leads from a port at `address` to `server`; the answer is that port's address.
fn led(address: &str, server: &str) -> String {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let (here, server) = (listener.local_addr().unwrap().to_string(), server.to_owned());
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (Ok(socket), Ok(there)) = (socket, TcpStream::connect(&server)) else { continue };
            let (back, forth) = (socket.try_clone().unwrap(), there.try_clone().unwrap());
            std::thread::spawn(move || copied(socket, there));
            std::thread::spawn(move || copied(forth, back));
        }
    });
    here
}

fn copied(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 65_536];
    while let Ok(read) = from.read(&mut buffer)
        && read > 0
        && to.write_all(&buffer[..read]).is_ok()
    {}
    let _ = to.shutdown(std::net::Shutdown::Both);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_cut_while_rows_are_moved_ends_the_run_which_goes_on_once_it_is_mended() {
    let Some(direct) = store::own() else { return };
    let Some(apart) = Apart::made() else { return };
    let Some(own) = Own::reached_at(&apart.address) else { return };
    let (filled, copied) = scripts();
    let (source, there) = (Database::of(&own.url(), ""), Database::of(&own.url(), ""));
    source.sql(&format!("{filled} {MORE}"));
    there.sql(&copied);
    let bucket = direct.replace(server_of(&direct), &led(&apart.address, server_of(&direct)));
    let estate = planned_between(
        source,
        there,
        &format!("{bucket}&timeout_ms=1000"),
        "mode: beside, origin: source, continuity: report, rows_per_part: 500",
    );
    // As it is reached from the namespace: a server on another machine is encrypted unless the address says otherwise.
    estate.set("127.0.0.1:", &format!("{}:", apart.address));
    estate.set("password=", "sslmode=disable&timeout_ms=2000&password=");
    let reader = store::open(&direct).await;
    let loaded = "SELECT CASE WHEN to_regclass('carve_books.ledger') IS NULL THEN '0' ELSE
        (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM carve_books.ledger', true, true, '')))[1]::text END";
    for phase in ["publishing", "importing"] {
        let mut child = apart.carve(&estate, &["apply", "sales"]).spawn().unwrap();
        let begun = Instant::now();
        loop {
            let moved = match phase {
                "publishing" => reader.list("data-services/sales/default/").await.unwrap().len(),
                _ => estate.lake.sql(loaded).parse().unwrap(),
            };
            if moved >= 5 {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "nothing is moved while {phase}");
            assert!(child.try_wait().unwrap().is_none(), "it ended while {phase}");
            sleep(Duration::from_millis(10));
        }
        apart.cut();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
        assert_eq!(output.status.code(), Some(5), "{phase}: {said}");
        assert!(said.contains("run the same command again"), "{phase}: {said}");
        apart.mend();
    }
    // The servers keep what the lost runs held for a moment longer.
    let begun = Instant::now();
    loop {
        let output = apart.carve(&estate, &["apply", "sales"]).output().unwrap();
        let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
        match output.status.code() {
            Some(0) => break,
            Some(5 | 6) => assert!(begun.elapsed() < Duration::from_secs(120) && said.contains("again"), "{said}"),
            other => panic!("{other:?}: {said}"),
        }
    }
    let output = apart.carve(&estate, &["verify", "sales"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let all = |table: &str| format!("SELECT count(*), count(DISTINCT id), sum(hashtext(o::text)) FROM {table} o");
    let imported = estate.lake.sql(&all("raw.orders__import"));
    assert_eq!(imported, estate.source.sql(&all("orders")));
    assert!(imported.starts_with(&format!("{ROWS}|{ROWS}|")), "{imported}");
}
