//! Whole small estates into their edges: which source of a job feeds which of its targets, tool by tool.
use std::fs;

use camino::Utf8PathBuf;
use carve::{
    estate::{LoadOptions, load},
    export::Picture,
    graph::DependencyGraph,
    lineage,
    progress::Silent,
};
use pretty_assertions::assert_eq;

/// The edges of an estate of these files, as `from > into`, sorted; and the codes of what was told.
fn edges(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let place = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(place.path().to_owned()).unwrap();
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (estate, faults) = load(&[root], &LoadOptions::default(), &Silent);
    let (lineage, told) = lineage::read(&estate, &Silent);
    let (graph, _) = DependencyGraph::build(&estate, &lineage);
    let feeds = Picture::of(&estate, &lineage, &graph).feeds;
    let name = |name: Option<String>| name.unwrap_or_else(|| "-".to_owned());
    let mut all: Vec<String> = feeds
        .into_iter()
        .map(|row| format!("{} > {}", name(row.upstream.map(|id| id.to_string())), name(row.downstream)))
        .collect();
    all.sort();
    all.dedup();
    let codes = faults.iter().chain(told.iter()).map(|fault| fault.code.code.to_owned());
    (all, codes.filter(|code| !matches!(code.as_str(), "E018" | "E019")).collect())
}

/// The edges of a function that a task of Airflow runs, and what was told.
fn of_function(body: &str) -> (Vec<String>, Vec<String>) {
    let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!(
        "from airflow import DAG\nfrom airflow.operators.python import PythonOperator\ndef work():\n{body}\n\
         with DAG('d') as dag:\n    PythonOperator(task_id='t', python_callable=work)\n"
    );
    edges(&[("dags/d.py", &text)])
}

#[test]
fn a_pipe_in_a_long_script_fills_its_own_target_alone() {
    let mut script = "#!/bin/bash\n".to_owned();
    for at in 0..4 {
        script += &format!("psql dwh -c \"insert into mart.h{at} select a from raw.h{at}\"\n");
    }
    script += "psql crm -c \"\\copy (select a from cust) to stdout\" | psql dwh -c \"\\copy raw.cust from stdin\"\n";
    script += "sqoop export --connect jdbc:mysql://h/shop --table rep --export-dir /data/rep\n";
    let (found, _) = edges(&[("run.sh", &script)]);
    let expected = [
        "cust > raw.cust",
        "hdfs:///data/rep > shop:rep",
        "raw.h0 > mart.h0",
        "raw.h1 > mart.h1",
        "raw.h2 > mart.h2",
        "raw.h3 > mart.h3",
    ];
    assert_eq!(found, expected);
}

#[test]
fn calls_that_say_both_ends_are_paired_with_nothing_else() {
    let (found, _) = of_function(
        "client.load_table_from_uri('gs://b/13.csv', 'ds.f13')\n\
         client.extract_table('ds.f13', 'gs://b/o13.csv')\n\
         client.copy_table('ds.a13', 'ds.b13')\n\
         cur.execute('create or replace table ds.tq as select a from ds.tqs')\n\
         pd.read_sql_query('select a from raw.pq', con).to_gbq('ds.pq')",
    );
    let expected =
        ["ds.a13 > ds.b13", "ds.f13 > gs://b/o13.csv", "ds.tqs > ds.tq", "gs://b/13.csv > ds.f13", "raw.pq > ds.pq"];
    assert_eq!(found, expected);
}

#[test]
fn streams_of_one_replication_are_not_crossed() {
    let text = "source: MY_PG\ntarget: DWH\nstreams:\n  public.cust:\n    object: raw.cust\n  file://x/*.csv:\n    object: raw.files\n  file://y/a.csv:\n    object: raw.more\n";
    let (found, _) = edges(&[("sling.yaml", text)]);
    assert_eq!(found, ["file://x > raw.files", "file://y/a.csv > raw.more", "my_pg:public.cust > raw.cust"]);
}

