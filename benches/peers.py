"""Column lineage of the TPC-DS queries by carve and by its peers, one thread each, in one run.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install 'sqlglot[c]' openlineage-sql sqllineage \\
        duckdb==1.5.5 duckdb-extension-tpcds==1.5.5
    /tmp/peers/bin/pip install --target /tmp/peers/rs sqllineage-rs   # it calls itself sqllineage as well
    /tmp/peers/bin/python benches/peers.py queries /tmp/tpcds
    (cd benches/flowscope && CARGO_TARGET_DIR=/tmp/flowscope cargo build --release)
    export PEERS_RS=/tmp/peers/rs FLOWSCOPE=/tmp/flowscope/release/flowscope-edges
    cargo bench --bench lineage /tmp/tpcds
    /tmp/peers/bin/python benches/peers.py run /tmp/tpcds
    /tmp/peers/bin/python benches/peers.py differ /tmp/tpcds target/debug/carve

The queries come out of DuckDB's TPC-DS extension, each as `CREATE TABLE … AS`; every tool gets the same text and the
same catalog where it takes one. Each tool runs in a process of its own; the least processor time of its rounds counts,
start-up left out. An edge is a pair (column of a table of the catalog → column of the answer) that carries a value.
`differ` lays each peer's edges beside carve's and counts the differences by cause; what no cause explains it prints.
"""

import glob
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict


def queries(folder):
    import duckdb
    import duckdb_extension_tpcds

    inside = os.path.join(list(duckdb_extension_tpcds.__path__)[0], "extensions", "*", "tpcds.duckdb_extension")
    db = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    db.execute(f"load '{glob.glob(inside)[0]}'")
    db.execute("call dsdgen(sf = 0)")
    os.makedirs(folder, exist_ok=True)
    for number, query in db.execute("select query_nr, query from tpcds_queries()").fetchall():
        write(folder, f"{number:02}.sql", f"create table answer_{number:02} as\n{query}")
    tables = db.execute("select sql from duckdb_tables() order by table_name").fetchall()
    write(folder, "schema.sql", "\n".join(row[0] for row in tables))
    columns = db.execute("select table_name, column_name, data_type from duckdb_columns() order by 1, column_index")
    catalog = {}
    for table, column, kind in columns.fetchall():
        catalog.setdefault(table, {})[column] = kind
    write(folder, "catalog.json", json.dumps(catalog))


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def with_sqlglot(texts, catalog):
    from sqlglot import exp, parse_one
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    def edges(text):
        query = parse_one(text, read="duckdb").expression
        query = qualify(query, schema=catalog, dialect="duckdb")
        scope = build_scope(query)
        found = set()
        for column in query.named_selects:
            node = lineage(column, query, schema=catalog, scope=scope, dialect="duckdb", copy=False)
            for leaf in node.walk():
                if not leaf.downstream and isinstance(leaf.expression, exp.Table):
                    found.add((f"{leaf.expression.name}.{leaf.name.rsplit('.', 1)[-1]}".replace('"', ""), column))
        return found

    return [edges for _ in texts]


def with_sqlglot_parse(texts, catalog):
    from sqlglot import parse_one

    return [lambda text: parse_one(text, read="duckdb") and () for _ in texts]


def with_openlineage(texts, catalog):
    import openlineage_sql

    def edges(text):
        meta = openlineage_sql.parse([text], dialect="generic")
        if meta is None or meta.errors:
            raise ValueError(meta.errors if meta else "nothing")
        pairs = [(one, column.descendant) for column in meta.column_lineage for one in column.lineage if one.origin]
        return {(f"{one.origin.name}.{one.name}", to.name) for one, to in pairs}

    return [edges for _ in texts]


def with_sqllineage(texts, catalog):
    from sqllineage.core.metadata.dummy import DummyMetaDataProvider
    from sqllineage.runner import LineageRunner

    provider = DummyMetaDataProvider({f"<default>.{table}": list(columns) for table, columns in catalog.items()})

    def edges(text):
        runner = LineageRunner(text, dialect="ansi", metadata_provider=provider)
        plain = lambda column: str(column).replace("<default>.", "")
        paths = runner.get_column_lineage()
        return {(plain(path[0]), plain(path[-1]).split(".", 1)[-1]) for path in paths}

    return [edges for _ in texts]


