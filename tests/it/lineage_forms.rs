//! `carve lineage` as other programs meet it: its forms, scripts, batches, events out and in, logs of warehouses.
use std::{collections::BTreeSet, fs, io::Write, path::Path, process::Stdio};

use serde_json::Value;

use crate::support::{carve, folder, run};

/// Two jobs in a row: raw.orders → mart.daily → mart.top, and a chart's worth of columns between them.
fn estate() -> tempfile::TempDir {
    let place = folder();
    write(
        place.path(),
        &[
            (
                "daily.sql",
                "create table raw.orders (id int, day date, amount numeric);\n\
                 insert into mart.daily (day, total)\nselect day, sum(amount) from raw.orders where id > 1 group by day;\n",
            ),
            ("top.sql", "create table mart.top as\nselect total * 2 as doubled from mart.daily;\n"),
        ],
    );
    place
}

fn write(at: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = at.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

fn words(command: &str) -> Vec<&str> {
    command.split(' ').collect()
}

/// `from>to` of every edge, and `from.column>to.column kind` of every column edge.
fn edges(at: &Path) -> BTreeSet<String> {
    let said = run(at, &words("lineage --edges --columns --format jsonl"), 0);
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let edge = |row: &Value| match row["format"].as_str().unwrap() {
        "carve-edge/1" => format!("{}>{}", text(&row["upstream"]), text(&row["downstream"])),
        "carve-column-edge/1" => format!(
            "{}.{}>{}.{} {}",
            text(&row["upstream"]),
            text(&row["upstream_column"]),
            text(&row["downstream"]),
            text(&row["downstream_column"]),
            text(&row["kind"])
        ),
        other => panic!("{other}"),
    };
    lines(&said).iter().map(edge).collect()
}

#[test]
fn every_edge_says_its_job_its_place_and_how_it_is_known() {
    let place = estate();
    let said = lines(&run(place.path(), &words("lineage --edges --format jsonl"), 0));
    let row = said.iter().find(|row| row["downstream"] == "mart.daily").unwrap();
    assert_eq!((&row["upstream"], &row["file"], &row["line"]), (&"raw.orders".into(), &"daily.sql".into(), &3.into()));
    assert_eq!((&row["known"], row["job"].is_string()), (&"parsed".into(), true));
    assert_eq!(said.len(), 2, "{said:?}");
    let columns = edges(place.path());
    for edge in [
        "raw.orders.day>mart.daily.day identity",
        "raw.orders.amount>mart.daily.total aggregation",
        "raw.orders.id>mart.daily.* filter",
        "raw.orders.day>mart.daily.* group_by",
        "mart.daily.total>mart.top.doubled transformation",
    ] {
        assert!(columns.contains(edge), "{edge} is not in {columns:#?}");
    }
}

#[test]
fn every_form_answers_and_says_the_same_twice() {
    let place = estate();
    for command in ["lineage mart.daily", "lineage mart.daily.total", "lineage --edges", "lineage --sql daily.sql"] {
        for form in ["text", "json", "jsonl", "dot", "mermaid", "openlineage"] {
            let command = format!("{command} --format {form}");
            let refused =
                (command.contains("total") && form == "openlineage") || (command.contains("sql") && form == "jsonl");
            let first = run(place.path(), &words(&command), if refused { 64 } else { 0 });
            assert_eq!(first, run(place.path(), &words(&command), if refused { 64 } else { 0 }), "{command}");
            assert!(refused || first.contains("daily"), "{command}: {first}");
            if form == "json" && !refused {
                assert!(lines(&first)[0]["format"].as_str().unwrap().starts_with("carve-"), "{command}");
            }
        }
    }
}

#[test]
fn a_form_that_a_command_lacks_is_refused_with_a_cure() {
    let place = estate();
    let output = carve(place.path(), &words("scan --format dot")).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--format json"), "{output:?}");
}

#[test]
fn one_side_and_a_depth_cut_the_picture_down() {
    let place = estate();
    let said = run(place.path(), &words("lineage mart.top --upstream --depth 1 --format dot"), 0);
    assert!(said.contains("\"mart.daily\" -> \"mart.top\"") && !said.contains("raw.orders"), "{said}");
    let said = run(place.path(), &words("lineage raw.orders --downstream --format mermaid"), 0);
    assert_eq!(said.matches("-->").count(), 2, "{said}");
    assert!(!run(place.path(), &words("lineage mart.daily --downstream --format dot"), 0).contains("raw.orders"));
}

#[test]
fn a_column_is_followed_through_every_job_and_an_unknown_one_names_those_there_are() {
    let place = estate();
    let answer = &lines(&run(place.path(), &words("lineage mart.top.doubled --upstream --format json"), 0))[0];
    let steps: Vec<_> = answer["upstream"].as_array().unwrap().iter().collect();
    let step = |at: usize| (steps[at]["distance"].as_u64().unwrap(), steps[at]["upstream_column"].as_str().unwrap());
    let said: Vec<_> = (0..steps.len()).map(step).collect();
    // `day` groups and `id` filters every row of mart.daily: influence, told and not followed.
    assert_eq!(said, [(1, "total"), (2, "amount"), (2, "day"), (2, "id")]);
    let output = carve(place.path(), &words("lineage raw.orders.price")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("id, day, amount"), "{output:?}");
}

#[test]
fn a_catalog_of_any_form_says_what_a_star_is() {
    let place = folder();
    write(
        place.path(),
        &[
            ("s.sql", "insert into m.t select * from raw.s"),
            ("c.json", "{\"raw.s\": [\"b\", \"a\"]}"),
            ("c.yaml", "tables: { raw.s: { b: int, a: text } }"),
            ("c.sql", "create table raw.s (b int, a text);"),
            ("bad.json", "[1]"),
        ],
    );
    for catalog in ["c.json", "c.yaml", "c.sql"] {
        let said = run(place.path(), &words(&format!("lineage --sql s.sql --catalog {catalog} --format json")), 0);
        let edges = lines(&said)[0]["statements"][0]["columns"].clone();
        let names: BTreeSet<_> = edges.as_array().unwrap().iter().map(|e| e["from_column"].as_str().unwrap()).collect();
        assert_eq!(names, BTreeSet::from(["a", "b"]), "{catalog}: {said}");
    }
    run(place.path(), &words("lineage --sql s.sql --catalog bad.json"), 1);
    run(place.path(), &words("lineage --sql s.sql --catalog none.json"), 1);
    run(place.path(), &words("lineage --sql s.sql --dialect sparc"), 64);
    run(place.path(), &words("lineage --dialect hive raw.s"), 64);
}

#[test]
fn a_batch_answers_line_by_line_and_says_when_some_failed() {
    let place = folder();
    let ask = |input: &str, code: i32| {
        let mut child = carve(place.path(), &["lineage", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        crate::support::expect(&output, &["lineage", "--batch"], code);
        lines(&String::from_utf8(output.stdout).unwrap())
    };
    let good = "{\"id\":1,\"sql\":\"insert into m.t select a from raw.s\",\"dialect\":\"postgres\"}\n";
    assert_eq!(ask(good, 0)[0]["reads"][0], "raw.s");
    let said = ask(&format!("{good}oops\n{good}"), 1);
    assert_eq!((said.len(), said[1]["line"].as_u64(), said[1]["error"].is_object()), (3, Some(2), true));
    assert_eq!(said[0]["columns"], said[2]["columns"]);
    assert_eq!(ask("", 0), Vec::<Value>::new());
}

#[test]
fn events_that_carve_writes_are_read_back_as_the_same_edges() {
    let place = estate();
    // A job of several statements and one of several tables do not mix what they feed; `erp` is declared here alone.
    let load = "format: carve-jobs/1\nsources: { erp: {} }\njobs:\n  load:\n    kind: import\n    from: erp\n    tables:\n      - { from: dbo.fx, into: raw.fx }\n      - { from: items, into: raw.items }\n";
    let two = "insert into mart.a (x) select x from raw.a;\ninsert into mart.b (y) select y from raw.b;\n";
    write(place.path(), &[("load.yaml", load), ("two.sql", two)]);
    let said = edges(place.path());
    assert!(said.contains("erp:dbo.fx>raw.fx") && !said.contains("erp:items>raw.fx"), "{said:#?}");
    let told = run(place.path(), &words("lineage --edges --format openlineage"), 0);
    for event in lines(&told) {
        assert_eq!(event["eventTime"], "1970-01-01T00:00:00Z", "no commit, no clock");
        assert!(event["schemaURL"].as_str().unwrap().contains("2-0-2/OpenLineage.json#/$defs/"));
    }
    let other = folder();
    write(other.path(), &[("events/lineage.jsonl", &told)]);
    assert_eq!(edges(other.path()), edges(place.path()));
    let said = lines(&run(other.path(), &words("lineage --edges --format jsonl"), 0));
    assert!(said.iter().all(|row| row["known"] == "observed" && row["file"] == "events/lineage.jsonl"), "{said:?}");
    let scan: Value = serde_json::from_str(&run(other.path(), &words("scan --format json"), 0)).unwrap();
    assert_eq!(scan["files"]["open_lineage"], 1);
}

/// A run of `job` that read and wrote lake tables.
fn run_event(job: &str, kind: &str, inputs: &[&str], output: &str) -> String {
    let named = |name: &&str| serde_json::json!({ "namespace": "bigquery", "name": name });
    serde_json::json!({
        "eventType": kind, "eventTime": "2026-01-05T00:00:00Z", "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": { "runId": "0197a0c0-0000-7000-8000-000000000000" },
        "job": { "namespace": "airflow", "name": job },
        "inputs": inputs.iter().map(named).collect::<Vec<_>>(), "outputs": [named(&output)],
    })
    .to_string()
}

#[test]
fn what_ran_joins_what_is_written_and_adds_only_what_the_sql_does_not_say() {
    let place = estate();
    let before = edges(place.path());
    let jobs = |at: &Path| {
        let scan: Value = serde_json::from_str(&run(at, &words("scan --format json"), 0)).unwrap();
        scan["jobs"].as_u64().unwrap()
    };
    let count = jobs(place.path());
    // Known already, under another job's name and with the warehouse's project before each table.
    write(place.path(), &[("e.jsonl", &run_event("dag.daily", "COMPLETE", &["p.raw.orders"], "p.mart.daily"))]);
    assert_eq!(edges(place.path()), before);
    // A read that the SQL does not show, and a run that failed.
    let more = [
        run_event("dag.daily", "COMPLETE", &["p.raw.orders", "p.raw.fx"], "p.mart.daily"),
        run_event("dag.other", "FAIL", &["p.raw.never"], "p.mart.never"),
        run_event("dag.export", "COMPLETE", &["p.mart.top"], "p.out.file"),
    ];
    write(place.path(), &[("e.jsonl", &more.join("\n"))]);
    let after = edges(place.path());
    let new: BTreeSet<&str> = after.difference(&before).map(String::as_str).collect();
    assert_eq!(new, BTreeSet::from(["p.raw.fx>mart.daily", "mart.top>p.out.file"]));
    assert_eq!(jobs(place.path()), count + 2, "jobs that only events name stand for themselves");
    let said = lines(&run(place.path(), &words("lineage --edges --format jsonl"), 0));
    let known = |to: &str, from: &str| {
        let row = said.iter().find(|row| row["downstream"] == to && row["upstream"] == from).unwrap();
        row["known"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (known("mart.daily", "raw.orders"), known("mart.daily", "p.raw.fx")),
        ("parsed".into(), "observed".into())
    );
}

#[test]
fn a_namespace_may_stand_for_a_source_system() {
    let place = folder();
    let event = run_event("load", "COMPLETE", &["public.accounts"], "raw.accounts").replacen(
        "bigquery",
        "postgres://crm:5432",
        1,
    );
    let settings = "sources: { crm: {} }\nnamespaces: { 'postgres://crm:5432': crm }\n";
    write(place.path(), &[("carve.yaml", settings), ("e.json", &event)]);
    assert_eq!(edges(place.path()), BTreeSet::from(["crm:public.accounts>raw.accounts".to_owned()]));
}

/// Queries and users per dataset, with `log` beside two tables.
fn used(name: &str, log: &str) -> (Value, String) {
    let place = estate();
    write(place.path(), &[(name, log)]);
    let scan: Value = serde_json::from_str(&run(place.path(), &words("scan --format json"), 0)).unwrap();
    let faults = scan["diagnostics"].to_string();
    (scan["datasets"].clone(), faults)
}

#[test]
fn the_logs_of_warehouses_are_read_as_they_come() {
    for (name, log, user) in [
        (
            "bq.jsonl",
            r#"{"creation_time":"2026-01-05 10:00:00 UTC","user_email":"ann@x","job_id":"1","job_type":"QUERY","state":"DONE","error_result":null,"query":"select * from `p.mart.top`"}"#,
            "ann@x",
        ),
        (
            "bq.csv",
            "creation_time,user_email,job_id,job_type,state,query,referenced_tables\n2026-01-05,ann@x,1,QUERY,DONE,,\"[{\"\"project_id\"\":\"\"p\"\",\"\"dataset_id\"\":\"\"mart\"\",\"\"table_id\"\":\"\"top\"\"}]\"\n",
            "ann@x",
        ),
        (
            "qh.csv",
            "QUERY_ID,QUERY_TEXT,DATABASE_NAME,SCHEMA_NAME,USER_NAME,ROLE_NAME,EXECUTION_STATUS,START_TIME\n1,select * from top,DWH,MART,ANN,BI,SUCCESS,2026-01-05 10:00:00.123 +0000\n",
            "ANN",
        ),
        (
            "ah.csv",
            "QUERY_ID,QUERY_START_TIME,USER_NAME,DIRECT_OBJECTS_ACCESSED\n1,2026-01-05,ANN,\"[{\"\"objectDomain\"\":\"\"Table\"\",\"\"objectName\"\":\"\"DWH.MART.TOP\"\"}]\"\n",
            "ANN",
        ),
        (
            "pg.csv",
            "userid,dbid,queryid,query,calls,total_exec_time\n10,5,77,select doubled from mart.top where doubled > $1,1,0.5\n",
            "postgres:10",
        ),
        (
            "trino.csv",
            "query_id,state,user,source,query,created,started\n1,FINISHED,ann,cli,select * from hive.mart.top,2026-01-05 10:00:00.000 UTC,2026-01-05 10:00:01.000 UTC\n",
            "ann",
        ),
        (
            "trino.jsonl",
            r#"{"createTime":"2026-01-05T10:00:00Z","metadata":{"query":"select * from top","queryState":"FINISHED"},"context":{"user":"ann","catalog":"hive","schema":"mart"}}"#,
            "ann",
        ),
        (
            "superset.csv",
            "id,client_id,user_id,sql,executed_sql,status,start_time\n1,x,5,select 1,select doubled from mart.top,success,1767607200000.5\n",
            "superset:5",
        ),
    ] {
        let (datasets, faults) = used(name, log);
        let top = &datasets["mart.top"];
        assert_eq!(
            (top["queries"].as_u64(), top["users"][0].as_str()),
            (Some(1), Some(user)),
            "{name}: {datasets} {faults}"
        );
        assert!(!faults.contains("E050"), "{name}: {faults}");
    }
}

#[test]
fn a_look_at_a_chart_or_a_dashboard_is_a_read_of_what_it_shows() {
    let place = estate();
    let position = "position:\n  CHART-1: { type: CHART, meta: { uuid: c1 } }\n";
    let log = "id,action,user_id,dashboard_id,slice_id,json,dttm\n\
               1,ChartDataRestApi.data,5,3,12,{},2026-01-05 10:00:00\n\
               2,mount_dashboard,6,3,,{},2026-01-05 10:00:00\n\
               3,log,7,,,{},2026-01-05 10:00:00\n\
               4,ChartDataRestApi.data,5,,99,{},2026-01-05 10:00:00\n";
    write(
        place.path(),
        &[
            ("bi/metadata.yaml", "version: 1.0.0\ntype: assets\ntimestamp: '2026-01-01'\n"),
            ("bi/databases/lake.yaml", "database_name: lake\nsqlalchemy_uri: postgresql://x\nuuid: b1\n"),
            ("bi/datasets/lake/top.yaml", "table_name: top\nschema: mart\nsql: null\nuuid: s1\ndatabase_uuid: b1\n"),
            ("bi/charts/Top_12.yaml", "slice_name: Top\nuuid: c1\ndataset_uuid: s1\n"),
            ("bi/dashboards/Sales_3.yaml", &format!("dashboard_title: Sales\nuuid: d1\n{position}")),
            ("logs.csv", log),
        ],
    );
    let scan: Value = serde_json::from_str(&run(place.path(), &words("scan --format json"), 0)).unwrap();
    let top = &scan["datasets"]["mart.top"];
    // Chart 99 is in no export, and row 3 is no look at anything.
    assert_eq!(
        (&top["queries"], &top["users"]),
        (&2.into(), &serde_json::json!(["superset:5", "superset:6"])),
        "{scan}"
    );
}

#[test]
fn a_row_that_is_no_read_of_its_log_is_told_by_its_line() {
    let log = "user_name,query_text,start_time,warehouse_name\nANN,select * from mart.top,2026-01-05,W\nANN,select 1,someday,W\n";
    let (datasets, faults) = used("qh.csv", log);
    assert_eq!(datasets["mart.top"]["queries"], 1);
    assert!(faults.contains("E050") && faults.contains("someday") && faults.contains("\"line\":3"), "{faults}");
}

#[test]
fn a_scan_says_which_kinds_of_statements_no_grammar_took() {
    let place = folder();
    let text = "select a from raw.t;\nfrobnicate the table now;\n-- why\nfrobnicate raw.u again;\n";
    write(place.path(), &[("x.sql", text), ("jobs/y.sql", "frobnicate it, please;\n")]);
    let scan: Value = serde_json::from_str(&run(place.path(), &words("scan --format json"), 0)).unwrap();
    let cause = &scan["not_understood"][0];
    assert_eq!((&cause["words"], &cause["count"]), (&"FROBNICATE".into(), &3.into()), "{cause}");
    assert_eq!((&cause["example"]["file"], &cause["example"]["line"]), (&"jobs/y.sql".into(), &1.into()));
    let sql: Vec<&Value> = scan["sql_by_format"].as_array().unwrap().iter().collect();
    let sum = |key: &str| sql.iter().map(|one| one["coverage"][key].as_u64().unwrap()).sum::<u64>();
    assert!(sql.iter().all(|one| one["format"] == "sql"));
    assert_eq!((sum("files"), sum("statements"), sum("parsed")), (2, 4, 1));
    assert!(run(place.path(), &words("scan"), 0).contains("FROBNICATE"));
}

#[test]
fn the_raw_graph_shows_the_steps_that_the_collapsed_one_passes_through() {
    let place = folder();
    let script = "create temp table x as select a from raw.s;\ncreate table mart.t_new as select a from x;\n\
                  alter table mart.t rename to t_old;\nalter table mart.t_new rename to t;\ndrop table mart.t_old;\n";
    write(place.path(), &[("load.sql", script), ("other.sql", "create temp table x as select b from raw.u;\n")]);
    let told = |command: &str| -> BTreeSet<String> {
        let said = run(place.path(), &words(command), 0);
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        lines(&said).iter().map(|row| format!("{}>{}", text(&row["upstream"]), text(&row["downstream"]))).collect()
    };
    let set = |rows: &[&str]| rows.iter().map(|row| (*row).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(told("lineage --edges --format jsonl"), set(&["raw.s>mart.t", "raw.u>-"]));
    let raw = told("lineage --edges --raw --format jsonl");
    let steps =
        ["mart.t>mart.t_old", "mart.t_new>mart.t", "raw.s>temp:load.x", "raw.u>temp:other.x", "temp:load.x>mart.t_new"];
    assert_eq!(raw, set(&steps));
    let up = told("lineage mart.t --raw --upstream --format jsonl");
    assert!(up.contains("raw.s>temp:load.x") && !up.contains("raw.u>temp:other.x"), "{up:?}");
    let said = run(place.path(), &words("lineage --sql load.sql --raw --format json"), 0);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["statements"][0]["target"], "temp:x");
}

#[test]
fn an_ambiguous_column_is_marked_in_every_form() {
    let place = folder();
    write(place.path(), &[("q.sql", "create table m.t as select v, x.w from s.a x, s.b y;\n")]);
    let marked = |rows: &[Value]| rows.iter().filter(|row| row["ambiguous"] == true).count();
    let rows = lines(&run(place.path(), &words("lineage --edges --columns --format jsonl"), 0));
    assert_eq!(marked(&rows), 2);
    let one: Value = serde_json::from_str(&run(place.path(), &words("lineage --sql q.sql --format json"), 0)).unwrap();
    assert_eq!(marked(one["statements"][0]["columns"].as_array().unwrap()), 2);
    assert!(run(place.path(), &words("lineage --sql q.sql"), 0).contains("identity (ambiguous)"));
    let event = run(place.path(), &words("lineage --sql q.sql --format openlineage"), 0);
    assert_eq!(event.matches("ambiguous: one of several").count(), 2);
}

#[test]
fn a_script_in_another_encoding_is_read_as_in_an_estate() {
    let place = folder();
    let text = "create table m.t as select 'caf\u{e9}' as a, b from raw.s";
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let windows: Vec<u8> = text.chars().map(|c| c as u8).collect();
    for (name, bytes) in [("utf16.sql", utf16), ("windows.sql", windows)] {
        fs::write(place.path().join(name), bytes).unwrap();
        let said = run(place.path(), &["lineage", "--sql", name, "--format", "json"], 0);
        assert!(said.contains("\"raw.s\""), "{name}: {said}");
    }
    fs::write(place.path().join("x.sql"), b"\x89PNG\x00").unwrap();
    run(place.path(), &words("lineage --sql x.sql"), 1);
}