#[test]
fn frames_of_spark_are_written_where_their_writer_says() {
    for write in [
        "df.write.mode('overwrite').partitionBy('d').parquet('s3://b/o')",
        "df.write.csv('s3://b/o')",
        "df.write.save(path='s3://b/o')",
        "df.write.format('delta').mode('append').save('s3://b/o')",
        "df.writeStream.format('parquet').option('path', 's3://b/o').start()",
    ] {
        let (found, _) = of_function(&format!("df = spark.table('raw.src')\n{write}"));
        assert_eq!(found, ["raw.src > s3://b/o"], "{write}");
    }
    for write in [
        "df.write.saveAsTable(name='mart.o')",
        "df.writeStream.option('checkpointLocation', '/x').toTable('mart.o')",
        "df.write.format('bigquery').option('table', 'mart.o').save()",
        "session.sql('select 1').write.save_as_table('mart.o')",
        "DeltaTable.forName(spark, 'mart.o').alias('t').merge(df, 'a = b').execute()",
        "wr.s3.to_parquet(df=df, path='s3://b/o', database='mart', table='o')",
    ] {
        let (found, _) = of_function(&format!("df = spark.readStream.table('raw.src')\n{write}"));
        assert_eq!(found, ["raw.src > mart.o"], "{write}");
    }
}

#[test]
fn spark_reads_tables_of_source_systems() {
    for read in [
        "spark.read.jdbc(url='jdbc:postgresql://h/crm', table='public.i')",
        "spark.read.format('jdbc').option('url', 'jdbc:postgresql://h:5432/crm').option('dbtable', 'public.i').load()",
        "spark.read.format('jdbc').options(url='jdbc:postgresql://h/crm', query='select a from public.i').load()",
    ] {
        let (found, _) = of_function(&format!("df = {read}\ndf.write.saveAsTable('raw.i')"));
        assert_eq!(found, ["crm:public.i > raw.i"], "{read}");
    }
    let (found, _) = of_function("df = spark.table('raw.o')\ndf.write.jdbc('jdbc:mysql://h/shop', 'rep')");
    assert_eq!(found, ["raw.o > shop:rep"]);
}

#[test]
fn a_view_of_a_frame_is_what_the_frame_was_read_from() {
    let (found, _) = of_function(
        "df = spark.table('raw.src')\ndf.createOrReplaceTempView('v')\n\
         spark.sql('insert into mart.o select a from v')",
    );
    assert_eq!(found, ["raw.src > mart.o"]);
}

#[test]
fn placeholders_of_a_program_are_values() {
    let (found, told) = of_function(
        "rows = pd.read_sql('select a, b from raw.s where d > %(day)s', con)\n\
         cur.executemany('insert into raw.f7 values (%s, %s)', rows)",
    );
    assert_eq!((found, told), (vec!["raw.s > raw.f7".to_owned()], Vec::new()));
}

#[test]
fn the_database_of_an_operator_holds_its_tables() {
    let operators = [
        ("AthenaOperator(task_id='t', query='insert into t select a from s', database='db')", "db.s > db.t"),
        ("SnowflakeOperator(task_id='t', sql='insert into t select a from s', schema='sc')", "sc.s > sc.t"),
        ("HiveOperator(task_id='t', hql='insert into table t select a from s', schema='hdb')", "hdb.s > hdb.t"),
        ("MySqlOperator(task_id='t', sql='insert into t select a from s', database='shop')", "shop.s > shop.t"),
    ];
    for (operator, edge) in operators {
        let text = format!("from airflow import DAG\nfrom airflow.x import *\nwith DAG('d') as dag:\n    {operator}\n");
        assert_eq!(edges(&[("dags/d.py", &text)]).0, [edge], "{operator}");
    }
    let (found, _) = of_function(
        "boto3.client('athena').start_query_execution(QueryString='insert into t select a from s', \
         QueryExecutionContext={'Database': 'd'})",
    );
    assert_eq!(found, ["d.s > d.t"]);
}