def with_sqllineage_rs(texts, catalog):
    sys.path.insert(0, os.environ["PEERS_RS"])
    import sqllineage

    class Catalog:
        def list_columns(self, table):
            columns = catalog.get(table.table)
            return list(columns) if columns else None

        def resolve_column(self, column, candidates):
            return next((table for table in candidates if column in catalog.get(table.table, {})), None)

    known = Catalog()

    def edges(text):
        answers = sqllineage.analyze(text, dialect="generic", catalog=known)
        if not answers:
            raise ValueError("nothing")
        sources = [(str(m.target.column), s) for answer in answers for m in answer.columns for s in m.sources]
        return {(f"{s.table}.{s.column}", to) for to, s in sources if s.kind == "concrete"}

    return [edges for _ in texts]


def flowscope(folder):
    """What benches/flowscope tells of a folder: edges or None for each query, and least milliseconds."""
    done = subprocess.run([os.environ["FLOWSCOPE"], folder], capture_output=True, text=True, check=True)
    *answers, told = map(json.loads, done.stdout.splitlines())
    return answers, told["ms"]


def with_flowscope(texts, catalog):
    answers, _ = flowscope(os.environ["QUERIES"])

    def of(answer):
        def edges(text):
            if answer is None:
                raise ValueError("not read")
            return {tuple(edge) for edge in answer}

        return edges

    return [of(answer) for answer in answers]


TOOLS = {
    "sqlglot[c], parsing alone": with_sqlglot_parse,
    "sqlglot[c], columns with a catalog": with_sqlglot,
    "openlineage-sql, columns without a catalog": with_openlineage,
    "sqllineage, columns with a catalog": with_sqllineage,
    "sqllineage-rs, columns with a catalog": with_sqllineage_rs,
    "flowscope-core, columns with a catalog": with_flowscope,
}


def texts_of(folder):
    names = sorted(name for name in os.listdir(folder) if re.fullmatch(r"\d+\.sql", name))
    return [open(os.path.join(folder, name), encoding="utf-8").read().rstrip().rstrip(";") for name in names]


def one(name, folder, rounds):
    """Runs one tool here and prints its figures as JSON."""
    texts = texts_of(folder)
    catalog = json.load(open(os.path.join(folder, "catalog.json"), encoding="utf-8"))
    if name.startswith("flowscope"):
        answers, ms = flowscope(folder)
        edges = sum(len(answer) for answer in answers if answer is not None)
        print(json.dumps({"ms": ms, "edges": edges, "failed": answers.count(None)}))
        return
    work = TOOLS[name](texts, catalog)
    best, edges, failed = None, 0, 0
    for _ in range(rounds):
        edges, failed = 0, 0
        began = time.process_time()
        for text, act in zip(texts, work):
            try:
                edges += len(act(text))
            except Exception as fault:
                failed += 1
                if os.environ.get("PEERS_FAULTS"):
                    print(repr(fault)[:200], file=sys.stderr)
        spent = time.process_time() - began
        best = spent if best is None else min(best, spent)
    print(json.dumps({"ms": best * 1e3, "edges": edges, "failed": failed}))


def of_carve(program, texts, catalog):
    """For each text every edge of carve's, with its kinds."""
    tables = {table: list(columns) for table, columns in catalog.items()}
    lines = [json.dumps({"sql": text, "dialect": "generic", "catalog": tables}) for text in texts]
    done = subprocess.run([program, "lineage", "--batch"], input="\n".join(lines), capture_output=True, text=True)
    answers = []
    for line in done.stdout.splitlines():
        kinds = defaultdict(set)
        for edge in json.loads(line)["columns"]:
            kinds[(f"{edge['upstream']}.{edge['upstream_column']}", edge["downstream_column"])].add(edge["kind"])
        answers.append(kinds)
    return answers


UNEXPLAINED = "carve has no such edge"
VALUES = {"identity", "transformation", "aggregation"}


