//! An S3 server in this process.
use std::hash::{DefaultHasher, Hash, Hasher};

use camino::Utf8Path;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{S3, S3Request, S3Response, S3Result, auth::SimpleAuth, dto::*, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::{net::TcpListener, sync::Mutex};

/// Turns at names: as many as are hardly ever waited for.
const TURNS: usize = 256;

/// s3s-fs, in which writers of one name are kept apart as S3 does: by itself several that race under a condition win,
/// and carve looks before and after each write.
struct Apart {
    inner: FileSystem,
    turns: Vec<Mutex<()>>,
}

#[async_trait::async_trait]
impl S3 for Apart {
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let mut hasher = DefaultHasher::new();
        request.input.key.hash(&mut hasher);
        let _turn = self.turns[hasher.finish() as usize % TURNS].lock().await;
        self.inner.put_object(request).await
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
        self.inner.delete_object(request).await
    }
}

/// Serves `folder`, in which a folder is a bucket, on a free port; the address of the bucket `mesh`.
pub(crate) async fn served(folder: &Utf8Path) -> String {
    let inner = FileSystem::new(folder.as_std_path()).unwrap();
    let mut service = S3ServiceBuilder::new(Apart { inner, turns: (0..TURNS).map(|_| Mutex::default()).collect() });
    service.set_auth(SimpleAuth::from_single("bench", "bench"));
    let service = service.build();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let server = Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(socket), service.clone()).into_owned());
        }
    });
    format!("s3://mesh?endpoint={endpoint}&path_style=true&region=us-east-1")
}
