//! An S3 server in this process, well behaved or with the bad habits of some stores.
use std::sync::Arc;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::dto::*;
use s3s::service::S3ServiceBuilder;
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

pub(super) const ACCESS_KEY: &str = "carve-test";
pub(super) const SECRET_KEY: &str = "carve-test-secret";

/// What a store does otherwise than S3.
#[derive(Clone, Copy, Default)]
pub(super) struct Habits {
    pub(super) ignores_conditions: bool,
    pub(super) ignores_checksums: bool,
    /// Of those that create the lock, or race in a trial.
    pub(super) several_win: bool,
    /// Keeps other bytes than came, where a name ends in `damaged`.
    pub(super) damages: bool,
    pub(super) encrypts: Encrypts,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Encrypts {
    #[default]
    AsAsked,
    /// And takes the object all the same.
    Never,
    Refuses,
}

/// A write: its key, `sse` and `kms_key_id`.
pub(super) type Asked = Arc<std::sync::Mutex<Vec<(String, Option<String>, Option<String>)>>>;

/// s3s-fs, in which one PUT follows another: by itself several of those that race under a condition win.
struct OneByOne {
    inner: FileSystem,
    turn: Mutex<()>,
    habits: Habits,
    asked: Asked,
}

impl OneByOne {
    /// Applies the habits to what a writer asks for.
    fn spoil(&self, input: &mut PutObjectInput) -> S3Result<()> {
        if self.habits.encrypts == Encrypts::Refuses && input.server_side_encryption.is_some() {
            return Err(s3_error!(NotImplemented, "encryption is asked for, and no key service is configured"));
        }
        // As if each of them had come before the others were done, however slow this machine is.
        let raced_for = ["race-", "lease"].iter().any(|name| input.key.contains(name));
        let races = self.habits.several_win && input.if_none_match.is_some() && raced_for;
        if races || self.habits.ignores_conditions {
            (input.if_match, input.if_none_match) = (None, None);
        }
        if self.habits.ignores_checksums {
            (input.checksum_sha256, input.checksum_algorithm) = (None, None);
        }
        if self.habits.damages && input.key.ends_with("damaged") {
            let length = usize::try_from(input.content_length.unwrap()).unwrap();
            input.body = Some(Body::from(vec![b'?'; length]).into());
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl S3 for OneByOne {
    async fn put_object(&self, mut request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let sse = request.input.server_side_encryption.clone();
        let told = sse.as_ref().map(|its| its.as_str().to_owned());
        self.asked.lock().unwrap().push((request.input.key.clone(), told, request.input.ssekms_key_id.clone()));
        self.spoil(&mut request.input)?;
        let _turn = self.turn.lock().await;
        let mut answer = self.inner.put_object(request).await?;
        if self.habits.encrypts == Encrypts::AsAsked {
            answer.output.server_side_encryption = sse;
        }
        Ok(answer)
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        self.inner.get_object(request).await
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        self.inner.head_object(request).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.inner.list_objects_v2(request).await
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let _turn = self.turn.lock().await;
        self.inner.delete_object(request).await
    }
}

/// Serves a bucket `mesh` on a free port of this machine; the answer is its endpoint.
pub(super) async fn serve(folder: &TempDir, habits: Habits) -> String {
    serve_and_tell(folder, habits).await.0
}

/// Serves it, and tells what writers ask for.
pub(super) async fn serve_and_tell(folder: &TempDir, habits: Habits) -> (String, Asked) {
    std::fs::create_dir(folder.path().join("mesh")).unwrap();
    let inner = FileSystem::new(folder.path()).unwrap();
    let asked = Asked::default();
    let turn = Mutex::new(());
    let mut service = S3ServiceBuilder::new(OneByOne { inner, turn, habits, asked: asked.clone() });
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = service.build();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let server = Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(socket), service.clone()).into_owned());
        }
    });
    (endpoint, asked)
}
