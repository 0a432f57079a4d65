//! Calls in Python code that move objects of a bucket: Google's storage client, Airflow's hooks, boto3.
use crate::{
    estate::{
        found::Found,
        names::dataset_named,
        python::{Thing, Value},
        reader::Around,
    },
    vocab::DatasetId,
};

/// Methods of an object's own handle, and whether they write it.
const OF_AN_OBJECT: &[(&str, bool)] = &[
    ("upload_from_filename", true),
    ("upload_from_string", true),
    ("upload_from_file", true),
    ("download_to_filename", false),
    ("download_to_file", false),
    ("download_as_text", false),
    ("download_as_string", false),
    ("download_as_bytes", false),
];
/// Methods of hooks and clients, whether they write, and where the bucket and the object stand among the arguments.
const OF_A_CLIENT: &[(&str, Store, bool, usize, usize)] = &[
    ("upload", Store::Google, true, 0, 1),
    ("download", Store::Google, false, 0, 1),
    ("download_as_byte_array", Store::Google, false, 0, 1),
    ("provide_file", Store::Google, false, 0, 1),
    ("provide_file_and_upload", Store::Google, true, 0, 1),
    ("load_file", Store::Amazon, true, 2, 1),
    ("load_string", Store::Amazon, true, 2, 1),
    ("load_bytes", Store::Amazon, true, 2, 1),
    ("load_file_obj", Store::Amazon, true, 2, 1),
    ("upload_file", Store::Amazon, true, 1, 2),
    ("upload_fileobj", Store::Amazon, true, 1, 2),
    ("put_object", Store::Amazon, true, usize::MAX, usize::MAX),
    ("get_object", Store::Amazon, false, usize::MAX, usize::MAX),
    ("get_key", Store::Amazon, false, 1, 0),
    ("read_key", Store::Amazon, false, 1, 0),
    ("select_key", Store::Amazon, false, 1, 0),
    ("download_file", Store::Amazon, false, 0, 1),
    ("download_fileobj", Store::Amazon, false, 0, 1),
];
/// Methods that copy within a store: both sides are named.
const COPIES: &[&str] = &["copy", "rewrite", "copy_object", "copy_blob"];

/// Whose buckets they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Store {
    Google,
    Amazon,
}

impl Store {
    fn scheme(self) -> &'static str {
        match self {
            Store::Google => "gs",
            Store::Amazon => "s3",
        }
    }
}

/// Takes what a call does with objects of a bucket; false where it is no such call.
pub(super) fn take(thing: &Thing, around: &Around<'_>, found: &mut Found) -> bool {
    let (read, written) = match thing.name() {
        name if COPIES.contains(&name) => copied(thing),
        name => match moved(thing, name) {
            Some((address, true)) => (None, Some(address)),
            Some((address, false)) => (Some(address), None),
            None => (None, None),
        },
    };
    if read.is_none() && written.is_none() {
        return false;
    }
    let named = |address: Option<String>| -> Option<DatasetId> { dataset_named(&address?, around.vars) };
    found.pieces += 1;
    found.reads.extend(named(read).map(|dataset| (dataset, thing.at.clone())));
    found.writes.extend(named(written).map(|dataset| (dataset, thing.at.clone())));
    true
}

/// The address of the object that a call moves, and whether it is written.
fn moved(thing: &Thing, name: &str) -> Option<(String, bool)> {
    if let Some((_, writes)) = OF_AN_OBJECT.iter().find(|(own, _)| *own == name) {
        return Some((address_of(handle(thing)?)?, *writes));
    }
    if let Some((method, writes)) = of_resource(thing, name) {
        return Some((method, writes));
    }
    let store = store_of(thing)?;
    let (_, _, writes, bucket_at, key_at) =
        OF_A_CLIENT.iter().find(|(own, of, ..)| *own == name && *of == store).copied()?;
    let bucket = thing.any_named(&["bucket_name", "Bucket", "bucket"]).or(thing.args.get(bucket_at));
    let key = thing.any_named(&["object_name", "key", "Key", "object", "s3_key"]).or(thing.args.get(key_at))?;
    Some((joined(store, bucket, key)?, writes))
}