def called_alike(theirs, ours):
    """Columns without a name in the query, which each tool calls otherwise: theirs → ours, by what feeds them."""
    free = sorted({to for _, to in ours} - {to for _, to in theirs})
    names = {}
    for to in sorted({to for _, to in theirs} - {to for _, to in ours}):
        fed = {source for source, target in theirs if target == to}
        same = [one for one in free if {source for source, target in ours if target == one} <= fed]
        if same:
            names[to] = same[0]
            free.remove(same[0])
    return names


def cause(edge, kinds, answer, tables):
    table, _, column = edge[0].partition(".")
    if table not in tables:
        return "what the peer names is no table of the catalog"
    if column == "*":
        return "the peer lets COUNT(*) take every column"
    if column not in tables[table]:
        return "that table has no such column"
    if "window" in kinds:
        return "only partitions or orders a window (carve: indirect, window)"
    if "conditional" in kinds:
        return "only decides a CASE (carve: indirect, conditional)"
    if edge[1] not in answer:
        return "the answer has no such column"
    return "only the rows depend on it (carve: filter, join, group, sort)" if kinds else UNEXPLAINED


def differ_one(name, folder, program):
    """Counts one peer's differences from carve by cause."""
    os.environ["QUERIES"] = folder  # for the one peer that is a program
    texts = texts_of(folder)
    catalog = json.load(open(os.path.join(folder, "catalog.json"), encoding="utf-8"))
    owner = {column: table for table, columns in catalog.items() for column in columns}
    causes = Counter()
    both = zip(texts, of_carve(program, texts, catalog), TOOLS[name](texts, catalog))
    for number, (text, kinds, act) in enumerate(both, 1):
        ours = {edge for edge, kind in kinds.items() if kind & VALUES}
        try:
            told = {(source.lower(), to.lower()) for source, to in act(text)}
        except Exception:
            causes["less: in a query that the peer does not read"] += len(ours)
            continue
        # A column without its table is taken for the one table that has it.
        theirs = {(f"{owner[source]}.{source}" if source in owner else source, to) for source, to in told}
        names = called_alike(theirs, ours)
        theirs = {(source, names.get(to, to)) for source, to in theirs}
        bare = {(f"{owner[source]}.{source}", names.get(to, to)) for source, to in told if source in owner}
        causes["alike, but the peer does not say the table"] += len(bare & ours)
        causes["alike"] += len((theirs - bare) & ours)
        for edge in sorted(theirs - ours):
            why = cause(edge, kinds.get(edge, set()), {to for _, to in kinds}, catalog)
            causes[f"more: {why}"] += 1
            if why == UNEXPLAINED:
                print(f"{name}, query {number:02}: {edge[0]} → {edge[1]}", file=sys.stderr)
        causes["less: the peer has no such edge"] += len(ours - theirs)
    print(f"\n{name}\n" + "\n".join(f"{count:>6}  {why}" for why, count in sorted(causes.items())), flush=True)


def differ(folder, program):
    # Two of the peers are modules of one name: each has a process of its own.
    for name in (name for name in TOOLS if "columns" in name):
        subprocess.run([sys.executable, __file__, "differ-one", name, folder, program], check=True)


def run(folder):
    print("| Tool | Processor time, 99 queries | Value edges | Queries failed |\n|---|---|---|---|")
    for name in TOOLS:
        rounds = "1" if name.startswith("sqllineage,") else "5"
        done = subprocess.run([sys.executable, __file__, "one", name, folder, rounds], capture_output=True, text=True)
        if done.returncode:
            print(f"| {name} | not run: {done.stderr.strip().splitlines()[-1]} | | |")
            continue
        told = json.loads(done.stdout.splitlines()[-1])
        print(f"| {name} | {told['ms']:,.1f} ms | {told['edges']:,} | {told['failed']} |", flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["queries", folder]:
            queries(folder)
        case ["run", folder]:
            run(folder)
        case ["differ", folder, program]:
            differ(folder, program)
        case ["differ-one", name, folder, program]:
            differ_one(name, folder, program)
        case ["one", name, folder, rounds]:
            one(name, folder, int(rounds))
        case _:
            sys.exit(__doc__)
