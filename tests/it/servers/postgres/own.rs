//! A PostgreSQL server of a test's own, which can be stopped in the middle of its work and started again.
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use super::password;
use crate::support::folder;

/// How a server is told to stop.
#[derive(Clone, Copy)]
pub(super) enum Stop {
    /// Sessions are ended in good order.
    Fast,
    /// Everything dies at once, and the next start recovers.
    Immediate,
}

pub(super) struct Own {
    folder: tempfile::TempDir,
    /// What runs before the server in its process: a mount, say.
    first: String,
    /// Addresses it listens at.
    listen: String,
    port: u16,
    process: Child,
}

impl Own {
    /// A server, where the stage has PostgreSQL.
    pub(super) fn started() -> Option<Own> {
        Own::with("true", "127.0.0.1")
    }

    /// A server whose process first runs this script, in the server's folder.
    pub(super) fn after(first: &str) -> Option<Own> {
        Own::with(first, "127.0.0.1")
    }

    /// A server that is reached at this address of the machine too.
    pub(super) fn reached_at(address: &str) -> Option<Own> {
        Own::with("true", &format!("127.0.0.1,{address}"))
    }

    fn with(first: &str, listen: &str) -> Option<Own> {
        super::server()?;
        let folder = folder();
        fs::write(folder.path().join("password"), password()).unwrap();
        if is_root() {
            done(Command::new("chown").arg("-R").arg("postgres").arg(folder.path()));
        }
        let mut install = as_postgres(&program("initdb"));
        install.arg("-D").arg(folder.path().join("data")).arg("--pwfile").arg(folder.path().join("password"));
        done(install.args(["-U", "carve", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]));
        let rules = folder.path().join("data/pg_hba.conf");
        let known = fs::read_to_string(&rules).unwrap();
        fs::write(rules, format!("{known}host all all all scram-sha-256\n")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = run(folder.path(), first, listen, port);
        let own = Own { folder, first: first.to_owned(), listen: listen.to_owned(), port, process };
        own.wait();
        Some(own)
    }

    /// Its address, in the form of the stage's own.
    pub(super) fn url(&self) -> String {
        format!("postgres://carve@127.0.0.1:{}/postgres?password=env:CARVE_TEST_POSTGRES_PASSWORD", self.port)
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process of the server itself.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn stop(&mut self, how: Stop) {
        let signal = match how {
            Stop::Fast => "-INT",
            Stop::Immediate => "-QUIT",
        };
        done(Command::new("kill").args([signal, &self.process.id().to_string()]));
        self.process.wait().unwrap();
    }

    pub(super) fn again(&mut self) {
        self.process = run(self.folder.path(), &self.first, &self.listen, self.port);
        self.wait();
    }

    fn wait(&self) {
        let begun = Instant::now();
        let ready = |port: u16| {
            let mut ask = Command::new(program("pg_isready"));
            ask.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).status().unwrap().success()
        };
        while !ready(self.port) {
            assert!(begun.elapsed() < Duration::from_secs(120), "the server does not start");
            sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // One that was stopped already has no process of this number any more.
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.stop(Stop::Immediate);
        }
    }
}

/// The server in a process of that number: everything before it ends in `exec`.
fn run(folder: &Path, first: &str, listen: &str, port: u16) -> Child {
    let log = fs::File::create(folder.join("log")).unwrap();
    let user = if is_root() { "setpriv --reuid postgres --regid postgres --init-groups " } else { "" };
    let place = folder.display();
    let server = program("postgres");
    let script = format!(
        "cd {place} && {first} && exec {user}{} -D data -p {port} -c listen_addresses={listen} -k {place} -c fsync=off \
         -c max_connections=50 -c lc_messages=C",
        server.display()
    );
    let isolated = first != "true";
    let mut command = Command::new(if isolated { "unshare" } else { "sh" });
    if isolated {
        command.args(["-m", "sh"]);
    }
    command.args(["-c", &script]).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

/// PostgreSQL's own programs are in no path on Debian.
fn program(name: &str) -> PathBuf {
    let home = Path::new("/usr/lib/postgresql");
    let versions = fs::read_dir(home).into_iter().flatten().map(|entry| entry.unwrap().path().join("bin").join(name));
    versions.filter(|path| path.exists()).max().unwrap_or_else(|| PathBuf::from(name))
}

fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups"]).arg(program);
    command
}

pub(super) fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

/// Runs a command that must succeed.
pub(super) fn done(command: &mut Command) {
    let output = command.output().unwrap();
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&said));
}
