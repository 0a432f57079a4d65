//! A server that is killed while carve reads from it, on a server of the test's own.
use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use super::{Database, password, wrap::Estate};
use crate::support::{carve, folder};

struct Own {
    folder: tempfile::TempDir,
    port: u16,
    process: Child,
}

impl Own {
    fn started() -> Own {
        let folder = folder();
        let data = folder.path().join("data");
        let mut install = Command::new("mariadb-install-db");
        install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        let output = install.args([user(), format!("--datadir={}", data.display())]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let allowed = format!("CREATE USER carve@'%' IDENTIFIED BY '{}'; GRANT ALL ON *.* TO carve@'%';", password());
        fs::write(folder.path().join("init.sql"), allowed.replace("; ", ";\n")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Own::run(folder.path(), port, true);
        Own { folder, port, process }
    }

    fn run(at: &Path, port: u16, first: bool) -> Child {
        let place = at.display();
        let mut command = Command::new("mariadbd");
        command.args(["--no-defaults", "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=32M"]);
        command.args([
            user(),
            format!("--datadir={place}/data"),
            format!("--socket={place}/s"),
            format!("--port={port}"),
        ]);
        if first {
            command.arg(format!("--init-file={place}/init.sql"));
        }
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "mariadbd does not answer");
            assert!(process.try_wait().unwrap().is_none(), "mariadbd ended");
            sleep(Duration::from_millis(50));
        }
        process
    }

    fn killed(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn again(&mut self) {
        self.process = Own::run(self.folder.path(), self.port, false);
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// mariadbd refuses to run as root unless told to.
fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    format!("--user={}", String::from_utf8(output.stdout).unwrap().trim())
}

const SOURCE: &str =
    "CREATE TABLE orders (id int PRIMARY KEY, note varchar(400), total decimal(10,2), at timestamp NULL, paid boolean,
      spent time, state varchar(9), photo blob);
    INSERT INTO orders SELECT seq, repeat('n', 400), seq, NULL, 1, NULL, 'new', NULL FROM seq_1_to_80000;";

#[test]
fn a_server_killed_while_it_is_read_leaves_a_run_that_goes_on_when_it_is_back() {
    if super::server().is_none() {
        return;
    }
    let mut own = Own::started();
    let server = format!("mysql://carve@127.0.0.1:{}/test?password=env:CARVE_TEST_MYSQL_PASSWORD", own.port);
    let source = Database::on(&server);
    source.sql(SOURCE);
    let estate =
        Estate::planned(&source.url(""), "mode: beside, origin: source, continuity: report, rows_per_part: 500");
    let mut child =
        carve(estate.path(), &["apply", "sales"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let parts = || crate::support::files(&estate.path().join("bucket")).len();
    let begun = Instant::now();
    while parts() < 5 {
        assert!(begun.elapsed() < Duration::from_secs(120) && child.try_wait().unwrap().is_none(), "no part appeared");
        sleep(Duration::from_millis(5));
    }
    own.killed();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("orders") && said.contains("again"), "{said}");
    assert!(parts() < 160, "it was killed in the middle");
    // Still gone: nothing begins, and the next run is as good.
    let said = estate.run(&["apply", "sales"], 5);
    assert!(said.contains("refused") && said.contains("nothing was begun") && !said.contains(&password()), "{said}");
    own.again();
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    assert_eq!(estate.lake_says("SELECT count(*) || '|' || sum(total) FROM orders__import"), "80000|3200040000.0");
}