/// `s3.Object(bucket, key).put(…)`, `s3.Bucket(b).upload_file(file, key)`.
fn of_resource(thing: &Thing, name: &str) -> Option<(String, bool)> {
    let Some(Value::Thing(owner)) = &thing.owner else { return None };
    match (owner.name(), name) {
        ("Object", "put" | "upload_file" | "upload_fileobj")
        | ("Object", "get" | "download_file" | "download_fileobj") => {
            let writes = matches!(name, "put" | "upload_file" | "upload_fileobj");
            Some((joined(Store::Amazon, owner.args.first(), owner.args.get(1)?)?, writes))
        }
        ("Bucket", "upload_file" | "upload_fileobj") => {
            let key = thing.any_named(&["Key"]).or(thing.args.get(1))?;
            Some((joined(Store::Amazon, owner.args.first(), key)?, true))
        }
        ("Bucket", "put_object" | "download_file" | "download_fileobj") => {
            let key = thing.any_named(&["Key"]).or(thing.args.first())?;
            Some((joined(Store::Amazon, owner.args.first(), key)?, name == "put_object"))
        }
        _ => None,
    }
}

/// The blob that a method is called on.
fn handle(thing: &Thing) -> Option<&Thing> {
    match &thing.owner {
        Some(Value::Thing(owner)) if matches!(owner.name(), "blob" | "get_blob" | "Blob") => Some(owner),
        _ => None,
    }
}

/// The address of a blob: of `bucket.blob(name)` or `Blob(name, bucket)`.
fn address_of(blob: &Thing) -> Option<String> {
    let key = blob.any_named(&["blob_name", "name"]).or(blob.args.first())?;
    let bucket = match (&blob.owner, blob.name()) {
        (_, "Blob") => blob.named("bucket").or(blob.args.get(1)),
        (Some(bucket), _) => Some(bucket),
        _ => None,
    };
    joined(Store::Google, bucket, key)
}

/// Whose client a method is called on, as the names of what made it say.
fn store_of(thing: &Thing) -> Option<Store> {
    let path = match &thing.owner {
        Some(Value::Thing(owner)) => {
            let service = owner.args.first().and_then(Value::as_known).unwrap_or_default();
            let lineage = owner.class.as_ref().map(|class| class.lineage().join(" ")).unwrap_or_default();
            format!("{} {service} {lineage}", owner.path)
        }
        _ => thing.path.to_string(),
    };
    let lower = path.to_ascii_lowercase();
    match lower {
        _ if lower.contains("s3") => Some(Store::Amazon),
        _ if lower.contains("gcs") || lower.contains("googlecloudstorage") || lower.contains("storage.client") => {
            Some(Store::Google)
        }
        _ => None,
    }
}

/// `copy(source_bucket, source_object, destination_bucket, destination_object)` and its like.
fn copied(thing: &Thing) -> (Option<String>, Option<String>) {
    let Some(store) = store_of(thing) else { return (None, None) };
    let arg = |names: &[&str], at: usize| thing.any_named(names).or(thing.args.get(at));
    let from_key = arg(&["source_object", "source_bucket_key", "source_key"], 1);
    let into_key = arg(&["destination_object", "dest_bucket_key", "Key"], 3).or(from_key);
    let from = arg(&["source_bucket", "source_bucket_name"], 0);
    let into = arg(&["destination_bucket", "dest_bucket_name", "Bucket"], 2).or(from);
    // boto3: `CopySource={'Bucket': …, 'Key': …}`.
    let source = thing.named("CopySource").map(|source| (source.key("Bucket"), source.key("Key")));
    let read = match &source {
        Some((bucket, Some(key))) => joined(store, bucket.as_ref(), key),
        _ => from_key.and_then(|key| joined(store, from, key)),
    };
    (read, into_key.and_then(|key| joined(store, into, key)))
}

/// The address of an object: the key may be whole by itself.
fn joined(store: Store, bucket: Option<&Value>, key: &Value) -> Option<String> {
    let key = match key {
        Value::None | Value::List(_) | Value::Dict(_) => return None,
        key => key.shown().0,
    };
    if key.contains("://") {
        return Some(key);
    }
    let bucket = match bucket? {
        // `client.bucket(name)`, `get_bucket(name)`.
        Value::Thing(made) if matches!(made.name(), "bucket" | "get_bucket" | "Bucket") => {
            made.any_named(&["bucket_name", "name"]).or(made.args.first())?.shown().0
        }
        Value::None => return None,
        bucket => bucket.shown().0,
    };
    let bucket = bucket.trim_start_matches("gs://").trim_start_matches("s3://").trim_matches('/').to_owned();
    Some(format!("{}://{bucket}/{}", store.scheme(), key.trim_start_matches('/')))
}
