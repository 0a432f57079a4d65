//! MariaDB for real: a database a test on the server that `CARVE_TEST_MYSQL_URL` names.
mod order;
mod reached;
mod snapshot;
mod stopped;
mod types;
mod wrap;

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use camino::Utf8Path;
use carve::connector::{Origin, open_origin};

/// The address of a server, from the stage that starts one. Without one there is nothing to test here, but the
/// stage itself must not pass that way.
fn server() -> Option<String> {
    let url = std::env::var("CARVE_TEST_MYSQL_URL").ok();
    let required = std::env::var_os("CARVE_REQUIRE_SERVERS").is_some();
    assert!(url.is_some() || !required, "CARVE_TEST_MYSQL_URL is not set");
    url
}

pub(super) fn password() -> String {
    std::env::var("CARVE_TEST_MYSQL_PASSWORD").unwrap()
}

/// A database of a test's own, gone with it.
pub(super) struct Database {
    name: String,
    server: String,
}

impl Database {
    /// A new one in which `script` has run; `None` where there is no server.
    pub(super) fn with(script: &str) -> Option<Database> {
        let database = Database::on(&server()?);
        database.sql(script);
        Some(database)
    }

    fn on(server: &str) -> Database {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let database = Database { name, server: server.to_owned() };
        database.run("mysql", &format!("CREATE DATABASE {} CHARACTER SET utf8mb4", database.name));
        database
    }

    /// Its address, with more options.
    pub(super) fn url(&self, options: &str) -> String {
        format!("{}{options}", self.server.replace("/test?", &format!("/{}?", self.name)))
    }

    fn command(&self, database: &str) -> Command {
        let place = self.server.split('@').nth(1).unwrap().split('/').next().unwrap();
        let (host, port) = place.split_once(':').unwrap();
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "-h", host, "-P", port, "-u", "carve", "-N", "-B", "-D", database]);
        command.args(["--default-character-set=utf8mb4", "--init-command=SET time_zone = '+00:00'"]);
        command.env("MYSQL_PWD", password());
        command
    }

    fn run(&self, database: &str, script: &str) -> String {
        let output = self.command(database).args(["-e", script]).output().unwrap();
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// What the server answers to `script`.
    fn sql(&self, script: &str) -> String {
        self.run(&self.name, script)
    }

    /// The server's client at work on `script`, beside the test.
    fn start(&self, script: &str) -> Child {
        let mut command = self.command(&self.name);
        command.args(["-e", script]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    async fn origin(&self) -> Arc<dyn Origin> {
        self.origin_with("").await
    }

    async fn origin_with(&self, options: &str) -> Arc<dyn Origin> {
        open_origin("source:test", &self.url(options), Utf8Path::new("/")).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let ask = |script: &str| self.command("mysql").args(["-e", script]).output();
        // A test that failed may have left a snapshot open, which would hold the tables.
        let open =
            format!("SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist WHERE db = '{}'", self.name);
        let kills = ask(&open).map(|output| output.stdout).unwrap_or_default();
        let drop = format!("{} DROP DATABASE {}", String::from_utf8_lossy(&kills), self.name);
        let _ = self.command("mysql").args(["--force", "-e", &drop]).output();
    }
}

/// Waits for the client to end; fails with what it said when it did not end well.
fn ended(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
