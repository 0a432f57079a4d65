"""Other tools, and carve, on one work: is raw.orders of benches/extract.rs the same as raw.orders_copy, which it is, and as
raw.orders_other, which lacks a row, has another city in a second and one microsecond more in a third?

  python3 -m venv /tmp/peers && /tmp/peers/bin/pip install reladiff google-pso-data-validator psycopg2-binary
  cargo build --release
  PGPASSWORD=… /tmp/peers/bin/python benches/proving.py postgres://USER@HOST:PORT/DATABASE target/release/carve [TOOL…]

A tool's line a pair: seconds on the clock, its own processor time, the server's (all processes of the machine named
postgres, as far as they end or live on), the peak of its memory, and what it said of the three differences. `join` is
reladiff's way within one database, a full outer join there; `hash` its way between two, sums of MD5 by segments.
"""

import glob
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import psycopg2

LEFT, PAIRS = "raw.orders", {"equal": "raw.orders_copy", "three differ": "raw.orders_other"}
DIFFERENT = ("777777", "1234567", "1500001")


def carve(place, right, folder):
    url = f"postgres://{place}?password=env:PGPASSWORD"
    return [sys.argv[2], "verify", "--left", f"{url}#{LEFT}", "--right", f"{url}#{right}"]


def beside(program):
    return os.path.join(os.path.dirname(sys.executable), program)


def secret(place):
    user, rest = place.split("@", 1)
    return f"postgresql://{user}:{os.environ['PGPASSWORD']}@{rest}"


def join(place, right, folder):
    return [beside("reladiff"), secret(place), LEFT, right, "-k", "id", "-c", "%", "-a", "joindiff"]


def hash(place, right, folder):
    url = secret(place)
    return [beside("reladiff"), url, LEFT, url, right, "-k", "id", "-c", "%", "-a", "hashdiff", "-j", "4"]


def validator(place, right, folder):
    user, host, port, database = re.fullmatch(r"(.*)@(.*):(.*)/(.*)", place).groups()
    os.environ["PSO_DV_CONN_HOME"] = folder
    add = [beside("data-validation"), "connections", "add", "--connection-name", "bench", "Postgres", "--host", host]
    add += ["--port", port, "--user", user, "--password", os.environ["PGPASSWORD"], "--database", database]
    subprocess.run(add, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    command = [beside("data-validation"), "validate", "row", "-sc", "bench", "-tc", "bench", "-tbls", f"{LEFT}={right}"]
    return command + ["--primary-keys", "id", "--hash", "*", "--filter-status", "fail", "--format", "csv"]


TOOLS = {tool.__name__: tool for tool in (carve, join, hash, validator)}


def make(place):
    connection = psycopg2.connect(secret(place))
    connection.autocommit = True
    cursor = connection.cursor()
    for table in PAIRS.values():
        cursor.execute("SELECT to_regclass(%s)", (table,))
        if cursor.fetchone()[0] is None:
            cursor.execute(f"CREATE TABLE {table} (LIKE {LEFT} INCLUDING ALL); INSERT INTO {table} SELECT * FROM {LEFT}")
            if table == "raw.orders_other":
                cursor.execute(f"DELETE FROM {table} WHERE id = 1234567")
                cursor.execute(f"UPDATE {table} SET city = 'Zurich' WHERE id = 777777")
                cursor.execute(f"UPDATE {table} SET placed_at = placed_at + interval '1 microsecond' WHERE id = 1500001")
            cursor.execute(f"VACUUM ANALYZE {table}")
    cursor.execute("CHECKPOINT")


def server_seconds():
    """Processor time of every postgres process that is there, and of those that its postmasters have seen end."""
    ticks = 0
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat) as file:
                name, rest = file.read().rsplit(")", 1)
        except OSError:
            continue
        if name.endswith("(postgres"):
            ticks += sum(int(word) for word in rest.split()[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def run(name, place, pair, right):
    folder = tempfile.mkdtemp(prefix="proving-")
    command = TOOLS[name](place, right, folder)
    before, server, began = resource.getrusage(resource.RUSAGE_CHILDREN), server_seconds(), time.monotonic()
    timed = ["/usr/bin/time", "-o", f"{folder}/peak", "-f", "%M", *command]
    done = subprocess.run(timed, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    server = server_seconds() - server
    with open(f"{folder}/peak") as file:
        peak = int(file.read().split()[-1]) / 1024
    said = [key for key in DIFFERENT if re.search(rf"\b{key}\b", done.stdout)]
    told = f"told {len(said)} of 3" if pair != "equal" else ("told differences" if said else "equal")
    trouble = "" if done.returncode in (0, 7) else f"  exit {done.returncode}: {done.stderr[-300:]}"
    times = f"{seconds:7.2f} s  own {own:7.2f} s  server {server:7.2f} s  peak {peak:7.1f} MiB"
    print(f"{name:<10} {pair:<13} {times}  {told}{trouble}", flush=True)
    shutil.rmtree(folder)


def main():
    place = sys.argv[1].removeprefix("postgres://")
    make(place)
    for name in sys.argv[3:] or list(TOOLS):
        for pair, right in PAIRS.items():
            run(name, place, pair, right)


main()