#[test]
fn the_database_of_a_connection_holds_its_tables() {
    let sql = "\"insert into t select a from s\"";
    let lines = [
        (format!("beeline -u 'jdbc:hive2://h:10000/hdb;ssl=true' -e {sql}"), "hdb"),
        (format!("bq query --dataset_id=p:bds --use_legacy_sql=false {sql}"), "bds"),
        (format!("PGOPTIONS='-c search_path=pgs' psql -c {sql}"), "pgs"),
        (
            format!("aws athena start-query-execution --query-execution-context Database=adb --query-string {sql}"),
            "adb",
        ),
    ];
    for (line, schema) in lines {
        let found = edges(&[("run.sh", &format!("#!/bin/sh\n{line}\n"))]).0;
        assert_eq!(found, [format!("{schema}.s > {schema}.t")], "{line}");
    }
}

#[test]
fn a_document_that_begins_with_an_include_is_read_with_it() {
    for mark in ["<<SQL", "<<'SQL'"] {
        let script = format!("#!/bin/sh\npsql dwh {mark}\n\\i z.sql\ninsert into mart.c select a from raw.c;\nSQL\n");
        let (found, told) = edges(&[("c.sh", &script), ("z.sql", "insert into mart.z select a from raw.z;\n")]);
        assert_eq!((found, told), (vec!["raw.c > mart.c".to_owned(), "raw.z > mart.z".to_owned()], Vec::new()));
    }
}

#[test]
fn an_operator_directly_under_do_is_a_task() {
    let flow = "+d:\n  for_each>:\n    t: [x, y]\n  _do:\n    pg>: queries/d.sql\n+i:\n  if>: ${x}\n  _do:\n    redshift>: queries/i.sql\n    create_table: mart.dg_i\n";
    let files = [
        ("dig/flow.dig", flow),
        ("dig/queries/d.sql", "insert into mart.d_${t} select a from raw.d_${t}"),
        ("dig/queries/i.sql", "select a from raw.dg_i"),
    ];
    assert_eq!(edges(&files).0, ["raw.d_x > mart.d_x", "raw.d_y > mart.d_y", "raw.dg_i > mart.dg_i"]);
}

#[test]
fn scheduled_queries_of_terraform_may_be_documents_files_or_templates() {
    let of = |name: &str, query: &str| {
        format!(
            "resource \"google_bigquery_data_transfer_config\" \"{name}\" {{\n  display_name = \"{name}\"\n  \
             data_source_id = \"scheduled_query\"\n  \
             destination_dataset_id = google_bigquery_dataset.d.dataset_id\n  params = {{\n    \
             destination_table_name_template = \"{name}\"\n    query = {query}\n  }}\n}}\n"
        )
    };
    let main = [
        "resource \"google_bigquery_dataset\" \"d\" {\n  dataset_id = \"tfds\"\n}\n".to_owned(),
        of("t1", "<<-EOT\n      select a from tfds.s1\n    EOT"),
        of("t2", "file(\"${path.module}/q.sql\")"),
        of("t3", "templatefile(\"${path.module}/q3.sql.tpl\", { src = \"tfds.s3\" })"),
        "resource \"google_bigquery_table\" \"v\" {\n  dataset_id = \"tfds\"\n  table_id = \"v\"\n  view {\n    query = \"select a from tfds.s4\"\n    use_legacy_sql = false\n  }\n}\n".to_owned(),
    ]
    .concat();
    let files = [
        ("infra/main.tf", &*main),
        ("infra/q.sql", "select a from tfds.s2"),
        ("infra/q3.sql.tpl", "select a from ${src}"),
    ];
    let (found, told) = edges(&files);
    let expected = ["tfds.s1 > tfds.t1", "tfds.s2 > tfds.t2", "tfds.s3 > tfds.t3", "tfds.s4 > tfds.v"];
    assert_eq!((found, told), (expected.map(str::to_owned).to_vec(), Vec::new()));
}
