//! PostgreSQL as the central lake.
use async_trait::async_trait;

use super::names::{find, literal};
use super::origin::Postgres;
use super::trouble::{engine, refused};
use super::{books, query, rehearsal, script, staging, swap};
use crate::connector::{ConnectorError, Lake, LoadPart, RowStream};
use crate::vocab::{DatasetId, Schema};

#[async_trait]
impl Lake for Postgres {
    fn takes_turns(&self) -> bool {
        false
    }

    async fn exists(&self, table: &DatasetId) -> Result<bool, ConnectorError> {
        let client = self.server.connect().await?;
        let found = find(&client, &self.server.target, table).await?;
        self.server.give_back(client);
        Ok(found.is_some())
    }

    async fn create_staging(&self, table: &DatasetId, schema: &Schema) -> Result<(), ConnectorError> {
        staging::create(&self.server, table, schema).await
    }

    async fn loaded_parts(&self, staging: &DatasetId) -> Result<Vec<String>, ConnectorError> {
        staging::loaded_parts(&self.server, staging).await
    }

    async fn load_parts(
        &self,
        staging: &DatasetId,
        schema: &Schema,
        parts: Vec<LoadPart>,
    ) -> Result<usize, ConnectorError> {
        staging::load_parts(&self.server, staging, schema, parts).await
    }

    async fn swap(
        &self,
        staging: &DatasetId,
        live: &DatasetId,
        previous: Option<&DatasetId>,
    ) -> Result<(), ConnectorError> {
        swap::swap(&self.server, staging, live, previous).await
    }

    async fn take_indexes(
        &self,
        staging: &DatasetId,
        schema: &Schema,
        live: Option<&DatasetId>,
    ) -> Result<(), ConnectorError> {
        swap::take_indexes(&self.server, staging, schema, live).await
    }

    async fn rehearse(
        &self,
        staging: &DatasetId,
        live: &DatasetId,
        previous: &DatasetId,
        schema: &Schema,
    ) -> Result<Vec<String>, ConnectorError> {
        rehearsal::rehearse(&self.server, staging, live, previous, schema).await
    }

    async fn rename(&self, from: &DatasetId, to: &DatasetId) -> Result<(), ConnectorError> {
        swap::rename(&self.server, from, to).await
    }

    async fn drop_table(&self, table: &DatasetId) -> Result<(), ConnectorError> {
        swap::drop_table(&self.server, table).await
    }

    async fn execute(&self, script: &str) -> Result<(), ConnectorError> {
        script::execute(&self.server, script).await
    }

    async fn query(&self, sql: &str) -> Result<(Schema, RowStream), ConnectorError> {
        query::query(&self.server, sql).await
    }

    /// Whether the database can be written to, and whether carve's books can be kept in it.
    async fn probe_write(&self) -> Result<(), ConnectorError> {
        let mut client = self.server.connect().await?;
        let doing = |e| engine("write to the lake", e);
        let sql = "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
              OR pg_catalog.to_regnamespace('carve_books') IS NOT NULL, pg_catalog.pg_is_in_recovery(), current_user::text,
              pg_catalog.current_database()::text";
        let row = client.query_one(sql, &[]).await.map_err(doing)?;
        let (may, standby, user, database): (bool, bool, String, String) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        if standby {
            return Err(refused("write to the lake", "the server is a standby, which only reads: name the primary"));
        }
        if !may {
            let why = format!(
                "carve keeps its books in a schema of its own, which this user may not make: \
                 CREATE SCHEMA carve_books AUTHORIZATION \"{user}\", or GRANT CREATE ON DATABASE \"{database}\" TO \"{user}\""
            );
            return Err(refused("write to the lake", why));
        }
        let transaction = client.transaction().await.map_err(doing)?;
        books::open(&transaction).await?;
        books::set_note(&transaction, "probe", "").await?;
        transaction.rollback().await.map_err(doing)?;
        self.server.give_back(client);
        Ok(())
    }

    async fn note(&self, key: &str) -> Result<Option<String>, ConnectorError> {
        let client = self.server.connect().await?;
        let note = books::note(&client, key).await?;
        self.server.give_back(client);
        Ok(note)
    }

    async fn set_note(&self, key: &str, value: &str) -> Result<(), ConnectorError> {
        let mut client = self.server.connect().await?;
        let doing = |e| engine(format!("keep the note {}", literal(key)), e);
        let mut transaction = client.transaction().await.map_err(doing)?;
        if value.is_empty() {
            books::forget_note(&transaction, key).await?;
            books::close(&mut transaction).await?;
        } else {
            books::open(&transaction).await?;
            books::set_note(&transaction, key, value).await?;
        }
        transaction.commit().await.map_err(doing)?;
        self.server.give_back(client);
        Ok(())
    }
}
