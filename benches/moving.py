"""Other tools on the work of benches/extract.rs: raw.orders out of PostgreSQL into files of a folder.

  python3 -m venv /tmp/peers && /tmp/peers/bin/pip install sling-linux-amd64==1.4.11 duckdb==1.5.5 duckdb-extension-postgres-scanner==1.5.5 connectorx pyarrow reladiff psycopg2-binary
  PGPASSWORD=… /tmp/peers/bin/python benches/moving.py postgres://USER@HOST:PORT/DATABASE [TOOL…]

One line a tool: seconds of the whole process, its processor time, the peak of its memory, the files it wrote. What is
written differs: DuckDB and ConnectorX write one file, sling files of 1,000 rows only by request, none of them hashes.
"""

import glob
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

TABLE = "raw.orders"


def duckdb(url, folder):
    import duckdb as engine

    connection = engine.connect()
    found = glob.glob(sys.prefix + "/lib/*/site-packages/duckdb_extension_postgres_scanner/**/*.duckdb_extension", recursive=True)
    connection.execute(f"LOAD '{found[0]}'")
    connection.execute(f"ATTACH '{url}' AS pg (TYPE postgres, READ_ONLY)")
    connection.execute(f"COPY (SELECT * FROM pg.{TABLE} ORDER BY id) TO '{folder}/orders.csv' (HEADER)")


def connectorx(url, folder):
    import connectorx
    import pyarrow.csv

    table = connectorx.read_sql(url, f"SELECT * FROM {TABLE}", return_type="arrow", partition_on="id", partition_num=4)
    # Its zone is called +00:00, which pyarrow's writer does not know.
    utc = [f.with_type(pyarrow.timestamp("us", "UTC")) if getattr(f.type, "tz", None) else f for f in table.schema]
    table = table.cast(pyarrow.schema(utc))
    pyarrow.csv.write_csv(table, f"{folder}/orders.csv")


def sling(url, folder):
    environment = dict(os.environ, PG=url + "?sslmode=disable", SLING_DISABLE_TELEMETRY="true")
    found = glob.glob(sys.prefix + "/lib/*/site-packages/sling_linux_amd64/bin/sling-linux-amd64")
    command = [found[0], "run", "--src-conn", "PG", "--src-stream", TABLE]
    command += ["--tgt-object", f"file://{folder}/orders.csv"]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def reladiff(url, folder):
    """Proves raw.orders equal to raw.orders_copy."""
    command = [os.path.join(os.path.dirname(sys.executable), "reladiff"), url, TABLE, url, TABLE + "_copy", "-k", "id", "-c", "%"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


TOOLS = {tool.__name__: tool for tool in (duckdb, connectorx, sling, reladiff)}


def main():
    url, wanted = sys.argv[1], sys.argv[2:] or list(TOOLS)
    user, rest = url.removeprefix("postgres://").split("@", 1)
    url = f"postgresql://{user}:{os.environ['PGPASSWORD']}@{rest}"
    if wanted[0] == "one":
        TOOLS[wanted[1]](url, wanted[2])
        return
    for name in wanted:
        folder = tempfile.mkdtemp(prefix="moving-")
        began = time.monotonic()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(["/usr/bin/time", "-f", "%M", sys.executable, *sys.argv[:2], "one", name, folder], stderr=subprocess.PIPE)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = time.monotonic() - began
        processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        files = [file for file in glob.glob(folder + "/**", recursive=True) if os.path.isfile(file)]
        size = sum(os.path.getsize(file) for file in files)
        peak = int(done.stderr.decode().split()[-1]) / 1024
        verdict = "" if done.returncode == 0 else f"  failed: {done.stderr.decode()[-300:]}"
        print(f"{name:<12} {seconds:7.2f} s  processor {processor:7.2f} s  peak {peak:7.1f} MiB  {len(files)} files, {size} bytes{verdict}", flush=True)
        shutil.rmtree(folder)


main()
