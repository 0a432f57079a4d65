//! PostgreSQL for real: a database a test on the server that `CARVE_TEST_POSTGRES_URL` names.
mod full_disk;
#[cfg(feature = "s3")]
mod kill;
mod lake;
mod mismatch;
#[cfg(feature = "s3")]
mod network;
mod own;
mod ranges;
mod reached;
mod readers;
mod restarted;
#[cfg(feature = "s3")]
mod several;
mod sides;
mod snapshot;
#[cfg(feature = "s3")]
mod store_faults;
mod types;
mod wrap;

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use camino::Utf8Path;
use carve::connector::{Lake, Origin, open_lake, open_origin};

/// The address of a server, from the stage that starts one. Without one there is nothing to test here, but the
/// stage itself must not pass that way.
fn server() -> Option<String> {
    let url = std::env::var("CARVE_TEST_POSTGRES_URL").ok();
    let required = std::env::var_os("CARVE_REQUIRE_SERVERS").is_some();
    assert!(url.is_some() || !required, "CARVE_TEST_POSTGRES_URL is not set");
    url
}

pub(super) fn password() -> String {
    std::env::var("CARVE_TEST_POSTGRES_PASSWORD").unwrap()
}

/// A database of a test's own, gone with it.
pub(super) struct Database {
    name: String,
    server: String,
    users: Vec<String>,
}

impl Database {
    /// A new one in which `script` has run; `None` where there is no server.
    pub(super) fn with(script: &str) -> Option<Database> {
        let database = Database::of(&server()?, "");
        database.sql(script);
        Some(database)
    }

    /// A copy of this one, to which nobody may be connected.
    fn copy(&self) -> Database {
        Database::of(&self.server, &format!(" TEMPLATE {}", self.name))
    }

    fn of(server: &str, how: &str) -> Database {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let database = Database { name, server: server.to_owned(), users: Vec::new() };
        database.psql("postgres", &format!("CREATE DATABASE {}{how}", database.name));
        database
    }

    /// Its address, with more options.
    pub(super) fn url(&self, options: &str) -> String {
        format!("{}{options}", self.server.replace("/postgres?", &format!("/{}?", self.name)))
    }

    /// The address for a user who may read `t` and no more, gone with this database; `how` limits them further.
    fn reader(&mut self, how: &str) -> String {
        let user = format!("{}_reader_{}", self.name, self.users.len());
        self.sql(&format!("CREATE ROLE {user} LOGIN {how} PASSWORD '{}'; GRANT SELECT ON t TO {user}", password()));
        let url = self.url("").replace("//carve@", &format!("//{user}@"));
        self.users.push(user);
        url
    }

    fn command(&self, database: &str) -> Command {
        let mut command = Command::new("psql");
        let address = self.server.split('?').next().unwrap().replace("/postgres", &format!("/{database}"));
        command.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", &address]).env("PGPASSWORD", password());
        command.env("PGOPTIONS", "-c client_min_messages=warning -c timezone=UTC -c intervalstyle=iso_8601");
        command
    }

    fn psql(&self, database: &str, script: &str) -> String {
        let output = self.command(database).args(["-c", script]).output().unwrap();
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// What psql prints for `script`.
    fn sql(&self, script: &str) -> String {
        self.psql(&self.name, script)
    }

    /// psql at work on `script`, beside the test.
    fn start(&self, script: &str) -> Child {
        let mut command = self.command(&self.name);
        command.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    async fn origin(&self) -> Arc<dyn Origin> {
        open_origin("source:test", &self.url(""), Utf8Path::new("/")).await.unwrap()
    }

    pub(super) async fn lake(&self, options: &str) -> Arc<dyn Lake> {
        open_lake("lake", &self.url(options), Utf8Path::new("/")).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let users = self.users.iter().map(|user| format!("DROP ROLE {user}"));
        for statement in std::iter::once(drop).chain(users) {
            let _ = self.command("postgres").args(["-c", &statement]).output();
        }
    }
}

/// Waits for psql to end and gives what it printed; fails with what it said otherwise.
fn ended(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
