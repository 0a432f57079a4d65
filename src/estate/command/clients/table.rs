//! SQL clients: which options name files, SQL and variables.

/// What is known of one client's command line.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) names: &'static [&'static str],
    pub(super) dialect: Option<&'static str>,
    /// Options whose value is a file of SQL.
    pub(super) files: &'static [&'static str],
    /// Options whose value is SQL.
    pub(super) texts: &'static [&'static str],
    /// Options whose value is `name=value`.
    pub(super) params: &'static [&'static str],
    /// Other options with a value.
    pub(super) values: &'static [&'static str],
    /// Options that name the schema of unqualified tables.
    pub(super) schema: &'static [&'static str],
    /// The argument that is SQL, counted from 0 among those that are no options.
    pub(super) sql_at: Option<usize>,
    /// Whether SQL may come on its input.
    pub(super) reads_input: bool,
}

const NONE: Client = Client {
    names: &[],
    dialect: None,
    files: &[],
    texts: &[],
    params: &[],
    values: &[],
    schema: &[],
    sql_at: None,
    reads_input: true,
};

const CLIENTS: &[Client] = &[
    Client {
        names: &["psql", "vsql", "pgcli", "gsql", "ysqlsh"],
        dialect: Some("postgres"),
        files: &["-f", "--file"],
        texts: &["-c", "--command"],
        params: &["-v", "--set", "--variable"],
        values: &[
            "-d",
            "--dbname",
            "-h",
            "--host",
            "-p",
            "--port",
            "-U",
            "--username",
            "-o",
            "--output",
            "-F",
            "--field-separator",
            "-P",
            "--pset",
            "-R",
            "-T",
            "-L",
            "--log-file",
            "-w",
        ],
        ..NONE
    },
    Client {
        names: &["snowsql"],
        dialect: Some("snowflake"),
        files: &["-f", "--filename"],
        texts: &["-q", "--query"],
        params: &["-D", "--variable"],
        values: &[
            "-a",
            "--accountname",
            "-u",
            "--username",
            "-d",
            "--dbname",
            "-r",
            "--rolename",
            "-w",
            "--warehouse",
            "-c",
            "--connection",
            "-h",
            "--host",
            "-o",
            "--option",
            "--config",
            "--private-key-path",
        ],
        schema: &["-s", "--schemaname"],
        ..NONE
    },
    Client {
        names: &["spark-sql", "spark3-sql"],
        dialect: Some("spark"),
        files: &["-i", "-f"],
        texts: &["-e"],
        params: &["-d", "--define", "--hivevar", "--hiveconf", "--conf"],
        values: &[
            "--master",
            "--deploy-mode",
            "--name",
            "--queue",
            "--num-executors",
            "--executor-memory",
            "--executor-cores",
            "--driver-memory",
            "--driver-cores",
            "--jars",
            "--packages",
            "--repositories",
            "--properties-file",
            "--driver-class-path",
            "--principal",
            "--keytab",
        ],
        schema: &["--database"],
        ..NONE
    },
    Client {
        names: &["hive", "beeline"],
        dialect: Some("hive"),
        files: &["-i", "-f"],
        texts: &["-e"],
        params: &["-d", "--define", "--hivevar", "--hiveconf", "-hiveconf", "-hivevar"],
        values: &["-u", "-n", "-p", "-w", "-h", "--outputformat"],
        schema: &["--database"],
        ..NONE
    },
    Client {
        names: &["impala-shell"],
        dialect: Some("hive"),
        files: &["-f", "--query_file"],
        texts: &["-q", "--query"],
        params: &["--var"],
        values: &["-i", "--impalad", "-u", "--user", "-o", "--output_file"],
        schema: &["-d", "--database"],
        ..NONE
    },
    Client {
        names: &["mysql", "mariadb"],
        dialect: Some("mysql"),
        texts: &["-e", "--execute", "--init-command"],
        values: &["-u", "--user", "-h", "--host", "-P", "--port", "-S", "--socket", "--password"],
        schema: &["-D", "--database"],
        ..NONE
    },
    Client {
        names: &["sqlcmd", "mssql-cli"],
        dialect: Some("tsql"),
        files: &["-i"],
        texts: &["-Q", "-q"],
        params: &["-v"],
        values: &["-S", "-d", "-U", "-P", "-o", "-s", "-w", "-h", "-l", "-t", "-m", "-y", "-f", "-a", "-c", "-H"],
        ..NONE
    },
    Client {
        names: &["sqlite3"],
        dialect: Some("sqlite"),
        files: &["-init"],
        texts: &["-cmd"],
        values: &["-separator", "-newline", "-nullvalue"],
        sql_at: Some(1),
        ..NONE
    },
    Client {
        names: &["duckdb"],
        dialect: Some("duckdb"),
        files: &["-init", "-f", "-file"],
        texts: &["-c", "-s", "-cmd"],
        values: &["-separator", "-nullvalue"],
        sql_at: Some(1),
        ..NONE
    },
    Client {
        names: &["clickhouse-client", "clickhouse-local"],
        dialect: Some("clickhouse"),
        files: &["--queries-file"],
        texts: &["-q", "--query"],
        values: &["-h", "--host", "--port", "-u", "--user", "--password", "--format", "-f"],
        schema: &["-d", "--database"],
        ..NONE
    },
    Client {
        names: &["trino", "trino-cli", "presto", "presto-cli"],
        dialect: Some("trino"),
        files: &["-f", "--file"],
        texts: &["--execute"],
        values: &["--server", "--catalog", "--user", "--output-format", "--session"],
        schema: &["--schema"],
        ..NONE
    },
    Client { names: &["sqlplus", "sqlcl", "sql"], dialect: Some("oracle"), values: &["-M", "-L"], ..NONE },
    Client { names: &["bteq"], dialect: Some("teradata"), ..NONE },
    Client { names: &["db2"], files: &["-f", "-tf", "-tvf", "-tvmf"], sql_at: Some(0), ..NONE },
    Client {
        names: &["usql"],
        files: &["-f", "--file"],
        texts: &["-c", "--command"],
        params: &["-v", "--set"],
        ..NONE
    },
    Client {
        names: &["cockroach"],
        dialect: Some("postgres"),
        files: &["-f", "--file"],
        texts: &["-e", "--execute"],
        values: &["--url", "--host", "-d", "--database", "-u", "--user"],
        ..NONE
    },
    Client {
        names: &["aws-athena"],
        dialect: Some("trino"),
        texts: &["--query-string"],
        values: &["--query-execution-context", "--result-configuration", "--work-group", "--region", "--profile"],
        reads_input: false,
        ..NONE
    },
    Client {
        names: &["aws-redshift-data"],
        dialect: Some("redshift"),
        texts: &["--sql", "--sqls"],
        values: &[
            "--cluster-identifier",
            "--database",
            "--db-user",
            "--secret-arn",
            "--region",
            "--profile",
            "--workgroup-name",
        ],
        reads_input: false,
        ..NONE
    },
];

/// The client called `name`.
pub(super) fn client(name: &str) -> Option<&'static Client> {
    CLIENTS.iter().find(|client| client.names.contains(&name))
}

impl Client {
    /// Whether the argument behind `option` is its value.
    pub(super) fn takes_value(&self, option: &str) -> bool {
        [self.files, self.texts, self.params, self.values, self.schema].iter().any(|options| options.contains(&option))
    }
}

impl Client {
    /// The database file or database that stands first on the command line, as the schema of its tables.
    pub(super) fn schema_argument(&self, first: &str) -> Option<String> {
        let name = first.rsplit('/').next().unwrap_or_default();
        match self.dialect? {
            "sqlite" => name.rsplit_once('.').map(|(stem, _)| stem.to_owned()),
            "mysql" => Some(name.to_owned()),
            _ => None,
        }
        .filter(|name| !name.is_empty() && !name.contains(['$', '{', ':', ' ']))
    }
}
